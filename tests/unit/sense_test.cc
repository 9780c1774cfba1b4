// What is said about the sense of a model: the bundled one makes some, one without training none.
#include "runtime_ref/sense.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/file.h"
#include "import/import.h"
#include "samples/samples.h"
#include "support/tiny_model.h"

using namespace sb3lm;

namespace {

SilentProgress silent;

std::string english() {
  return std::string(sample_file("english.txt"));
}

PackedModel cat() {
  return pack_weights(
      import_model(SB3LM_SOURCE_DIR "/samples/dictionary-cat/model.safetensors", {}, silent));
}

}  // namespace

TEST_CASE("the bundled model makes sense, and says so in answers") {
  const PackedModel model = cat();
  const auto sense = sense_of(model, english(), std::nullopt, silent);
  REQUIRE(sense);
  CHECK(sense->tokens == 399);
  CHECK(std::log(sense->perplexity) == doctest::Approx(*nats_of_text(model, english(), silent)));
  REQUIRE(sense->continuations.size() == 3);
  CHECK(sense->continuations[1].prompt == "What is a cat?");
  CHECK(sense->continuations[1].text.find(' ') != std::string::npos);
  CHECK_FALSE(sense->perplexity_before);
}

TEST_CASE("advice where the numbers look wrong") {
  const PackedModel model = cat();
  const std::string easy = "What is a cat? A cat is an animal. What is a dog? A dog is an animal.";
  const double nats = *nats_of_text(model, easy, silent);
  const double chance = std::log(model.about.spec.vocabulary);
  REQUIRE(nats < chance - 2);
  const auto advice = [&](std::optional<double> before) {
    return sense_of(model, easy, before, silent)->advice;
  };
  CHECK(advice(std::nullopt) == "");
  CHECK(advice(nats - 0.05) == "");
  CHECK(advice(nats - 0.5).starts_with("rounding costs 0.50 nats a token"));
  CHECK(advice(chance).find("sb3lm probe") != std::string::npos);
  const PackedModel untrained = pack_weights(tiny_model("tiny-relu2"));
  CHECK(sense_of(untrained, english(), std::nullopt, silent)->advice.find("sb3lm probe") !=
        std::string::npos);
}

TEST_CASE("nothing is said without a tokenizer, or of a text that is none") {
  PackedModel model = pack_weights(tiny_model("tiny-relu2"));
  CHECK_FALSE(nats_of_text(model, "", silent));
  model.about.tokenizer = {};
  CHECK_FALSE(sense_of(model, english(), std::nullopt, silent));
}
