// Models drawn at random over everything that a description can say, through every way that a model
// can go: both engines, the blocks, the file and back, the virtual machines.
#include <doctest/doctest.h>

#include <cstdlib>
#include <optional>

#include "base/error.h"
#include "pack.h"
#include "runtime_ref/fast_engine.h"
#include "sb3/sb3.h"
#include "support/built_models.h"
#include "support/check_blocks.h"
#include "support/drawn_coverage.h"
#include "support/drawn_model.h"
#include "support/fast_error.h"
#include "support/vm_models.h"
#include "unpack/unpack.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;

constexpr std::uint64_t kFewestModels = 60, kMostModels = 140;
// So many models have each thing, for in one model it may be without effect: the router of a dense
// layer, a window that is longer than the text.
constexpr int kEnough = 4;
// Of the virtual machines, which take seconds for each.
constexpr std::uint64_t kMachineModels = 3, kMachineEvery = 8;

// SB3LM_DRAWN_SEED, to look at one model only.
std::optional<std::uint64_t> only_seed() {
  const char* text = std::getenv("SB3LM_DRAWN_SEED");
  if (text == nullptr) return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

std::string pack_drawn(const DrawnModel& drawn) {
  SilentProgress silent;
  return pack(drawn.model, drawn.request, silent);
}

// False where the fast engine refuses the model.
bool check_fast(const Model& model, const std::vector<int>& tokens) {
  const PackedModel packed = pack_weights(model);
  for (const fast::Kernels* kernels : fast::all_kernels()) {
    try {
      FastEngine engine(packed, {.kernels = kernels});
      const double error = worst_error(model, all_logits(engine, tokens), tokens);
      INFO(std::string(kernels->name) << ": " << error);
      CHECK(error < kFastTolerance);
    } catch (const Error& error) {
      INFO(error.what());
      CHECK(error.fault == Fault::unsupported);
      return false;
    }
  }
  return true;
}

bool same(const Tensor& a, const Tensor& b) {
  if (a.index() != b.index() || shape_of(a) != shape_of(b)) return false;
  if (const auto* coded = std::get_if<CodedTensor>(&a)) {
    const auto& other = std::get<CodedTensor>(b);
    return coded->format == other.format && coded->codes == other.codes &&
           coded->row_scale == other.row_scale;
  }
  const auto &floats = std::get<FloatTensor>(a), &others = std::get<FloatTensor>(b);
  return floats.type == others.type && floats.values == others.values;
}

void check_unpacked(const Model& model, const scratch::Program& program) {
  const Model other = unpack("drawn", program).model;
  CHECK(field_texts(other.spec) == field_texts(model.spec));
  REQUIRE(other.tensors.size() == model.tensors.size());
  for (const auto& [key, tensor] : model.tensors) {
    const std::string name = tensor_key_text(key);
    CAPTURE(name);
    CHECK(same(other.at(key), tensor));
  }
}

}  // namespace

TEST_CASE("drawn models in both engines, in blocks, and back out of the file") {
  const std::optional<std::uint64_t> only = only_seed();
  Coverage all, fast;
  for (std::uint64_t seed = only.value_or(1); seed <= only.value_or(kMostModels); ++seed) {
    if (seed > kFewestModels && all.gaps(kEnough).empty()) break;
    const DrawnModel drawn = draw_model(seed);
    INFO(about_drawn(drawn));
    const std::string sb3 = pack_drawn(drawn);
    const scratch::Program program = read_sb3("drawn", as_bytes(sb3));
    check_unpacked(drawn.model, program);
    const std::vector<int> tokens = check_blocks(drawn.model, program);
    CHECK(tokens.size() >= 12);
    if (check_fast(drawn.model, tokens)) fast.add(drawn);
    all.add(drawn);
  }
  if (only) return;
  MESSAGE("models that had each thing:\n", all.text());
  CHECK(all.gaps(kEnough) == "");
  const std::string refused = fast.gaps(1);
  if (!refused.empty()) MESSAGE("refused by the fast engine:\n", refused);
}

TEST_CASE("some drawn models in virtual machines") {
  if (only_seed()) return;
  std::vector<VmCase> cases;
  for (std::uint64_t i = 1; i <= kMachineModels; ++i) {
    const DrawnModel drawn = draw_model(i * kMachineEvery);
    cases.push_back(case_of({.name = about_drawn(drawn),
                             .sb3 = pack_drawn(drawn),
                             .runs = {comparison_request(drawn.model)}}));
  }
  check_in_machine(SB3LM_SOURCE_DIR, "scratch", "", cases);
  check_in_machine(SB3LM_SOURCE_DIR, "turbowarp", "", cases);
}
