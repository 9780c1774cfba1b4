// The engine's own behaviour, on a model small enough to follow by hand: width 2, one head, weights
// set so that only the part under test does anything. Its arithmetic is judged in
// engine_fixture_test.cc.
#include "runtime_ref/engine.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "base/error.h"

using namespace sb3lm;
using Vector = std::vector<double>;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kWidth = 2;

Tensor matrix(int rows, int cols, std::vector<float> values = {}) {
  values.resize(static_cast<std::size_t>(rows * cols));
  return FloatTensor{{rows, cols}, FloatType::f32, std::move(values)};
}

/// Attention and feed-forward give 0, so the logits are the normed embedding times the embedding.
Model still_model() {
  Model model;
  ModelSpec& spec = model.spec;
  spec.width = kWidth;
  spec.vocabulary = 3;
  spec.context = 4;
  spec.norm_eps = 0;
  spec.layers.push_back({.id = 0,
                         .attention = {.query_heads = 1, .kv_heads = 1, .head_size = 2, .rope = {}},
                         .feed_forward = {.hidden = 1}});
  spec.passes = {0};
  model.tensors[{Role::embedding}] = matrix(3, kWidth, {1, 0, 0, 1, 1, 1});
  model.tensors[{Role::final_norm}] = matrix(1, kWidth, {1, 1});
  for (const Role role : {Role::attention_norm, Role::ffn_norm}) {
    model.tensors[{role, 0}] = matrix(1, kWidth, {1, 1});
  }
  for (const Role role : {Role::q, Role::k, Role::v, Role::o}) {
    model.tensors[{role, 0}] = matrix(kWidth, kWidth);
  }
  model.tensors[{Role::gate, 0}] = matrix(1, kWidth);
  model.tensors[{Role::up, 0}] = matrix(1, kWidth);
  model.tensors[{Role::down, 0}] = matrix(kWidth, 1);
  return model;
}

/// Two experts of which one runs; expert e adds 10^e * silu(s) * s to element 0, where s is the
/// sum of its input.
Model mixture_model(std::vector<float> router) {
  Model model = still_model();
  model.spec.layers[0].feed_forward = {.hidden = 1, .routed_experts = 2, .top_k = 1};
  for (const Role role : {Role::gate, Role::up, Role::down}) model.tensors.erase({role, 0});
  model.tensors[{Role::router, 0}] = matrix(2, kWidth, std::move(router));
  for (int e = 0; e < 2; ++e) {
    model.tensors[{Role::expert_gate, 0, e}] = matrix(1, kWidth, {1, 1});
    model.tensors[{Role::expert_up, 0, e}] = matrix(1, kWidth, {1, 1});
    model.tensors[{Role::expert_down, 0, e}] = matrix(kWidth, 1, {e == 0 ? 1.0F : 10.0F, 0});
  }
  return model;
}

Vector copy(std::span<const double> row) {
  return {row.begin(), row.end()};
}

/// The text and the kind of the error that `act` ends with.
template <class Act>
std::pair<Fault, std::string> error_of(Act&& act) {
  try {
    act();
  } catch (const Error& error) {
    return {error.fault, error.what()};
  }
  return {Fault::bug, "nothing thrown"};
}

}  // namespace

TEST_CASE("an idle layer leaves the embedding alone") {
  const Model model = still_model();
  Engine engine(model);
  CHECK(copy(engine.step(0)) == Vector{1 / std::sqrt(0.5), 0, 1 / std::sqrt(0.5)});
  CHECK(copy(engine.step(2)) == Vector{1, 1, 2});
  CHECK(engine.position() == 2);
  CHECK(engine.router_margin() == kInfinity);
}

TEST_CASE("an untied head is used instead of the embedding") {
  Model model = still_model();
  model.spec.tied_head = false;
  model.tensors[{Role::head}] = matrix(3, kWidth, {0, 1, 5, 0, -1, 2});
  Engine engine(model);
  CHECK(copy(engine.step(2)) == Vector{1, 5, 1});
}

