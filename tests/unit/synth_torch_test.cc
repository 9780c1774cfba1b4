// Presets in PyTorch's files: that reading them gives the models that they are, and codes come
// through unchanged.
#include <doctest/doctest.h>

#include <algorithm>

#include "import/formats.h"
#include "import/sniff.h"
#include "pack.h"
#include "quant/rtn.h"
#include "sb3/sb3.h"
#include "support/tiny_model.h"
#include "synth/presets.h"
#include "unpack/unpack.h"

using namespace sb3lm;

namespace {

constexpr const char* kTiny[] = {"tiny-golf592", "tiny-golf585", "tiny-golf-nb", "tiny-shard"};

SilentProgress silent;

SyntheticFiles files_of(const std::string& preset) {
  return make_synthetic({.preset = preset}, silent);
}

std::int64_t weights_of(const ModelSpec& spec) {
  std::int64_t count = 0;
  for (const auto& [key, shape] : expected_tensors(spec)) {
    count += std::int64_t{shape.rows} * shape.cols;
  }
  return count;
}

const CodedTensor& coded(const Model& model, const TensorKey& key) {
  return std::get<CodedTensor>(model.at(key));
}

/// Of a model's tensor, as a file holds them.
std::string level_bytes(const CodedTensor& tensor) {
  std::string bytes;
  for (const std::uint8_t code : tensor.codes) {
    bytes += static_cast<char>(tensor.format.level(code));
  }
  return bytes;
}

/// How many tensors are codes. Each is in the model with the same levels and scales.
int check_codes(const Container& container, const Model& model) {
  int checked = 0;
  for (const StoredTensor& stored : container.tensors) {
    if (stored.row_scales.empty()) continue;
    CAPTURE(stored.name);
    const auto name = std::ranges::find_if(
        model.names, [&](const auto& entry) { return entry.second == stored.name; });
    REQUIRE(name != model.names.end());
    const CodedTensor& tensor = coded(model, name->first);
    CHECK((level_bytes(tensor) == as_text(stored.bytes)));
    CHECK(std::ranges::equal(stored.row_scales,
                             Bytes(reinterpret_cast<const std::uint8_t*>(tensor.row_scale.data()),
                                   2 * tensor.row_scale.size())));
    ++checked;
  }
  return checked;
}

}  // namespace

TEST_CASE("presets of published models have exactly their weights") {
  CHECK(weights_of(synth_model("golf592").spec) == 30'404'196);
  CHECK(weights_of(synth_model("golf585").spec) == 33'580'124);
  CHECK(weights_of(synth_model("shard-40m").spec) == 54'538'752);
  CHECK(weights_of(synth_model("golf-nb").spec) == 7'630'520);
}

TEST_CASE("what is assumed of a preset's file is what the preset is") {
  for (const char* preset : {"golf592", "golf585", "golf-nb", "shard-40m"}) {
    CAPTURE(preset);
    const Model model = tiny_model(preset);
    CHECK(model.spec == synth_model(preset).spec);
    CHECK(model.tensors.size() == expected_tensors(model.spec).size());
  }
  for (const char* preset : kTiny) {
    CAPTURE(preset);
    CHECK(tiny_model(preset).spec == synth_model(preset).spec);
  }
}

TEST_CASE("codes that went in come out") {
  struct Case {
    std::string preset;
    int matrices;
  };
  const Case cases[] = {
      {"tiny-golf592", 3 + 5 * 6}, {"tiny-golf585", 3 + 4 * 6}, {"tiny-golf-nb", 1 + 3 * 6}};
  for (const Case& one : cases) {
    CAPTURE(one.preset);
    const int count = one.matrices;
    const SyntheticFiles files = files_of(one.preset);
    const Container container =
        read_torch({.checkpoint = {files.checkpoint_name, as_bytes(files.checkpoint)}});
    Model model = import_files(files);
    CHECK(check_codes(container, model) == count);
    quantise_matrices(model, 4);  // what is not codes yet
    CHECK(check_codes(container, model) == count);
    const std::string sb3 = pack(model, {.deflate_level = 1}, silent);
    const Unpacked out = unpack("model.sb3", read_sb3("model.sb3", as_bytes(sb3)));
    CHECK(check_codes(container, out.model) == count);
  }
}

TEST_CASE("codes have the widths of their preset, and symmetric levels") {
  const auto check_width = [](const Model& model, const TensorKey& key, int bits) {
    CAPTURE(tensor_key_text(key));
    const CodedTensor& tensor = coded(model, key);
    CHECK(tensor.format == CodeFormat::of_bits(bits));
    const auto [low, high] = std::ranges::minmax(tensor.codes);
    const int most = (1 << (bits - 1)) - 1;
    CHECK(tensor.format.level(low) == -most);
    CHECK(tensor.format.level(high) == most);
  };
  const Model first = tiny_model("tiny-golf592");
  check_width(first, {Role::embedding}, 8);
  check_width(first, {Role::bigram_embedding}, 8);
  check_width(first, {Role::value_embedding}, 8);
  check_width(first, {Role::q, 2}, 6);
  check_width(first, {Role::o, 4}, 6);
  check_width(first, {Role::up, 0}, 5);
  check_width(first, {Role::down, 3}, 5);
  CHECK(std::get<FloatTensor>(first.at({Role::bigram_proj})).type == FloatType::f16);
  const Model second = tiny_model("tiny-golf585");
  check_width(second, {Role::k, 1}, 5);
  check_width(second, {Role::up, 1}, 5);
  CHECK(second.spec.layers[0].attention.exclusive);
  CHECK_FALSE(second.tensors.contains({Role::bigram_proj}));
}

TEST_CASE("files are what PyTorch's programs write") {
  const auto starts = [](const std::string& preset, std::string_view magic) {
    const SyntheticFiles files = files_of(preset);
    CHECK(sniff({"x", as_bytes(files.checkpoint)}).name == "torch");
    return files.checkpoint.starts_with(magic);
  };
  CHECK(starts("tiny-golf592", "\x28\xb5\x2f\xfd"));
  CHECK(starts("tiny-golf-nb", "\x78"));
  CHECK(starts("tiny-shard", "PK\3\4"));
  const SyntheticFiles shard = files_of("tiny-shard");
  const Container container = read_torch({.checkpoint = {"x", as_bytes(shard.checkpoint)}});
  REQUIRE(container.find("blocks.2.attn.qkv.weight") != nullptr);
  CHECK(container.find("blocks.2.attn.qkv.weight")->shape == std::vector<std::int64_t>{144, 48});
  CHECK(container.find("blocks.2.attn.qkv.weight")->type == "BF16");
  CHECK(container.find("rope_cos")->shape == std::vector<std::int64_t>{256, 8});
  CHECK(container.config.has_value());
}

TEST_CASE("fewer layers and tokens of such presets are models too") {
  for (const char* preset : kTiny) {
    for (const int layers : {1, 2}) {
      CAPTURE(preset);
      CAPTURE(layers);
      const Model model = tiny_model(SynthOptions{.preset = preset, .layers = layers});
      CHECK(model.spec.layers.size() == static_cast<std::size_t>(layers));
      CHECK(model.tensors.size() == expected_tensors(model.spec).size());
    }
  }
  const Model model = tiny_model(SynthOptions{.preset = "golf-nb", .layers = 2, .vocabulary = 600});
  CHECK(model.spec.vocabulary == 600);
}
