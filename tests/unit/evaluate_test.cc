// Which token each window scores, and what the scores are.
#include "runtime_ref/evaluate.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "runtime_ref/engine.h"
#include "support/tiny_model.h"

using namespace sb3lm;

namespace {

using Windows = std::vector<EvaluationWindow>;

std::string refusal(std::size_t tokens, const WindowRule& rule) {
  try {
    evaluation_windows(tokens, rule);
  } catch (const Error& error) {
    CHECK(error.fault == Fault::usage);
    return error.what();
  }
  return "";
}

/// Tokens from all over the vocabulary.
std::vector<int> some_tokens(const Model& model, int count) {
  std::vector<int> tokens;
  for (int i = 0; i < count; ++i) tokens.push_back((7 + 31 * i + i * i) % model.spec.vocabulary);
  return tokens;
}

std::vector<double> evaluate(const Model& model, const std::vector<int>& tokens,
                             const WindowRule& rule, int threads = 1) {
  SilentProgress silent;
  return token_nats(model, tokens, rule, threads, silent);
}

/// The definition, a token at a time: -log softmax after tokens [first, at), in a new engine.
double nats_after(const Model& model, const std::vector<int>& tokens, std::size_t first,
                  std::size_t at) {
  Engine engine(model);
  for (std::size_t i = first; i + 1 < at; ++i) engine.step(tokens[i]);
  const auto logits = engine.step(tokens[at - 1]);
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit);
  return std::log(sum) - logits[static_cast<std::size_t>(tokens[at])];
}

/// One-hot embeddings, a layer that adds nothing, and a head that shifts by one.
Model counting_model() {
  constexpr int kSize = 4;
  const auto matrix = [](int rows, int cols, std::vector<float> values = {}) -> Tensor {
    values.resize(static_cast<std::size_t>(rows * cols));
    return FloatTensor{{rows, cols}, FloatType::f32, std::move(values)};
  };
  Model model;
  model.spec = {.width = kSize,
                .vocabulary = kSize,
                .context = 8,
                .norm_eps = 0,
                .tied_head = false,
                .layers = {},
                .passes = {0}};
  model.spec.layers.push_back(
      {.id = 0,
       .attention = {.query_heads = 1, .kv_heads = 1, .head_size = 1, .rope = {}},
       .feed_forward = {.hidden = 1}});
  const std::vector<float> ones(kSize, 1.0F);
  model.tensors[{Role::embedding}] = matrix(4, 4, {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1});
  model.tensors[{Role::head}] = matrix(4, 4, {0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0});
  for (const TensorKey& key :
       {TensorKey{Role::final_norm}, TensorKey{Role::attention_norm, 0}, {Role::ffn_norm, 0}}) {
    model.tensors[key] = matrix(1, kSize, ones);
  }
  for (const Role role : {Role::q, Role::k, Role::v, Role::gate, Role::up}) {
    model.tensors[{role, 0}] = matrix(1, kSize);
  }
  for (const Role role : {Role::o, Role::down}) model.tensors[{role, 0}] = matrix(kSize, 1);
  return model;
}

}  // namespace

TEST_CASE("a text within the context is one window that scores all but the first token") {
  CHECK(evaluation_windows(5, {.context = 8, .stride = 4}) == Windows{{0, 4, 4}});
  CHECK(evaluation_windows(9, {.context = 8, .stride = 1}) == Windows{{0, 8, 8}});
  CHECK(evaluation_windows(2, {.context = 1, .stride = 1}) == Windows{{0, 1, 1}});
}

TEST_CASE("later windows score what no earlier one has, up to the end of the text") {
  // 11 tokens have 10 predictions.
  CHECK(evaluation_windows(11, {.context = 4, .stride = 2}) ==
        Windows{{0, 4, 4}, {2, 4, 2}, {4, 4, 2}, {6, 4, 2}});
  CHECK(evaluation_windows(12, {.context = 4, .stride = 3}) ==
        Windows{{0, 4, 4}, {3, 4, 3}, {6, 4, 3}, {9, 2, 1}});
  CHECK(evaluation_windows(11, {.context = 4, .stride = 4}) ==
        Windows{{0, 4, 4}, {4, 4, 4}, {8, 2, 2}});
}

TEST_CASE(
    "every token but the first is scored exactly once, after at least context - stride more") {
  for (const int context : {1, 2, 3, 7, 16}) {
    for (int stride = 1; stride <= context; ++stride) {
      for (std::size_t tokens = 2; tokens < 40; ++tokens) {
        CAPTURE(context);
        CAPTURE(stride);
        CAPTURE(tokens);
        std::vector<int> times(tokens);
        for (const EvaluationWindow& window :
             evaluation_windows(tokens, {.context = context, .stride = stride})) {
          const std::size_t end = window.first + window.count;
          CHECK(end < tokens);
          CHECK(window.count <= static_cast<std::size_t>(context));
          CHECK((window.first == 0 ||
                 window.count - window.scored >= static_cast<std::size_t>(context - stride)));
          for (std::size_t at = end - window.scored; at < end; ++at) ++times[at + 1];
        }
        CHECK(times.front() == 0);
        CHECK(std::all_of(times.begin() + 1, times.end(), [](int n) { return n == 1; }));
      }
    }
  }
}