TEST_CASE("a scaled embedding, the position's row, and the head's bias") {
  Model model = still_model();
  model.spec.embedding_scale = 2;
  model.spec.learned_positions = 4;
  model.spec.head_bias = true;
  model.tensors[{Role::position_embedding}] = matrix(4, kWidth, {0, 0, 2, 0, -2, -3});
  model.tensors[{Role::head_bias}] = matrix(1, 3, {0, 10, -1});
  Engine engine(model);
  CHECK(copy(engine.step(2)) == Vector{1, 1 + 10, 2 - 1});             // of (2, 2)
  CHECK(copy(engine.step(1)) == Vector{1, 1 + 10, 2 - 1});             // of (0, 2) + (2, 0)
  const Vector third = {0, -1 / std::sqrt(0.5), -1 / std::sqrt(0.5)};  // of (2, 2) + (-2, -3)
  CHECK(copy(engine.step(2)) == Vector{third[0], third[1] + 10, third[2] - 1});
  CHECK(
      error_of([&] { Engine(model, 5); }) ==
      std::pair<Fault, std::string>{Fault::usage, "context 5: the model has learned 4 positions"});
}

TEST_CASE("layer norm takes the mean away, and adds a bias") {
  Model model = still_model();
  model.spec.norm = NormKind::layer;
  for (const TensorKey& key : {TensorKey{Role::final_norm_bias},
                               {Role::attention_norm_bias, 0},
                               {Role::ffn_norm_bias, 0}}) {
    model.tensors[key] = matrix(1, kWidth, {0, 3});
  }
  Engine engine(model);
  CHECK(copy(engine.step(0)) == Vector{1, 2, 3});  // (1, 0) is (1, -1) without its mean
  CHECK(copy(engine.step(1)) == Vector{-1, 4, 3});
}

namespace {

/// Attention adds (0, 1) to token 0, which is (1, 0); then the feed-forward adds
/// (0, relu(first - second of its normed input) + 0.5).
Model model_of_halves(Residual residual) {
  Model model = still_model();
  LayerSpec& layer = model.spec.layers[0];
  layer.residual = residual;
  layer.attention.o_bias = true;
  layer.feed_forward.gated = false;
  layer.feed_forward.bias = true;
  layer.feed_forward.activation = Activation::relu;
  model.tensors.erase({Role::gate, 0});
  model.tensors[{Role::attention_norm, 0}] = matrix(1, kWidth, {3, 3});
  model.tensors[{Role::o_bias, 0}] = matrix(1, kWidth, {0, 1});
  model.tensors[{Role::up, 0}] = matrix(1, kWidth, {1, -1});
  model.tensors[{Role::up_bias, 0}] = matrix(1, 1, {0.25});
  model.tensors[{Role::down, 0}] = matrix(kWidth, 1, {0, 1});
  model.tensors[{Role::down_bias, 0}] = matrix(1, kWidth, {0, 0.25});
  if (residual == Residual::parallel_one_norm) model.tensors.erase({Role::ffn_norm, 0});
  return model;
}

/// Of the stream (1, y), what the final norm and the tied head make.
void check_second(const Model& model, double y) {
  Engine engine(model);
  const Vector logits = copy(engine.step(0));
  const double root = std::sqrt((1 + y * y) / 2);
  CHECK(logits[0] == doctest::Approx(1 / root).epsilon(1e-14));
  CHECK(logits[1] == doctest::Approx(y / root).epsilon(1e-14));
}

}  // namespace

TEST_CASE("halves in a row, in parallel, and from one norm") {
  const double root = std::sqrt(2.0);
  check_second(model_of_halves(Residual::serial), 1 + 0.5);
  check_second(model_of_halves(Residual::parallel), 1 + root + 0.5);
  check_second(model_of_halves(Residual::parallel_one_norm), 1 + 3 * root + 0.5);
}

TEST_CASE("norms after halves, before they join the stream") {
  Model model = model_of_halves(Residual::serial);
  model.spec.layers[0].after_norms = true;
  model.tensors[{Role::attention_after_norm, 0}] = matrix(1, kWidth, {1, 0.5});
  model.tensors[{Role::ffn_after_norm, 0}] = matrix(1, kWidth, {1, 4});
  // (0, 1) and (0, anything above 0) both become (0, root 2).
  check_second(model, std::sqrt(2.0) * 4.5);
}

