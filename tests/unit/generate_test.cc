// Generation on a model whose next token is always the current one plus 1 (mod 5).
#include "runtime_ref/generate.h"

#include <doctest/doctest.h>

#include <string>

#include "base/error.h"
#include "runtime_ref/engine.h"

using namespace sb3lm;
using Tokens = std::vector<int>;

namespace {

constexpr int kVocabulary = 5;

Tensor matrix(int rows, int cols, std::vector<float> values = {}) {
  values.resize(static_cast<std::size_t>(rows * cols));
  return FloatTensor{{rows, cols}, FloatType::f32, std::move(values)};
}

/// One-hot embeddings, layers that add nothing, and a head that shifts by one.
Model counting_model() {
  Model model;
  model.spec.width = kVocabulary;
  model.spec.vocabulary = kVocabulary;
  model.spec.context = 6;
  model.spec.tied_head = false;
  model.spec.layers.push_back(
      {.id = 0,
       .attention = {.query_heads = 1, .kv_heads = 1, .head_size = 1, .rope = {}},
       .feed_forward = {.hidden = 1}});
  model.spec.passes = {0};
  std::vector<float> same(kVocabulary * kVocabulary), next(kVocabulary * kVocabulary);
  for (std::size_t i = 0; i < kVocabulary; ++i) {
    same[i * kVocabulary + i] = 1;
    next[(i + 1) % kVocabulary * kVocabulary + i] = 1;
  }
  const std::vector<float> ones(kVocabulary, 1.0F);
  model.tensors[{Role::embedding}] = matrix(kVocabulary, kVocabulary, same);
  model.tensors[{Role::head}] = matrix(kVocabulary, kVocabulary, next);
  model.tensors[{Role::final_norm}] = matrix(1, kVocabulary, ones);
  model.tensors[{Role::attention_norm, 0}] = matrix(1, kVocabulary, ones);
  model.tensors[{Role::ffn_norm, 0}] = matrix(1, kVocabulary, ones);
  for (const Role role : {Role::q, Role::k, Role::v, Role::gate, Role::up}) {
    model.tensors[{role, 0}] = matrix(1, kVocabulary);
  }
  model.tensors[{Role::o, 0}] = matrix(kVocabulary, 1);
  model.tensors[{Role::down, 0}] = matrix(kVocabulary, 1);
  return model;
}

Generated run(const Tokens& prompt, const GenerateOptions& options, const OnToken& on_token = {}) {
  const Model model = counting_model();
  Engine engine(model);
  return generate(engine, prompt, options, on_token);
}

std::string refusal(const Tokens& prompt) {
  try {
    run(prompt, {});
  } catch (const Error& error) {
    CHECK(error.fault == Fault::usage);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("length") {
  const Generated result = run({3}, {.max_new_tokens = 3});
  CHECK(result.tokens == Tokens{4, 0, 1});
  CHECK(result.stop_reason == "length");
  CHECK(result.unfed == 1);
  CHECK(result.logits.empty());
  CHECK(run({3}, {.max_new_tokens = 0}).stop_reason == "length");
  CHECK(run({3}, {.max_new_tokens = 0}).unfed == -1);
}

TEST_CASE("a stop token ends the output and is not part of it") {
  const Generated result = run({0, 1}, {.stop_ids = {0, 4}});
  CHECK(result.tokens == Tokens{2, 3});
  CHECK(result.stop_reason == "stop token");
  CHECK(result.unfed == 4);
}

TEST_CASE("the context ends generation when every position is taken") {
  const Generated result = run({0, 1, 2, 3}, {});
  CHECK(result.tokens == Tokens{4, 0, 1});  // positions 4 and 5 run, the third was never fed
  CHECK(result.stop_reason == "context full");
}

TEST_CASE("the callback sees every token and can stop") {
  Tokens seen;
  const Generated result = run({0}, {}, [&](int token) {
    seen.push_back(token);
    return seen.size() < 2;
  });
  CHECK(seen == Tokens{1, 2});
  CHECK(result.tokens == seen);
  CHECK(result.stop_reason == "stopped");
}

TEST_CASE("recording") {
  const auto rows = [](RecordLogits record, int new_tokens) {
    return run({2, 0}, {.max_new_tokens = new_tokens, .record = record, .stop_ids = {3}}).logits;
  };
  CHECK(rows(RecordLogits::none, 9).empty());
  const auto generated = rows(RecordLogits::generated, 9);  // predicts 1, 2 and the stop token
  REQUIRE(generated.size() == 3);
  CHECK(generated[0][1] > 1);
  CHECK(generated[2][3] > 1);
  const auto all = rows(RecordLogits::prompt_too, 9);
  REQUIRE(all.size() == 4);
  CHECK(all[0][3] > 1);
  CHECK(all[1] == generated[0]);
  CHECK(rows(RecordLogits::generated, 0).empty());
  CHECK(rows(RecordLogits::prompt_too, 0).size() == 2);
}

TEST_CASE("the penalty covers prompt and output") {
  GenerateOptions options{.sampling = {.repetition_penalty = 1e9}, .max_new_tokens = 4};
  // 4 follows 3 but is in the prompt: all that is left is 0, then the unseen ones in order.
  CHECK(run({4, 3}, options).tokens == Tokens{4, 0, 1, 2});
}

TEST_CASE("each call starts anew; a chat goes on") {
  const Model model = counting_model();
  Engine engine(model);
  const GenerateOptions options{.max_new_tokens = 1};
  CHECK(generate(engine, {1, 2, 3}, options).tokens == Tokens{4});
  CHECK(generate(engine, {1, 2, 3}, options).tokens == Tokens{4});
  CHECK(engine.position() == 3);
  Sampler sampler({}, kVocabulary);
  CHECK(generate_after(engine, sampler, {4, 0}, options).tokens == Tokens{1});
  CHECK(engine.position() == 5);
  CHECK_THROWS_AS(generate_after(engine, sampler, {1}, options), Error);
  CHECK(engine.position() == 5);
}

TEST_CASE("prompts that cannot run are named") {
  CHECK(refusal({}) == "prompt: it has no tokens");
  CHECK(refusal({0, 5}) == "prompt: token 5: ids of this model are 0 to 4");
  CHECK(refusal({0, -1}).starts_with("prompt: token -1"));
  CHECK(refusal({0, 1, 2, 3, 4, 0}) == "prompt: 6 tokens leave no room in a context of 6");
  CHECK(refusal({0, 1, 2, 3, 4}).empty());
}