TEST_CASE("parameter-golf's windows score what reaches the end once more for each") {
  constexpr Scoring kGolf = Scoring::parameter_golf;
  CHECK(evaluation_windows(9, {.context = 4, .stride = 2, .scoring = kGolf}) ==
        Windows{{0, 4, 4}, {2, 4, 2}, {4, 4, 2}, {6, 2, 2}});
  CHECK(evaluation_windows(12, {.context = 6, .stride = 2, .scoring = kGolf}) ==
        Windows{{0, 6, 6}, {2, 6, 2}, {4, 6, 2}, {6, 5, 2}, {8, 3, 2}, {10, 1, 1}});
  CHECK(evaluation_windows(4, {.context = 6, .stride = 2, .scoring = kGolf}) ==
        Windows{{0, 3, 3}, {2, 1, 1}});
  // The validation set of the challenge, scaled down: (context / stride - 1) * stride more.
  for (const std::size_t positions : {64, 192, 640}) {
    const std::vector<std::size_t> scored = scored_positions(
        evaluation_windows(positions + 1, {.context = 64, .stride = 8, .scoring = kGolf}));
    CHECK(scored.size() == positions + 56);
    CHECK(std::count(scored.begin(), scored.end(), positions - 1) == 8);
    CHECK(std::count(scored.begin(), scored.end(), positions - 9) == 1);
  }
}

TEST_CASE("a prefix is scored as it is in the whole text") {
  const Model model = tiny_model("tiny-moe");
  const std::vector<int> tokens = some_tokens(model, 30);
  for (const Scoring scoring : {Scoring::once, Scoring::parameter_golf}) {
    const WindowRule whole{.context = 8, .stride = 3, .scoring = scoring};
    const std::vector<double> all = evaluate(model, tokens, whole);
    const auto positions = scored_positions(evaluation_windows(tokens.size(), whole));
    REQUIRE(positions.size() == all.size());
    for (const std::size_t prefix : {1, 7, 8, 9, 20, 28, 29, 1000}) {
      CAPTURE(prefix);
      WindowRule rule = whole;
      rule.prefix = prefix;
      std::vector<double> expected;
      for (std::size_t i = 0; i < all.size(); ++i) {
        if (positions[i] < prefix) expected.push_back(all[i]);
      }
      CHECK(evaluate(model, tokens, rule) == expected);
    }
  }
}

TEST_CASE("rules outside their range are refused") {
  CHECK(refusal(5, {.context = 0, .stride = 1}) == "context 0: it must be at least 1");
  CHECK(refusal(5, {.context = 4, .stride = 0}) == "stride 0: it must be 1 to the context of 4");
  CHECK(refusal(5, {.context = 4, .stride = 5}) == "stride 5: it must be 1 to the context of 4");
  CHECK(refusal(1, {.context = 4, .stride = 4}) ==
        "a text of 1 tokens: nothing to predict in fewer than 2");
  CHECK(refusal(0, {.context = 4, .stride = 4}) ==
        "a text of 0 tokens: nothing to predict in fewer than 2");
}

TEST_CASE("a case by hand") {
  // The normed embedding is 2 at one place, so the next token has logit 2 and the others 0.
  const Model model = counting_model();
  const std::vector<double> nats = evaluate(model, {0, 1, 2, 0, 1, 1}, {.context = 8, .stride = 8});
  const double all = std::log(std::exp(2) + 3);
  const std::vector<double> expected = {all - 2, all - 2, all, all - 2, all};
  REQUIRE(nats.size() == expected.size());
  for (std::size_t i = 0; i < nats.size(); ++i) {
    CAPTURE(i);
    CHECK(nats[i] == doctest::Approx(expected[i]).epsilon(1e-14));
  }
}

TEST_CASE("each token is scored after exactly the tokens that its window holds") {
  const Model model = tiny_model("tiny-moe");
  const std::vector<int> tokens = some_tokens(model, 30);
  constexpr int kContext = 8;
  for (const int stride : {1, 3, 4, 8}) {
    CAPTURE(stride);
    const std::vector<double> nats =
        evaluate(model, tokens, {.context = kContext, .stride = stride});
    REQUIRE(nats.size() == tokens.size() - 1);
    for (int at = 1; at < 30; ++at) {
      CAPTURE(at);
      // The first window that reaches the position before the token.
      int first = 0;
      while (first + kContext < at) first += stride;
      if (stride == kContext) CHECK(first == (at - 1) / kContext * kContext);
      if (stride == 1) CHECK(first == std::max(0, at - kContext));
      CHECK(nats[static_cast<std::size_t>(at - 1)] ==
            doctest::Approx(nats_after(model, tokens, static_cast<std::size_t>(first),
                                       static_cast<std::size_t>(at)))
                .epsilon(1e-12));
    }
  }
}

TEST_CASE("the numbers do not depend on the number of threads") {
  const Model model = tiny_model("tiny-moe-odd");
  const std::vector<int> tokens = some_tokens(model, 60);
  const WindowRule rule{.context = 16, .stride = 5};
  const std::vector<double> one = evaluate(model, tokens, rule, 1);
  CHECK(evaluate(model, tokens, rule, 3) == one);
  CHECK(evaluate(model, tokens, rule, 64) == one);
  CHECK(evaluate(model, tokens, rule, 0) == one);
}

TEST_CASE("ids outside the vocabulary are refused") {
  const Model model = tiny_model("tiny-moe");
  for (const std::vector<int>& tokens : {std::vector{1, 512}, {1, -1}, {1000000, 1}}) {
    CHECK_THROWS_WITH_AS(evaluate(model, tokens, {.context = 4, .stride = 4}),
                         doctest::Contains("ids of this model are 0 to 511"), Error);
  }
}

TEST_CASE("a failure in one thread ends the others") {
  Model model = tiny_model("tiny-moe");
  std::get<FloatTensor>(model.tensors.at({Role::final_norm})).values[0] = NAN;
  const std::vector<int> tokens = some_tokens(model, 64);
  CHECK_THROWS_WITH_AS(evaluate(model, tokens, {.context = 4, .stride = 4}, 4),
                       doctest::Contains("not finite"), Error);
}
