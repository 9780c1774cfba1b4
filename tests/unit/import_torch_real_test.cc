// Files that PyTorch has written: three models, and quantised artifacts of the same weights. What
// they must give was read by PyTorch itself.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "import/formats.h"
#include "import/json.h"
#include "import/packed.h"
#include "import/sniff.h"
#include "support/skip.h"

using namespace sb3lm;

namespace {

/// A checkpoint of the folder, read; empty and skipped without it.
struct RealFile {
  explicit RealFile(const std::string& name) {
    const char* folder = std::getenv("SB3LM_TEST_DATA");
    const std::filesystem::path path =
        std::filesystem::path(folder == nullptr ? "" : folder) / "parameter-golf" / name;
    if (folder == nullptr || !std::filesystem::exists(path)) {
      test::skip_case("SB3LM_TEST_DATA does not name a folder with parameter-golf");
      return;
    }
    file.emplace(path);
    CHECK(sniff({"model", file->bytes()}).name == "torch");
    container = read_torch({.checkpoint = {name, file->bytes()}});
    groups = group_packed(container);
  }

  explicit operator bool() const { return file.has_value(); }
  Tensor tensor(std::string_view name) const {
    const auto found = std::ranges::find(groups, name, &PackedGroup::stem);
    REQUIRE(found != groups.end());
    return found->form == PackedForm::codes ? unpack_codes(*found, 0) : unpack_plain(*found, 0);
  }

  std::optional<MappedFile> file;
  Container container;
  std::vector<PackedGroup> groups;
};

/// Every tensor of a model is in the artifact, rounded to binary16 where it was wider.
void check_same(const RealFile& model, const RealFile& artifact) {
  REQUIRE(model.groups.size() == artifact.groups.size());
  for (const PackedGroup& group : model.groups) {
    CAPTURE(group.stem);
    const Tensor one = model.tensor(group.stem), other = artifact.tensor(group.stem);
    REQUIRE(shape_of(one) == shape_of(other));
    double worst = 0;
    for (int row = 0; row < shape_of(one).rows; ++row) {
      for (int col = 0; col < shape_of(one).cols; ++col) {
        const double want = weight_at(one, row, col), is = weight_at(other, row, col);
        // Half a unit in the last of 11 bits, or of the smallest step.
        const double bound = std::max(std::fabs(want) * 0x1p-11, 0x1p-25);
        worst = std::max(worst, std::fabs(is - want) / bound);
      }
    }
    CHECK(worst <= 1);
  }
}

}  // namespace

TEST_CASE("real files: the artifact has the model's weights") {
  const RealFile tiny("tiny.pt"), tiny_artifact("tiny.int8.ptz");
  const RealFile shared("shared_depth.pt"), shared_artifact("shared_depth.int8.ptz");
  if (!tiny || !tiny_artifact || !shared || !shared_artifact) return;
  CHECK(tiny.groups.size() == 22);
  CHECK(tiny.container.find("tok_emb.weight")->type == "BF16");
  CHECK(tiny.container.find("blocks.1.mlp.fc.weight")->type == "F32");
  check_same(tiny, tiny_artifact);
  CHECK(shared.groups.size() == 37);
  check_same(shared, shared_artifact);
}

TEST_CASE("real files: codes and scales of a trained model") {
  const RealFile model("nb7x384.int8.ptz");
  if (!model) return;
  CHECK(model.groups.size() == 43 + 29);
  struct Expected {
    std::string_view name;
    Shape shape;
    int bits;
    std::vector<int> levels;
    long sum;
  };
  const Expected cases[] = {
      {"tok_emb.weight", {1024, 384}, 8, {23, -37, -38, 12, 33, 3}, -6527},
      {"blocks.0.attn.c_q.weight", {384, 384}, 5, {-3, -3, 4, -1, 2, 2}, -1420},
      {"blocks.0.attn.c_k.weight", {192, 384}, 6, {0, 4, 2, 1, 2, -1}, -1206},
      {"blocks.0.mlp.fc.weight", {768, 384}, 6, {-6, 1, 4, -6, -4, -1}, -3282},
      {"blocks.0.mlp.proj.weight", {384, 768}, 6, {-2, -2, 0, 0, 0, 1}, -1737},
      {"blocks.1.attn.c_q.weight", {384, 384}, 5, {5, -4, 0, 4, -4, 3}, 2933},
  };
  for (const Expected& want : cases) {
    CAPTURE(want.name);
    const auto coded = std::get<CodedTensor>(model.tensor(want.name));
    CHECK(coded.shape == want.shape);
    CHECK(coded.format == CodeFormat::of_bits(want.bits));
    long sum = 0;
    for (const std::uint8_t code : coded.codes) sum += coded.format.level(code);
    CHECK(sum == want.sum);
    for (std::size_t i = 0; i < want.levels.size(); ++i) {
      CHECK(coded.format.level(coded.codes[i]) == want.levels[i]);
    }
  }
  const auto embedding = std::get<CodedTensor>(model.tensor("tok_emb.weight"));
  CHECK(weight_at(embedding, 0, 0) == 23 * 0.00787353515625);
  CHECK(weight_at(embedding, 1, 0) / 0.0253448486328125 ==
        embedding.format.level(embedding.codes[384]));
  CHECK(weight_at(model.tensor("skip_weights"), 0, 2) == -0.9942351579666138);
}

TEST_CASE("real files: a configuration beside the weights") {
  const RealFile model("baseline2x128.pt");
  if (!model) return;
  CHECK(model.groups.size() == 13);
  REQUIRE(model.container.config);
  CHECK(parse_json("config", *model.container.config).dump() ==
        R"({"mlp_mult":4,"model_dim":128,"num_heads":4,"num_layers":2,"rope_base":10000.0,)"
        R"("vocab_size":1024})");
}
