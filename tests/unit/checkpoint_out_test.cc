// What comes out of a finished .sb3 is the checkpoint that went in.
#include "import/checkpoint_out.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "import/import.h"
#include "import/pack_tensors.h"
#include "model/fingerprint.h"
#include "pack.h"
#include "quant/rtn.h"
#include "sb3/sb3.h"
#include "support/tiny_model.h"
#include "unpack/unpack.h"

using namespace sb3lm;

namespace {

SilentProgress silent;

/// The model as it is read back from the finished file.
Model through_sb3(const Model& model) {
  const std::string sb3 = pack(model, {.lower = {.encoding = "hex"}, .deflate_level = 1}, silent);
  return unpack("model.sb3", read_sb3("model.sb3", as_bytes(sb3))).model;
}

Model read(const CheckpointOut& out) {
  CheckpointFiles files{.checkpoint = {"out", as_bytes(out.checkpoint)}};
  if (!out.sidecar.empty()) files.sidecar = NamedBytes{"sidecar", as_bytes(out.sidecar)};
  return import_from_memory(files, {}, silent);
}

/// Of matrices that are codes.
std::map<TensorKey, int> widths(const Model& model) {
  std::map<TensorKey, int> all;
  for (const auto& [key, tensor] : model.tensors) {
    const auto* coded = std::get_if<CodedTensor>(&tensor);
    if (coded != nullptr) all[key] = coded->format.bits;
  }
  return all;
}

std::string refusal(const Model& model) {
  try {
    write_checkpoint(model, silent);
  } catch (const Error& error) {
    CHECK(error.fault != Fault::bug);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a packed checkpoint comes back byte for byte") {
  for (const SynthPreset& preset : synth_presets()) {
    if (!preset.name.starts_with("tiny-moe")) continue;
    CAPTURE(preset.name);
    const SyntheticFiles files = make_synthetic({.preset = std::string(preset.name)}, silent);
    const CheckpointOut out = write_checkpoint(through_sb3(import_files(files)), silent);
    CHECK((out.checkpoint == files.checkpoint));
    CHECK(out.sidecar.empty() == files.sidecar.empty());
  }
}

TEST_CASE("every layout of a file comes back byte for byte") {
  for (int choice = 0; choice < 16; ++choice) {
    CAPTURE(choice);
    const SynthLayout layout{.hf_names = (choice & 1) != 0,
                             .stacked = (choice & 2) != 0,
                             .slots = (choice & 4) != 0,
                             .flipped = (choice & 8) != 0};
    const SyntheticFiles files = make_synthetic({.preset = "tiny-moe", .layout = layout}, silent);
    CHECK((write_checkpoint(import_files(files), silent).checkpoint == files.checkpoint));
  }
}

TEST_CASE("what was floats comes back as packed codes of every width") {
  for (const char* preset : {"tiny-dense", "tiny-dense-untied"}) {
    for (int bits = 1; bits <= 8; ++bits) {
      CAPTURE(preset);
      CAPTURE(bits);
      Model model = tiny_model(preset);
      quantise_matrices(model, bits);
      const CheckpointOut out = write_checkpoint(through_sb3(model), silent);
      const Model back = read(out);
      for (const auto& [key, tensor] : model.tensors) {
        const Shape shape = shape_of(tensor);
        for (int col = 0; col < shape.cols; ++col) {
          const int row = (col * 7) % shape.rows;
          REQUIRE(weight_at(back.at(key), row, col) == weight_at(tensor, row, col));
        }
        const auto* coded = std::get_if<CodedTensor>(&tensor);
        if (coded != nullptr && bits >= 5) CHECK((widths(back).at(key) == bits));
      }
      // A file that is read back needs nothing more to be written the same again.
      CHECK((write_checkpoint(back, silent).checkpoint == out.checkpoint));
    }
  }
}

TEST_CASE("codes of PyTorch's files keep their widths") {
  for (const char* preset : {"tiny-golf592", "tiny-golf585", "tiny-golf-nb"}) {
    CAPTURE(preset);
    Model model = tiny_model(preset);
    quantise_matrices(model, 7);  // what is plain there
    const CheckpointOut out = write_checkpoint(through_sb3(model), silent);
    const Model back = read(out);
    CHECK(back.spec == model.spec);
    CHECK(model_fingerprint(back) == model_fingerprint(model));
    CHECK((widths(back) == widths(model)));
  }
  const Model model = tiny_model("tiny-shard");
  CHECK(model_fingerprint(read(write_checkpoint(through_sb3(model), silent))) ==
        model_fingerprint(model));
}

TEST_CASE("floats stay floats") {
  const Model model = tiny_model("tiny-dense");
  const CheckpointOut out = write_checkpoint(through_sb3(model), silent);
  CHECK(model_fingerprint(read(out)) == model_fingerprint(model));
}

TEST_CASE("a model that does not know its file is refused") {
  Model model = tiny_model("tiny-moe");
  model.source.tensors.clear();
  CHECK(refusal(model).find("in which tensors") != std::string::npos);
  model = tiny_model("tiny-moe");
  model.source.tensors.pop_back();
  model.source.tensors.erase(model.source.tensors.begin());
  CHECK(refusal(model).find("the exported file") != std::string::npos);
  model = tiny_model("tiny-moe");
  model.source.tensors.front().shape = {1LL << 40, 1LL << 40};
  CHECK(refusal(model).find("shape") != std::string::npos);
  model = tiny_model("tiny-moe");
  model.conventions["sign"] = "sideways";
  CHECK(refusal(model).find("sideways") != std::string::npos);
  model = tiny_model("tiny-moe");
  model.conventions["nibble-code"] = "offset4";
  CHECK(refusal(model).find("has no value") != std::string::npos);
}

TEST_CASE("what the file does not say of the model is written into it") {
  Model model = tiny_model("tiny-moe");
  model.spec.layers[0].attention.rope.dims = 4;
  const CheckpointOut out = write_checkpoint(model, silent);
  CHECK(out.sidecar.empty());
  CHECK(read(out).spec == model.spec);
  CHECK(model_fingerprint(read(out)) == model_fingerprint(model));
}

TEST_CASE("a nibble code without a value is refused") {
  const CodedTensor matrix{
      .shape = {1, 2}, .format = CodeFormat::of_bits(4), .codes = {0, 8}, .row_scale = {0x3c00}};
  const GroupToPack group{.stem = "w", .matrices = {&matrix}, .nibble_code = "offset4"};
  CHECK_THROWS_AS(pack_codes(group, Conventions()), Error);
}