TEST_CASE("norms of heads with a weight: q of (1, 2) times (5, -1) is (5, -2) / root(2.5)") {
  Model model = still_model();
  AttentionSpec& attention = model.spec.layers[0].attention;
  attention.head_norm = HeadNorm::weighted;
  attention.score_scale = 1;
  const float same = 1 / std::sqrt(2.0F);
  // Token 1 after token 0: q (1, 2) alike for both, keys (2, 0) and (0, 2) before their norm.
  model.tensors[{Role::q, 0}] = matrix(kWidth, kWidth, {1, 1, 2, 2});
  model.tensors[{Role::k, 0}] = matrix(kWidth, kWidth, {2, 0, 0, 2});
  model.tensors[{Role::q_norm, 0}] = matrix(1, kWidth, {5, -1});
  model.tensors[{Role::k_norm, 0}] = matrix(1, kWidth, {0.25, 0.5});
  model.tensors[{Role::v, 0}] = matrix(kWidth, kWidth, {same, 0, 0, 0});
  model.tensors[{Role::o, 0}] = matrix(kWidth, kWidth, {1, 0, 0, 0});
  Engine engine(model);
  engine.step(0);
  const Vector logits = copy(engine.step(1));
  // Keys become (root 2 / 4, 0) and (0, root 2 / 2), values (1, 0) and (0, 0).
  const double difference = std::sqrt(2.0) * (5 * 0.25 - (-2) * 0.5) / std::sqrt(2.5);
  const double x = 1 / (1 + std::exp(-difference));
  CHECK(logits[0] == doctest::Approx(x / std::sqrt((1 + x * x) / 2)).epsilon(1e-7));
}

TEST_CASE("reset forgets every position") {
  Model model = still_model();
  model.tensors[{Role::v, 0}] = matrix(kWidth, kWidth, {1, 2, 3, 4});
  model.tensors[{Role::o, 0}] = matrix(kWidth, kWidth, {1, -1, 0.5, 1});
  Engine engine(model);
  const Vector first = copy(engine.step(1));
  const Vector second = copy(engine.step(0));
  engine.reset();
  CHECK(engine.position() == 0);
  CHECK(copy(engine.step(0)) != second);
  engine.reset();
  CHECK(copy(engine.step(1)) == first);
  engine.reset();
  engine.step_without_logits(1);
  CHECK(copy(engine.step(0)) == second);
}

TEST_CASE("the context can be shortened and its end is an error") {
  const Model model = still_model();
  CHECK(Engine(model).context() == 4);
  Engine engine(model, 1);
  engine.step(0);
  const auto [fault, text] = error_of([&] { engine.step(0); });
  CHECK(fault == Fault::usage);
  CHECK(text == "token 0: the context of 1 positions is full");
  CHECK(error_of([&] { Engine(model, -1); }).first == Fault::usage);
}

TEST_CASE("ids outside the vocabulary are refused and change nothing") {
  const Model model = still_model();
  Engine engine(model);
  for (const int token : {-1, 3}) {
    const auto [fault, text] = error_of([&] { engine.step(token); });
    CHECK(fault == Fault::usage);
    CHECK(text.ends_with("ids of this model are 0 to 2"));
  }
  CHECK(engine.position() == 0);
}

TEST_CASE("a model that is not what its spec says is our bug") {
  Model missing = still_model();
  missing.tensors.erase({Role::o, 0});
  CHECK(error_of([&] { Engine engine(missing); }).first == Fault::bug);
  Model misshapen = still_model();
  misshapen.tensors[{Role::up, 0}] = matrix(2, kWidth);
  CHECK(error_of([&] { Engine engine(misshapen); }).second.find("shape") != std::string::npos);
}

TEST_CASE("the router takes the best expert, the lowest index among equals") {
  const auto best_of = [](std::vector<float> router) {
    const Model model = mixture_model(std::move(router));
    Engine engine(model);
    const auto logits = engine.step(1);  // the normed input is (0, sqrt 2)
    // About 1.2 with expert 0 and 1.4 with expert 1, which adds ten times as much.
    return std::pair{logits[0] > 1.3 ? 1 : 0, engine.router_margin()};
  };
  CHECK(best_of({0, 4, 0, 1}) == std::pair{0, 0.75});
  CHECK(best_of({0, 1, 0, 4}) == std::pair{1, 0.75});
  CHECK(best_of({0, 3, 0, 3}) == std::pair{0, 0.0});
}

TEST_CASE("the smallest router margin is kept until reset") {
  const Model model = mixture_model({4, 2, 0, 1});
  Engine engine(model);
  engine.step(1);
  const double near = engine.router_margin();
  engine.step(0);
  CHECK(near == doctest::Approx(0.5));
  CHECK(engine.router_margin() == 1);
  CHECK(engine.smallest_router_margin() == near);
  engine.reset();
  CHECK(engine.smallest_router_margin() == kInfinity);
}

TEST_CASE("top1_margin") {
  CHECK(top1_margin(Vector{1, 4, 3, -8}) == 1.0 / 8);
  CHECK(top1_margin(Vector{4, 4}) == 0);
  CHECK(top1_margin(Vector{2}) == kInfinity);
}
