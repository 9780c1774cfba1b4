// Green flag and `unload` in the block evaluator: after loading, the lists hold exactly what the
// model's tensors ask for, written out here from the tensors themselves.
#include "lower/loader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "base/half.h"
#include "lower/lower.h"
#include "model/fingerprint.h"
#include "runtime_ref/block_eval.h"
#include "sb3/sb3.h"
#include "support/random_model.h"
#include "support/tiny_model.h"
#include "unpack/unpack.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;

// A model with this vocabulary whose embedding has `bits`: a big one decodes in several chunks.
Model model_with_embedding(int vocabulary, int bits) {
  Model model = tiny_model("tiny-moe");
  model.tokenizer = {};
  model.chat = {};
  model.spec.vocabulary = vocabulary;
  Random random(9);
  model.tensors[{Role::embedding}] = random_codes(random, {vocabulary, model.spec.width}, bits);
  return model;
}

struct Loaded {
  explicit Loaded(const Model& model)
      : layout(make_layout(model, 16, "digits")), evaluator(program_of(model)) {}

  static scratch::Program program_of(const Model& model) {
    SilentProgress silent;
    return read_sb3("loader.sb3", as_bytes(write_sb3(lower(model, {.context = 16}), 1, silent)));
  }
  void run(const char* message) {
    if (message == nullptr) {
      evaluator.green_flag();
    } else {
      evaluator.broadcast(message);
    }
    const auto is_done = [&] {
      seen.push_back(evaluator.number("progress"));
      const std::string status = evaluator.text("status");
      return status == "ready" || status == "unloaded" || status.starts_with("error");
    };
    evaluator.set_variable("status", std::string("starting"));
    REQUIRE(evaluator.run_until(is_done, 1000000));
  }

  Layout layout;
  BlockEvaluator evaluator;
  std::vector<double> seen;  // progress after each frame
};

// What `_codes` and `_scales` must hold, by position.
void check_lists(const Model& model, Loaded& loaded) {
  const std::vector<double> codes = loaded.evaluator.list_numbers("_codes");
  const std::vector<double> scales = loaded.evaluator.list_numbers("_scales");
  CHECK(codes.size() == static_cast<std::size_t>(loaded.layout.codes));
  std::size_t codes_used = 0;
  for (const TensorPlace& place : loaded.layout.tensors) {
    CAPTURE(tensor_key_text(place.key));
    const Tensor& tensor = model.at(place.key);
    const auto scales_at = static_cast<std::size_t>(place.scales_at - 1);
    if (const auto* coded = std::get_if<CodedTensor>(&tensor)) {
      const std::vector<double> indices = table_indices(*coded);
      codes_used += indices.size();
      CHECK(std::equal(indices.begin(), indices.end(), codes.begin() + place.codes_at - 1));
      for (std::size_t row = 0; row < coded->row_scale.size(); ++row) {
        const double scale = half_to_double(coded->row_scale[row]);
        CHECK(scales.at(scales_at + row) == (coded->format.bits == 1 ? 2 * scale : scale));
      }
      continue;
    }
    for (int row = 0; row < place.shape.rows; ++row) {
      for (int col = 0; col < place.stride; ++col) {
        const double expected = col < place.shape.cols ? weight_at(tensor, row, col) : 0;
        CHECK(scales.at(scales_at + static_cast<std::size_t>(row * place.stride + col)) ==
              expected);
      }
    }
  }
  CHECK(codes_used == codes.size());
}

bool all_zero(const std::vector<double>& items) {
  return std::all_of(items.begin(), items.end(), [](double item) { return item == 0; });
}

}  // namespace

TEST_CASE("the lists after loading") {
  for (const char* preset : {"tiny-moe", "tiny-moe-odd", "tiny-moe-untied", "tiny-dense"}) {
    CAPTURE(preset);
    const Model model = tiny_model(preset);
    Loaded loaded(model);
    loaded.run(nullptr);
    CHECK(loaded.evaluator.text("status") == "ready");
    CHECK(loaded.evaluator.number("progress") == 100);
    check_lists(model, loaded);
  }
}

