// What a report estimates, against what the real thing does: advice by following it, the editor's
// size by zlib, loading by its table.
#include <doctest/doctest.h>
#include <zlib.h>

#include <cmath>

#include "pack.h"
#include "quant/recipe.h"
#include "report/advice.h"
#include "report/report.h"
#include "report/resaved.h"
#include "report/text.h"
#include "sb3/sb3.h"
#include "sb3/zip.h"
#include "support/tiny_model.h"

namespace {

using namespace sb3lm;

// Estimates are from entropies; blocks and codebooks that come or go are not in them.
constexpr double kTrueWithin = 0.25, kOfFile = 0.0005;  // of what is saved, and of the whole file

const Model& sample() {
  static const Model model = [] {
    SilentProgress silent;
    return load_model(SB3LM_SOURCE_DIR "/samples/dictionary-cat/model.safetensors", {}, {}, silent);
  }();
  return model;
}

struct Build {
  Recipe recipe;
  LowerOptions lower;
};

std::string built(const Build& build) {
  SilentProgress silent;
  Model model = sample();
  apply_recipe(model, build.recipe);
  return pack(model, {.lower = build.lower, .deflate_level = 12}, silent);
}

const std::string& project() {
  static const std::string sb3 = built({});
  return sb3;
}

const Report& over_budget() {
  static const Report report = make_report("cat.sb3", as_bytes(project()), 1'200'000);
  return report;
}

const Advice& advice_named(const std::string& what) {
  for (const Advice& advice : over_budget().advice) {
    if (advice.what == what) return advice;
  }
  throw std::runtime_error("no advice: " + what);
}

void check_saving(const std::string& what, const Build& build) {
  CAPTURE(what);
  const Advice& advice = advice_named(what);
  const double saved =
      static_cast<double>(project().size()) - static_cast<double>(built(build).size());
  CAPTURE(saved);
  CAPTURE(advice.bytes);
  const double all = static_cast<double>(project().size());
  CHECK(std::fabs(saved - advice.bytes) < kTrueWithin * saved + kOfFile * all);
}

}  // namespace

TEST_CASE("advice saves about what it says") {
  std::map<TensorKey, int> shared;
  for (int layer = 0; layer < 5; ++layer) {
    for (const Role role : {Role::shared_gate, Role::shared_up, Role::shared_down}) {
      shared[{role, layer}] = 3;
    }
  }
  check_saving("shared expert 4 to 3 bits", {.recipe = {.bits = shared}});
  check_saving("scales and norms rounded to 6 mantissa bits", {.recipe = {.scale_bits = 6}});
  check_saving("routers as 8-bit codes", {.recipe = {.router_bits = 8}});
  check_saving("the densest text", {.lower = {.encoding = "letters"}});
  check_saving("no blocks for players that interpret", {.lower = {.tune = Tune::turbowarp}});
}

TEST_CASE("advice is ranked, and absent where the file fits") {
  const std::vector<Advice>& advice = over_budget().advice;
  REQUIRE(advice.size() > 6);
  for (std::size_t i = 1; i < advice.size(); ++i) CHECK(advice[i - 1].bytes >= advice[i].bytes);
  CHECK_FALSE(advice_named("the densest text").changes_numbers);
  CHECK(advice_named("embedding 3 to 2 bits").changes_numbers);
  const std::string text = advice_text(over_budget());
  CHECK(text.find("the 1,200,000 that it is to fit") != std::string::npos);
  CHECK(text.find("together") != std::string::npos);
  const Report fitting = make_report("cat.sb3", as_bytes(project()));
  CHECK(fitting.advice.empty());
  CHECK(advice_text(fitting).empty());
}

TEST_CASE("the size after an editor is that of zlib at level 6") {
  const std::map<std::string, std::string> files = read_zip("cat.sb3", as_bytes(project()));
  std::size_t expected = 22;
  for (const auto& [name, bytes] : files) {
    std::vector<unsigned char> out(compressBound(bytes.size()));
    uLongf size = out.size();
    REQUIRE(compress2(out.data(), &size, reinterpret_cast<const unsigned char*>(bytes.data()),
                      bytes.size(), 6) == Z_OK);
    expected += 30 + 46 + 2 * name.size() + size - 6;  // without zlib's own header and checksum
  }
  CHECK(resaved_bytes(files) == expected);
  CHECK(over_budget().resaved_bytes == expected);
  CHECK(resaved_bytes({}) == 22);
  CHECK(resaved_bytes({{"empty", ""}}) == 22 + 76 + 10 + 2);
}

TEST_CASE("loading takes longer in Scratch, and nothing is guessed") {
  REQUIRE(over_budget().load);
  CHECK(over_budget().load->turbowarp > 0.1);
  CHECK(over_budget().load->scratch > over_budget().load->turbowarp);
  Unpacked unpacked = unpack("cat.sb3", read_sb3("cat.sb3", as_bytes(project())));
  const LoadEstimate once = *estimate_load(unpacked);
  const std::vector<UnpackedTensor> tensors = unpacked.tensors;
  unpacked.tensors.insert(unpacked.tensors.end(), tensors.begin(), tensors.end());
  const LoadEstimate twice = *estimate_load(unpacked);
  unpacked.tensors.clear();
  const LoadEstimate start = *estimate_load(unpacked);
  CHECK(twice.scratch - once.scratch == doctest::Approx(once.scratch - start.scratch));
  CHECK(once.turbowarp > start.turbowarp);
  unpacked.tensors = tensors;
  unpacked.tensors.front().encoding = "unheard of";
  CHECK_FALSE(estimate_load(unpacked));
  unpacked.tensors = tensors;
  unpacked.kernel = Kernel::naive;
  CHECK_FALSE(estimate_load(unpacked));
}

TEST_CASE("the costs of what build writes are known at every width") {
  for (const char* name : {"hex", "digits", "letters"}) {
    for (int bits = 1; bits <= 8; ++bits) {
      Unpacked unpacked{.kernel = Kernel::tables};
      unpacked.tensors.push_back({.shape = {8, 8}, .bits = bits, .encoding = name});
      CAPTURE(name);
      CAPTURE(bits);
      CHECK(estimate_load(unpacked));
    }
  }
}
