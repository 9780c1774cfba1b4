#include "encoding_choice.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "model/fingerprint.h"
#include "pack.h"
#include "sb3/sb3.h"
#include "support/tiny_model.h"
#include "unpack/unpack.h"

using namespace sb3lm;

namespace {

SilentProgress silent;

PackRequest request(const EncodingPlan& plan) {
  return {.lower = {.encoding = plan}, .deflate_level = 6};
}

std::set<std::string> encodings_of(const std::string& sb3) {
  std::set<std::string> names;
  for (const UnpackedTensor& tensor : unpack("model", read_sb3("model", as_bytes(sb3))).tensors) {
    if (!tensor.encoding.empty()) names.insert(tensor.encoding);
  }
  return names;
}

}  // namespace

TEST_CASE("the chosen encodings take no more bytes than one for all, and hold the same codes") {
  for (const char* preset : {"tiny-moe", "tiny-moe-embed4", "tiny-moe-odd"}) {
    const Model model = tiny_model(preset);
    for (const char* usual : {"digits", "letters"}) {
      CAPTURE(preset);
      CAPTURE(usual);
      PackRequest chosen = request(usual);
      chosen.best_encodings = true;
      const std::string best = pack(model, chosen, silent);
      CHECK(best.size() <= pack(model, request(usual), silent).size());
      CHECK(best.size() <= pack(model, request("hex"), silent).size());
      const Model back = unpack("model", read_sb3("model", as_bytes(best))).model;
      CHECK(model_fingerprint(back) == model_fingerprint(model));
    }
  }
}

TEST_CASE("long texts are told apart by their own size, without a project") {
  Model model = tiny_model("tiny-moe");
  for (auto& [key, tensor] : model.tensors) {
    auto* coded = std::get_if<CodedTensor>(&tensor);
    if (coded == nullptr || coded->format.bits != 3) continue;
    // Skewed codes, many of them: a digit for each takes three times their entropy.
    coded->shape.rows *= 40;
    coded->codes.assign(static_cast<std::size_t>(coded->shape.rows) * coded->shape.cols, 3);
    for (std::size_t i = 0; i < coded->codes.size(); i += 7) coded->codes[i] = 4;
  }
  std::set<int> tried;
  const EncodingPlan plan = choose_encodings(model, "digits", [&](const EncodingPlan& other) {
    for (const auto& [bits, name] : other.by_bits) tried.insert(bits);
    return std::size_t{1000};
  });
  CHECK(!tried.contains(3));
  CHECK(plan.of(3) == "digits");
}

TEST_CASE("where texts differ little the whole project decides, width by width") {
  const Model model = tiny_model("tiny-moe");
  const EncodingPlan plan = choose_encodings(model, "digits", [](const EncodingPlan& other) {
    return other.of(3) == "hex" ? std::size_t{900} : std::size_t{1000};
  });
  CHECK(plan.of(3) == "hex");
  CHECK(plan.of(4) == "digits");
  const std::string sb3 = pack(model, request(plan), silent);
  CHECK(encodings_of(sb3) == std::set<std::string>{"digits", "hex"});
}
