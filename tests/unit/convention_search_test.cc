// The search over conventions: on made-up scores, and on models whose right reading is known,
// judged by text that they wrote themselves.
#include "import/convention_search.h"

#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "base/error.h"
#include "import/settings.h"
#include "model/fingerprint.h"
#include "runtime_ref/engine.h"
#include "runtime_ref/evaluate.h"
#include "runtime_ref/generate.h"
#include "support/repack.h"
#include "support/tiny_model.h"

using namespace sb3lm;
using namespace sb3lm::test;

namespace {

constexpr int kTokens = 240;

/// 20 tokens around `mean`.
std::vector<double> noisy(double mean) {
  std::vector<double> nats;
  for (int i = 0; i < 20; ++i) nats.push_back(mean + std::sin(i) * 0.1);
  return nats;
}

/// Scores by how many of the values differ from the right ones.
class MadeUp {
 public:
  explicit MadeUp(ConventionMap right) : right_(std::move(right)) {}
  TokenNats operator()(const ConventionMap& reading) const {
    int wrong = 0;
    for (const auto& [name, value] : right_) wrong += reading.at(name) != value ? 1 : 0;
    return noisy(3 + 2 * wrong + 0.001 * static_cast<double>(reading.at("rope").size()));
  }

 private:
  ConventionMap right_;
};

ConventionSearch search(const SearchRequest& request, const ScoreReading& score) {
  SilentProgress silent;
  return search_conventions(request, score, silent);
}

const ConventionFinding& finding(const ConventionSearch& result, const std::string& name) {
  for (const ConventionFinding& found : result.findings) {
    if (found.name == name) return found;
  }
  throw Error(Fault::bug, "no finding for " + name);
}

/// A text that the model itself wrote at temperature 1, so that its right reading predicts it best.
std::vector<int> own_text(const Model& model, int count = kTokens) {
  Engine engine(model);
  GenerateOptions options;
  options.sampling.temperature = 1;
  options.sampling.top_p = 1;
  options.max_new_tokens = count;
  std::vector<int> tokens = {1};
  const Generated made = generate(engine, tokens, options);
  tokens.insert(tokens.end(), made.tokens.begin(), made.tokens.end());
  REQUIRE(static_cast<int>(tokens.size()) == count + 1);
  return tokens;
}

/// Reads a synthetic checkpoint as asked and scores it on a text.
class FileScorer {
 public:
  FileScorer(const SyntheticFiles& files, std::vector<int> tokens)
      : files_(files), tokens_(std::move(tokens)) {}
  TokenNats operator()(const ConventionMap& reading) {
    try {
      const Model model = import_files(files_, reading);
      SilentProgress silent;
      const int context = static_cast<int>(tokens_.size()) - 1;
      return token_nats(model, tokens_, {.context = context, .stride = context}, 1, silent);
    } catch (const Error& error) {
      REQUIRE(error.fault == Fault::bad_input);
      return std::nullopt;
    }
  }

 private:
  const SyntheticFiles& files_;
  std::vector<int> tokens_;
};

/// Longer texts than the tiny models' own context.
const ConventionMap kLongContext = {{"context", "256"}};

/// The reading of a model in full.
ConventionMap reading_of(const Model& model) {
  ConventionMap reading = model.conventions;
  for (const std::string& name : searchable_settings()) {
    if (is_fact(name)) reading[name] = fact_text(model.spec, name);
  }
  return reading;
}

SyntheticFiles synthetic(const std::string& preset) {
  SilentProgress silent;
  return make_synthetic({.preset = preset}, silent);
}

/// Findings that are neither right nor undecided.
std::string mistakes(const ConventionSearch& result, const ConventionMap& right) {
  std::string text;
  for (const ConventionFinding& found : result.findings) {
    if (found.chosen == right.at(found.name)) continue;
    // How a random model weights its experts hardly matters to what it predicts.
    if (found.name == "router-norm" && found.confidence == Confidence::open) continue;
    text += fmt::format("{}={} ({}) ", found.name, found.chosen, confidence_text(found.confidence));
  }
  return text;
}

std::string text_of(const ConventionMap& reading) {
  std::string text;
  for (const std::string& name : searchable_settings()) {
    text += fmt::format("{}={} ", name, reading.at(name));
  }
  return text;
}

std::string other_value(const std::string& name, const std::string& value) {
  for (const auto& [one, two] : {std::pair{"msb", "lsb"},
                                 {"low", "high"},
                                 {"offset8", "twos"},
                                 {"offset4", "twos"},
                                 {"half-split", "interleaved"},
                                 {"chosen", "all"},
                                 {"gate", "up"},
                                 {"none", "plain"},
                                 {"plus", "minus"}}) {
    if (value == one) return two;
    if (value == two && std::string(one) != "offset4") return one;
  }
  throw Error(Fault::bug, "no other value of " + name);
}

ConventionMap all_wrong(const ConventionMap& right) {
  ConventionMap wrong = right;
  for (const std::string& name : searchable_settings()) {
    if (name == "activation") continue;  // it has more than two values
    wrong[name] = other_value(name, right.at(name));
  }
  return wrong;
}

}  // namespace

