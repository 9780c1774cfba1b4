// The small Hugging Face families against tests/torch/small_forward.py: import and engine, and the
// blocks. Each formula broken alone must show.
#include <doctest/doctest.h>

#include <functional>
#include <map>

#include "quant/rtn.h"
#include "support/fixtures.h"

using namespace sb3lm;
using test::Fixture;
using test::fixture_block_error;
using test::fixture_cases;
using test::fixture_error;
using test::fixture_model;

namespace {

constexpr double kTolerance = 1e-12;  // of the largest logit: both sides round in double
constexpr double kMiss = 1e-6;        // what a wrong formula is off by, at least

const std::vector<std::string> kNames{
    "tiny-gpt2",    "tiny-gpt_neo", "tiny-gpt_neox",     "tiny-gpt_neox-serial",
    "tiny-phi",     "tiny-gemma",   "tiny-gemma2",       "tiny-qwen3",
    "tiny-mistral", "tiny-smollm3", "tiny-llama-linear", "tiny-llama-llama3",
    "tiny-gemma3",  "tiny-opt"};

/// A model with one thing wrong.
struct Broken {
  std::string name, what;
  std::function<void(Model&)> change;
};

std::function<void(Model&)> layers(const std::function<void(LayerSpec&)>& change) {
  return [change](Model& model) {
    for (LayerSpec& layer : model.spec.layers) change(layer);
  };
}

std::function<void(Model&)> attention(const std::function<void(AttentionSpec&)>& change) {
  return layers([change](LayerSpec& layer) { change(layer.attention); });
}

std::function<void(Model&)> rope(const std::function<void(RopeSpec&)>& change) {
  return attention([change](AttentionSpec& one) { change(one.rope); });
}

std::function<void(Model&)> window(int by) {
  return attention([by](AttentionSpec& one) {
    if (one.window > 0) one.window += by;
  });
}

std::function<void(Model&)> bends(Activation activation) {
  return layers([activation](LayerSpec& layer) { layer.feed_forward.activation = activation; });
}

std::function<void(Model&)> joins(Residual residual) {
  return layers([residual](LayerSpec& layer) { layer.residual = residual; });
}

/// All tensors of a role are filled with a number.
std::function<void(Model&)> filled(Role role, float with) {
  return [role, with](Model& model) {
    for (auto& [key, tensor] : model.tensors) {
      if (key.role != role) continue;
      for (float& value : std::get<FloatTensor>(tensor).values) value = with;
    }
  };
}

std::function<void(Model&)> swapped(Role one, Role other, int layer) {
  return [=](Model& model) {
    std::swap(model.tensors.at({one, layer}), model.tensors.at({other, layer}));
  };
}

void add_to_norms(Model& model, float number) {
  for (auto& [key, tensor] : model.tensors) {
    if (about(key.role).kind != RoleKind::norm) continue;
    for (float& value : std::get<FloatTensor>(tensor).values) value += number;
  }
}

/// The last layer's window for the first, and so on.
void turn_layers(Model& model) {
  std::vector<LayerSpec>& all = model.spec.layers;
  for (std::size_t i = 0; i + 1 < all.size(); i += 2) {
    std::swap(all[i].attention.window, all[i + 1].attention.window);
  }
}

/// The feed forward of a layer that has one norm reads the stream after attention.
void read_after_attention(Model& model) {
  for (int i = 0; i < static_cast<int>(model.spec.layers.size()); ++i) {
    model.spec.layers[static_cast<std::size_t>(i)].residual = Residual::serial;
    model.tensors[{Role::ffn_norm, i}] = model.tensors.at({Role::attention_norm, i});
    model.tensors[{Role::ffn_norm_bias, i}] = model.tensors.at({Role::attention_norm_bias, i});
  }
}

const std::vector<Broken>& broken_gpts() {
  static const std::vector<Broken> all{
      {"tiny-gpt2", "norms without mean", [](Model& m) { m.spec.norm = NormKind::rms; }},
      {"tiny-gpt2", "no positions", [](Model& m) { m.spec.learned_positions = 0; }},
      {"tiny-gpt2", "another activation", bends(Activation::gelu)},
      {"tiny-gpt2", "no division of scores",
       attention([](AttentionSpec& a) { a.score_scale = 1; })},
      {"tiny-gpt2", "q for k", swapped(Role::q, Role::k, 1)},
      {"tiny-gpt2", "k for v", swapped(Role::k, Role::v, 1)},
      {"tiny-gpt2", "q's bias for k's", swapped(Role::q_bias, Role::k_bias, 0)},
      {"tiny-gpt2", "no bias of q", filled(Role::q_bias, 0)},
      {"tiny-gpt2", "no bias of v", filled(Role::v_bias, 0)},
      {"tiny-gpt2", "no bias of o", filled(Role::o_bias, 0)},
      {"tiny-gpt2", "no bias of up", filled(Role::up_bias, 0)},
      {"tiny-gpt2", "no bias of down", filled(Role::down_bias, 0)},
      {"tiny-gpt2", "no bias of norms", filled(Role::attention_norm_bias, 0)},
      {"tiny-gpt2", "no bias of the other norms", filled(Role::ffn_norm_bias, 0)},
      {"tiny-gpt2", "no bias of the last norm", filled(Role::final_norm_bias, 0)},
      {"tiny-gpt2", "another epsilon", [](Model& m) { m.spec.norm_eps = 1e-4; }},
      {"tiny-gpt_neo", "scores divided", attention([](AttentionSpec& a) { a.score_scale = 0; })},
      {"tiny-gpt_neo", "a window one too long", window(1)},
      {"tiny-gpt_neo", "a window one too short", window(-1)},
      {"tiny-gpt_neo", "windows in the other layers", turn_layers},
      {"tiny-gpt_neox", "one after the other", joins(Residual::serial)},
      {"tiny-gpt_neox", "one norm for both", joins(Residual::parallel_one_norm)},
      {"tiny-gpt_neox", "all of a head turns", rope([](RopeSpec& r) { r.dims = 8; })},
      {"tiny-gpt_neox", "neighbours as pairs",
       rope([](RopeSpec& r) { r.layout = RopeLayout::interleaved; })},
      {"tiny-gpt_neox", "rotation the other way", rope([](RopeSpec& r) { r.sign = -1; })},
      {"tiny-gpt_neox", "another activation", bends(Activation::gelu_tanh)},
      {"tiny-gpt_neox", "k for v", swapped(Role::k, Role::v, 0)},
      {"tiny-gpt_neox", "k's bias for v's", swapped(Role::k_bias, Role::v_bias, 0)},
      {"tiny-gpt_neox-serial", "both halves at once", joins(Residual::parallel)},
      {"tiny-opt", "another activation", bends(Activation::relu2)},
      {"tiny-opt", "no positions", [](Model& m) { m.spec.learned_positions = 0; }},
      {"tiny-phi", "no bias of the head", filled(Role::head_bias, 0)},
      {"tiny-phi", "one after the other", read_after_attention},
      {"tiny-phi", "all of a head turns", rope([](RopeSpec& r) { r.dims = 8; })},
      {"tiny-phi", "another activation", bends(Activation::relu)},
  };
  return all;
}

const std::vector<Broken>& broken_llamas() {
  static const std::vector<Broken> all{
      {"tiny-gemma", "norms as they are stored", [](Model& m) { add_to_norms(m, -1); }},
      {"tiny-gemma", "embeddings as they are stored", [](Model& m) { m.spec.embedding_scale = 1; }},
      {"tiny-gemma", "the older activation", bends(Activation::gelu)},
      {"tiny-gemma2", "no norms behind", layers([](LayerSpec& l) { l.after_norms = false; })},
      {"tiny-gemma2", "the norm behind for the one before",
       swapped(Role::attention_after_norm, Role::ffn_norm, 1)},
      {"tiny-gemma2", "the norms behind in the other order",
       swapped(Role::attention_after_norm, Role::ffn_after_norm, 1)},
      {"tiny-gemma2", "no cap of scores", attention([](AttentionSpec& a) { a.score_cap = 0; })},
      {"tiny-gemma2", "no cap of logits", [](Model& m) { m.spec.logit_cap = 0; }},
      {"tiny-gemma2", "scores by head size",
       attention([](AttentionSpec& a) { a.score_scale = 0; })},
      {"tiny-gemma2", "a window one too long", window(1)},
      {"tiny-gemma2", "a window one too short", window(-1)},
      {"tiny-gemma2", "windows in the other layers", turn_layers},
      {"tiny-gemma3", "one RoPE for all layers",
       [](Model& m) { m.spec.layers[0].attention.rope = m.spec.layers[2].attention.rope; }},
      {"tiny-gemma3", "no norms of heads",
       attention([](AttentionSpec& a) { a.head_norm = HeadNorm::none; })},
      {"tiny-gemma3", "the last layer slides, too",
       [](Model& m) { m.spec.layers[2].attention.window = 4; }},
      {"tiny-gemma3", "scores by head size",
       attention([](AttentionSpec& a) { a.score_scale = 0; })},
      {"tiny-qwen3", "no norms of heads",
       attention([](AttentionSpec& a) { a.head_norm = HeadNorm::none; })},
      {"tiny-qwen3", "norms of heads without weights",
       attention([](AttentionSpec& a) { a.head_norm = HeadNorm::plain; })},
      {"tiny-qwen3", "q's norm for k's", swapped(Role::q_norm, Role::k_norm, 1)},
      {"tiny-mistral", "no window", attention([](AttentionSpec& a) { a.window = 0; })},
      {"tiny-mistral", "a window one too long", window(1)},
      {"tiny-mistral", "a window one too short", window(-1)},
      {"tiny-smollm3", "RoPE everywhere",
       [](Model& m) { m.spec.layers[3].attention.rope = m.spec.layers[0].attention.rope; }},
      {"tiny-smollm3", "another layer without RoPE",
       [](Model& m) {
         std::swap(m.spec.layers[3].attention.rope, m.spec.layers[0].attention.rope);
       }},
      {"tiny-llama-linear", "no scaling", rope([](RopeSpec& r) { r.scaling = RopeScaling::none; })},
      {"tiny-llama-linear", "another factor", rope([](RopeSpec& r) { r.scaling_factor = 2; })},
      {"tiny-llama-llama3", "no scaling", rope([](RopeSpec& r) { r.scaling = RopeScaling::none; })},
      {"tiny-llama-llama3", "scaling of all",
       rope([](RopeSpec& r) { r.scaling = RopeScaling::linear; })},
      {"tiny-llama-llama3", "another factor", rope([](RopeSpec& r) { r.scaling_factor = 4; })},
      {"tiny-llama-llama3", "another low frequency",
       rope([](RopeSpec& r) { r.low_frequency = 0.2; })},
      {"tiny-llama-llama3", "another high frequency",
       rope([](RopeSpec& r) { r.high_frequency = 0.9; })},
      {"tiny-llama-llama3", "other original positions",
       rope([](RopeSpec& r) { r.original_positions = 17; })},
  };
  return all;
}

/// What is right as long as nothing is broken, by name: each is read once.
const Model& right_model(const std::string& name) {
  static std::map<std::string, Model> models;
  const auto found = models.find(name);
  if (found != models.end()) return found->second;
  return models.emplace(name, fixture_model(name, fixture_cases(name).at(0))).first->second;
}

}  // namespace

TEST_CASE("the engine computes what numpy computes") {
  for (const std::string& name : kNames) {
    CAPTURE(name);
    CHECK(fixture_error(right_model(name), fixture_cases(name).at(0)) < kTolerance);
  }
}

TEST_CASE("each formula broken alone misses") {
  for (const std::vector<Broken>* list : {&broken_gpts(), &broken_llamas()}) {
    for (const Broken& broken : *list) {
      CAPTURE(broken.name);
      CAPTURE(broken.what);
      Model wrong = right_model(broken.name);
      broken.change(wrong);
      CHECK(fixture_error(wrong, fixture_cases(broken.name).at(0)) > kMiss);
    }
  }
}

TEST_CASE("the blocks compute what numpy computes, and with codes what the engine computes") {
  for (const std::string& name : kNames) {
    CAPTURE(name);
    const Fixture fixture = fixture_cases(name).at(0);
    CHECK(fixture_block_error(right_model(name), fixture) < 1e-9);
    Model rounded = right_model(name);
    quantise_matrices(rounded, 5);
    // What rounding does shows, too.
    CHECK(fixture_block_error(rounded, fixture) > kMiss);
  }
}