TEST_CASE("every width of codes, in several chunks, with progress between") {
  for (int bits = 1; bits <= 8; ++bits) {
    CAPTURE(bits);
    const Model model = model_with_embedding(6000, bits);
    Loaded loaded(model);
    loaded.run(nullptr);
    check_lists(model, loaded);
    CHECK(std::is_sorted(loaded.seen.begin(), loaded.seen.end()));
    CHECK(loaded.seen.back() == 100);
    const auto between = std::count_if(loaded.seen.begin(), loaded.seen.end(), [](double progress) {
      return progress > 0 && progress < 100;
    });
    CHECK(between >= bits * 6000 * 8 / 20001 - 1);
  }
}

TEST_CASE("a second green flag does not decode again") {
  Loaded loaded(tiny_model("tiny-moe"));
  loaded.run(nullptr);
  loaded.evaluator.set_list("_jobs", {});  // decoding would fail
  const std::vector<double> codes = loaded.evaluator.list_numbers("_codes");
  loaded.run(nullptr);
  CHECK(loaded.evaluator.text("status") == "ready");
  CHECK(loaded.evaluator.list_numbers("_codes") == codes);
}

TEST_CASE("unload leaves zeros and what was preloaded; a flag loads again") {
  for (const char* preset : {"tiny-moe", "tiny-dense"}) {
    CAPTURE(preset);
    const Model model = tiny_model(preset);
    Loaded loaded(model);
    const std::vector<double> preloaded = loaded.evaluator.list_numbers("_scales");
    loaded.run(nullptr);
    loaded.evaluator.set_list("prompt tokens", {1.0, 2.0, 3.0});
    loaded.run("generate");
    CHECK(!all_zero(loaded.evaluator.list_numbers("_keys")));
    const bool has_table = std::string(preset) == "tiny-moe";  // of a codebook
    if (has_table) CHECK(!loaded.evaluator.list_numbers("_digits 4").empty());
    loaded.run("unload");
    CHECK(loaded.evaluator.text("status") == "unloaded");
    if (has_table) CHECK(loaded.evaluator.list_numbers("_digits 4").empty());
    for (const char* list : {"_codes", "_keys", "_values"}) {
      CAPTURE(list);
      CHECK(all_zero(loaded.evaluator.list_numbers(list)));
    }
    CHECK(loaded.evaluator.list_numbers("_scales") == preloaded);
    loaded.run(nullptr);
    check_lists(model, loaded);
  }
}

// The embedding's codes are nearly all alike and the other matrices' are not.
TEST_CASE("two codebooks of one width, and loading again") {
  Model model = model_with_embedding(6000, 5);
  Random random(10);
  for (auto& [key, tensor] : model.tensors) {
    auto* coded = std::get_if<CodedTensor>(&tensor);
    if (coded == nullptr) continue;
    if (key.role != Role::embedding) {
      *coded = random_codes(random, coded->shape, 5);
      continue;
    }
    for (std::size_t i = 0; i < coded->codes.size(); ++i) {
      if (i % 50 != 0) coded->codes[i] = 16;
    }
  }
  Loaded loaded(model);
  REQUIRE(loaded.layout.at({Role::embedding}).text_item !=
          loaded.layout.at({Role::q, 0}).text_item);
  loaded.run(nullptr);
  check_lists(model, loaded);
  loaded.run("unload");
  CHECK(loaded.evaluator.list_numbers("_digits 5").empty());
  loaded.run(nullptr);
  check_lists(model, loaded);
  // As if loading had been stopped within the last tensor.
  loaded.evaluator.set_variable("_loaded", 0.0);
  loaded.run(nullptr);
  check_lists(model, loaded);
  CHECK(model_fingerprint(unpack("two", Loaded::program_of(model)).model) ==
        model_fingerprint(model));
}