TEST_CASE("wrong values are mended one by one") {
  const ConventionMap right = {
      {"bit-order", "lsb"}, {"sign", "plus"}, {"swiglu", "up"}, {"rope", "none"}};
  MadeUp score(right);
  const ConventionMap start = {{"bit-order", "msb"},
                               {"sign", "minus"},
                               {"swiglu", "gate"},
                               {"rope", "half-split"},
                               {"context", "64"}};
  const ConventionSearch result =
      search({.start = start, .names = {"bit-order", "sign", "swiglu", "rope"}, .lost_nats = 100},
             std::ref(score));
  for (const auto& [name, value] : right) CHECK(result.chosen.at(name) == value);
  CHECK(result.chosen.at("context") == "64");
  CHECK(result.nats == doctest::Approx(3).epsilon(0.01));
  const ConventionFinding& rope = finding(result, "rope");
  CHECK(rope.start == "half-split");
  CHECK(rope.chosen == "none");
  CHECK(rope.confidence == Confidence::sure);
  REQUIRE(rope.others.size() == 2);
  CHECK(rope.others[0].nats == doctest::Approx(5).epsilon(0.01));
}

TEST_CASE("what makes no clear difference stays as it was, and is called so") {
  const auto score = [](const ConventionMap& reading) -> TokenNats {
    std::vector<double> nats = noisy(4);
    if (reading.at("sign") == "minus") nats[0] -= 0.5;  // one token only
    if (reading.at("nibble-code") == "offset4") return std::nullopt;
    if (reading.at("nibble-code") == "twos") return noisy(6);
    return nats;
  };
  const ConventionSearch result =
      search({.start = {{"bit-order", "msb"}, {"sign", "plus"}, {"nibble-code", "offset8"}},
              .names = {"bit-order", "sign", "nibble-code"},
              .lost_nats = 100},
             score);
  CHECK(finding(result, "bit-order").confidence == Confidence::no_effect);
  CHECK(finding(result, "bit-order").others[0].same);
  CHECK(finding(result, "sign").chosen == "plus");
  CHECK(finding(result, "sign").confidence == Confidence::open);
  CHECK(finding(result, "sign").others[0].worse_sigmas == doctest::Approx(-1));
  const ConventionFinding& code = finding(result, "nibble-code");
  CHECK(code.confidence == Confidence::sure);
  REQUIRE(code.others.size() == 2);
  CHECK_FALSE(code.others[1].readable);
}

TEST_CASE("two packing mistakes that hide each other are found in pairs, where all seems lost") {
  const auto score = [](const ConventionMap& reading) -> TokenNats {
    const bool right = reading.at("bit-order") == "lsb" && reading.at("nibble-order") == "high";
    return noisy(right ? 3 : 8);
  };
  SearchRequest request{.start = {{"bit-order", "msb"}, {"nibble-order", "low"}},
                        .names = {"bit-order", "nibble-order"},
                        .lost_nats = 7};
  CHECK(search(request, score).nats == doctest::Approx(3).epsilon(0.01));
  request.lost_nats = 9;
  CHECK(search(request, score).nats == doctest::Approx(8).epsilon(0.01));
}

TEST_CASE("mistakes about the same bytes are found in pairs in any case") {
  const auto score = [](const ConventionMap& reading) -> TokenNats {
    const bool right = reading.at("rope") == "interleaved" && reading.at("rope-sign") == "minus";
    return noisy(right ? 3 : 8);
  };
  const ConventionSearch result = search({.start = {{"rope", "half-split"}, {"rope-sign", "plus"}},
                                          .names = {"rope", "rope-sign"},
                                          .lost_nats = 100},
                                         score);
  CHECK(result.nats == doctest::Approx(3).epsilon(0.01));
}

TEST_CASE("the flip that helps most comes first, so that one that makes up for it does not") {
  // Read with the wrong sign, the wrong order of bits does less harm than the right one.
  const auto score = [](const ConventionMap& reading) -> TokenNats {
    const bool order = reading.at("bit-order") == "msb";
    const bool sign = reading.at("sign") == "plus";
    const bool code = reading.at("nibble-code") == "offset8";
    return noisy((order && sign ? 3 : order ? 7 : 5) + (code ? 0 : 1));
  };
  const ConventionSearch result =
      search({.start = {{"bit-order", "msb"}, {"nibble-code", "twos"}, {"sign", "minus"}},
              .names = {"bit-order", "nibble-code", "sign"},
              .lost_nats = 100},
             score);
  CHECK(result.nats == doctest::Approx(3).epsilon(0.01));
}

TEST_CASE("a start that cannot be read is refused") {
  const auto score = [](const ConventionMap&) { return TokenNats(); };
  CHECK_THROWS_WITH_AS(
      search({.start = {{"sign", "plus"}}, .names = {"sign"}, .lost_nats = 0}, score),
      doctest::Contains("cannot be read with the conventions given"), Error);
}

TEST_CASE("every choice is searched, no count and no number") {
  CHECK(searchable_settings() == std::vector<std::string>{"bit-order", "sign", "nibble-order",
                                                          "nibble-code", "embedding-code", "swiglu",
                                                          "rope", "rope-sign", "head-norm",
                                                          "router-norm", "activation"});
}

TEST_CASE("a repacked file read the other way is the same model, and another one read as before") {
  const SyntheticFiles files = synthetic("tiny-moe");
  const Model model = import_files(files);
  for (const std::string name : {"bit-order", "sign", "nibble-order", "nibble-code",
                                 "embedding-code", "swiglu", "rope", "rope-sign"}) {
    CAPTURE(name);
    SyntheticFiles changed = files;
    changed.checkpoint = repacked(files.checkpoint, name, 16);
    ConventionMap reading = reading_of(model);
    CHECK(model_fingerprint(import_files(changed, reading)) != model_fingerprint(model));
    reading[name] = other_value(name, reading.at(name));
    const Model again = import_files(changed, reading);
    // Rotations are the same only in effect: rows of q and k have moved.
    if (name.starts_with("rope")) {
      const std::vector<int> tokens = {1, 30, 400, 7, 7, 250};
      SilentProgress silent;
      const WindowRule rule{.context = 8, .stride = 8};
      const auto expected = token_nats(model, tokens, rule, 1, silent);
      const auto got = token_nats(again, tokens, rule, 1, silent);
      for (std::size_t i = 0; i < got.size(); ++i) {
        CHECK(got[i] == doctest::Approx(expected[i]).epsilon(1e-9));
      }
    } else {
      CHECK(model_fingerprint(again) == model_fingerprint(model));
    }
  }
}

TEST_CASE("each flipped convention of a file is found, by the model's own text") {
  const SyntheticFiles files = synthetic("tiny-moe");
  const Model model = import_files(files, kLongContext);
  const std::vector<int> tokens = own_text(model);
  for (const std::string name : {"bit-order", "sign", "nibble-order", "nibble-code",
                                 "embedding-code", "swiglu", "rope", "rope-sign"}) {
    CAPTURE(name);
    SyntheticFiles changed = files;
    changed.checkpoint = repacked(files.checkpoint, name, 16);
    ConventionMap right = reading_of(model);
    right[name] = other_value(name, right.at(name));
    const ConventionSearch result = search({.start = reading_of(model),
                                            .names = searchable_settings(),
                                            .lost_nats = 0.75 * std::log(512)},
                                           FileScorer(changed, tokens));
    CHECK(text_of(result.chosen) == text_of(right));
    CHECK(finding(result, name).confidence >= Confidence::likely);
  }
}

TEST_CASE("forward conventions are found from flipped values, by the model's own text") {
  const SyntheticFiles files = synthetic("tiny-moe");
  const Model model = import_files(files, kLongContext);
  const std::vector<int> tokens = own_text(model);
  for (const std::string name : {"rope", "rope-sign", "router-norm", "swiglu"}) {
    CAPTURE(name);
    ConventionMap start = reading_of(model);
    start[name] = other_value(name, start.at(name));
    const ConventionSearch result =
        search({.start = start, .names = searchable_settings(), .lost_nats = 0.75 * std::log(512)},
               FileScorer(files, tokens));
    CHECK(mistakes(result, reading_of(model)) == "");
  }
}

TEST_CASE("everything wrong at once is mended too") {
  const SyntheticFiles files = synthetic("tiny-moe");
  const Model model = import_files(files, kLongContext);
  const ConventionSearch result = search({.start = all_wrong(reading_of(model)),
                                          .names = searchable_settings(),
                                          .lost_nats = 0.75 * std::log(512)},
                                         FileScorer(files, own_text(model)));
  CHECK(mistakes(result, reading_of(model)) == "");
}

TEST_CASE("what the shapes of a golf artifact leave open can be tried, each value another model") {
  const SyntheticFiles files = synthetic("tiny-golf592");
  const Model model = import_files(files);
  CHECK(model.open == std::vector<std::string>{"rope", "rope-sign", "activation", "exclusive",
                                               "norm-factor", "rope-dims", "rope-base"});
  for (const auto& [name, values] : model.choices) {
    CAPTURE(name);
    CHECK(values.front() == model.conventions.at(name));
    std::set<std::uint64_t> models;
    for (const std::string& value : values) {
      models.insert(model_fingerprint(import_files(files, {{name, value}})));
    }
    CHECK(models.size() == values.size());
    CHECK(models.contains(model_fingerprint(model)));
  }
}

TEST_CASE("which layers are exclusive, and how norms fade, is found by the model's own text") {
  const SyntheticFiles files = synthetic("tiny-golf592");
  const Model model = import_files(files);
  const std::vector<int> tokens = own_text(model, 1500);
  for (const auto& [name, wrong] : {std::pair{"exclusive", "false"}, {"norm-factor", "1"}}) {
    CAPTURE(name);
    ConventionMap start = model.conventions;
    start[name] = wrong;
    const ConventionSearch result =
        search({.start = start, .names = {name}, .choices = model.choices, .lost_nats = 100},
               FileScorer(files, tokens));
    CHECK(mistakes(result, model.conventions) == "");
  }
}
