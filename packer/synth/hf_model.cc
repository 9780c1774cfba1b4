#include "synth/hf_model.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "import/json.h"
#include "model/spec_fields.h"
#include "synth/float_safetensors.h"

namespace sb3lm {
namespace {

#define LAYER "transformer.h.{0}."
constexpr FloatSpelling kGpts[] = {
    {Role::embedding, "transformer.wte.weight"},
    {Role::position_embedding, "transformer.wpe.weight"},
    {Role::final_norm, "transformer.ln_f.weight"},
    {Role::final_norm_bias, "transformer.ln_f.bias"},
    {Role::attention_norm, LAYER "ln_1.weight"},
    {Role::attention_norm_bias, LAYER "ln_1.bias"},
    {Role::ffn_norm, LAYER "ln_2.weight"},
    {Role::ffn_norm_bias, LAYER "ln_2.bias"},
    {Role::up_bias, LAYER "mlp.c_fc.bias"},
    {Role::down_bias, LAYER "mlp.c_proj.bias"},
};
constexpr FloatSpelling kGpt2[] = {
    {Role::q, LAYER "attn.c_attn.weight", Lies::transposed},
    {Role::k, LAYER "attn.c_attn.weight", Lies::transposed},
    {Role::v, LAYER "attn.c_attn.weight", Lies::transposed},
    {Role::q_bias, LAYER "attn.c_attn.bias"},
    {Role::k_bias, LAYER "attn.c_attn.bias"},
    {Role::v_bias, LAYER "attn.c_attn.bias"},
    {Role::o, LAYER "attn.c_proj.weight", Lies::transposed},
    {Role::o_bias, LAYER "attn.c_proj.bias"},
    {Role::up, LAYER "mlp.c_fc.weight", Lies::transposed},
    {Role::down, LAYER "mlp.c_proj.weight", Lies::transposed},
};
constexpr FloatSpelling kGptNeo[] = {
    {Role::q, LAYER "attn.attention.q_proj.weight"},
    {Role::k, LAYER "attn.attention.k_proj.weight"},
    {Role::v, LAYER "attn.attention.v_proj.weight"},
    {Role::o, LAYER "attn.attention.out_proj.weight"},
    {Role::o_bias, LAYER "attn.attention.out_proj.bias"},
    {Role::up, LAYER "mlp.c_fc.weight"},
    {Role::down, LAYER "mlp.c_proj.weight"},
};
#undef LAYER

#define LAYER "gpt_neox.layers.{0}."
constexpr FloatSpelling kGptNeox[] = {
    {Role::embedding, "gpt_neox.embed_in.weight"},
    {Role::head, "embed_out.weight"},
    {Role::final_norm, "gpt_neox.final_layer_norm.weight"},
    {Role::final_norm_bias, "gpt_neox.final_layer_norm.bias"},
    {Role::attention_norm, LAYER "input_layernorm.weight"},
    {Role::attention_norm_bias, LAYER "input_layernorm.bias"},
    {Role::ffn_norm, LAYER "post_attention_layernorm.weight"},
    {Role::ffn_norm_bias, LAYER "post_attention_layernorm.bias"},
    {Role::q, LAYER "attention.query_key_value.weight", Lies::by_head},
    {Role::k, LAYER "attention.query_key_value.weight", Lies::by_head},
    {Role::v, LAYER "attention.query_key_value.weight", Lies::by_head},
    {Role::q_bias, LAYER "attention.query_key_value.bias", Lies::by_head},
    {Role::k_bias, LAYER "attention.query_key_value.bias", Lies::by_head},
    {Role::v_bias, LAYER "attention.query_key_value.bias", Lies::by_head},
    {Role::o, LAYER "attention.dense.weight"},
    {Role::o_bias, LAYER "attention.dense.bias"},
    {Role::up, LAYER "mlp.dense_h_to_4h.weight"},
    {Role::up_bias, LAYER "mlp.dense_h_to_4h.bias"},
    {Role::down, LAYER "mlp.dense_4h_to_h.weight"},
    {Role::down_bias, LAYER "mlp.dense_4h_to_h.bias"},
};
#undef LAYER

#define LAYER "model.layers.{0}."
constexpr FloatSpelling kLlama[] = {
    {Role::embedding, "model.embed_tokens.weight"},
    {Role::head, "lm_head.weight"},
    {Role::final_norm, "model.norm.weight"},
    {Role::attention_norm, LAYER "input_layernorm.weight"},
    {Role::q, LAYER "self_attn.q_proj.weight"},
    {Role::k, LAYER "self_attn.k_proj.weight"},
    {Role::v, LAYER "self_attn.v_proj.weight"},
    {Role::q_norm, LAYER "self_attn.q_norm.weight"},
    {Role::k_norm, LAYER "self_attn.k_norm.weight"},
    {Role::o, LAYER "self_attn.o_proj.weight"},
    {Role::ffn_norm, LAYER "post_attention_layernorm.weight"},
    {Role::gate, LAYER "mlp.gate_proj.weight"},
    {Role::up, LAYER "mlp.up_proj.weight"},
    {Role::down, LAYER "mlp.down_proj.weight"},
};
constexpr FloatSpelling kGemma2[] = {
    {Role::final_norm, "model.norm.weight", Lies::less_one},
    {Role::attention_norm, LAYER "input_layernorm.weight", Lies::less_one},
    {Role::attention_after_norm, LAYER "post_attention_layernorm.weight", Lies::less_one},
    {Role::ffn_norm, LAYER "pre_feedforward_layernorm.weight", Lies::less_one},
    {Role::ffn_after_norm, LAYER "post_feedforward_layernorm.weight", Lies::less_one},
};
constexpr FloatSpelling kPhi[] = {
    {Role::head_bias, "lm_head.bias"},
    {Role::final_norm, "model.final_layernorm.weight"},
    {Role::final_norm_bias, "model.final_layernorm.bias"},
    {Role::attention_norm_bias, LAYER "input_layernorm.bias"},
    {Role::q_bias, LAYER "self_attn.q_proj.bias"},
    {Role::k_bias, LAYER "self_attn.k_proj.bias"},
    {Role::v_bias, LAYER "self_attn.v_proj.bias"},
    {Role::o, LAYER "self_attn.dense.weight"},
    {Role::o_bias, LAYER "self_attn.dense.bias"},
    {Role::up, LAYER "mlp.fc1.weight"},
    {Role::up_bias, LAYER "mlp.fc1.bias"},
    {Role::down, LAYER "mlp.fc2.weight"},
    {Role::down_bias, LAYER "mlp.fc2.bias"},
};
#undef LAYER

int layers_of(const ModelSpec& spec) {
  return static_cast<int>(spec.layers.size());
}

/// Both GPTs' activation, and Phi's.
constexpr const char* kGeluNew = "gelu_new";

Json gpt2_config(const ModelSpec& spec) {
  return {{"n_embd", spec.width},
          {"n_layer", layers_of(spec)},
          {"n_head", spec.layers.front().attention.query_heads},
          {"n_inner", spec.layers.front().feed_forward.hidden},
          {"n_positions", spec.learned_positions},
          {"activation_function", kGeluNew},
          {"layer_norm_epsilon", spec.norm_eps}};
}

Json gpt_neo_config(const ModelSpec& spec) {
  Json kinds = Json::array();
  int window = 0;
  for (const LayerSpec& layer : spec.layers) {
    kinds.push_back(layer.attention.window > 0 ? "local" : "global");
    window = std::max(window, layer.attention.window);
  }
  return {{"hidden_size", spec.width},
          {"num_layers", layers_of(spec)},
          {"num_heads", spec.layers.front().attention.query_heads},
          {"intermediate_size", spec.layers.front().feed_forward.hidden},
          {"max_position_embeddings", spec.learned_positions},
          {"attention_layers", kinds},
          {"window_size", window},
          {"activation_function", kGeluNew},
          {"layer_norm_epsilon", spec.norm_eps}};
}

/// What all others say alike.
Json usual_config(const ModelSpec& spec) {
  const AttentionSpec& attention = spec.layers.front().attention;
  return {{"hidden_size", spec.width},
          {"num_hidden_layers", layers_of(spec)},
          {"num_attention_heads", attention.query_heads},
          {"num_key_value_heads", attention.kv_heads},
          {"intermediate_size", spec.layers.front().feed_forward.hidden},
          {"max_position_embeddings", spec.context}};
}

double rotated_part(const AttentionSpec& attention) {
  return static_cast<double>(attention.rope.dims) / attention.head_size;
}

Json gpt_neox_config(const ModelSpec& spec) {
  const LayerSpec& layer = spec.layers.front();
  Json config = usual_config(spec);
  config["hidden_act"] = "gelu";
  config["layer_norm_eps"] = spec.norm_eps;
  config["rotary_pct"] = rotated_part(layer.attention);
  config["rotary_emb_base"] = layer.attention.rope.base;
  config["use_parallel_residual"] = layer.residual == Residual::parallel;
  return config;
}

Json phi_config(const ModelSpec& spec) {
  const AttentionSpec& attention = spec.layers.front().attention;
  Json config = usual_config(spec);
  config["hidden_act"] = kGeluNew;
  config["layer_norm_eps"] = spec.norm_eps;
  config["partial_rotary_factor"] = rotated_part(attention);
  config["rope_theta"] = attention.rope.base;
  return config;
}

Json llama_config(const ModelSpec& spec) {
  const AttentionSpec& attention = spec.layers.front().attention;
  Json config = usual_config(spec);
  config["hidden_act"] = "silu";
  config["head_dim"] = attention.head_size;
  config["rms_norm_eps"] = spec.norm_eps;
  config["rope_theta"] = attention.rope.base;
  return config;
}

Json gemma2_config(const ModelSpec& spec) {
  const AttentionSpec& attention = spec.layers.front().attention;
  const double scale = attention.score_scale;
  Json config = llama_config(spec);
  config["hidden_activation"] = "gelu_pytorch_tanh";
  config["query_pre_attn_scalar"] = std::round(1 / (scale * scale));
  config["sliding_window"] = attention.window;
  config["attn_logit_softcapping"] = attention.score_cap;
  config["final_logit_softcapping"] = spec.logit_cap;
  return config;
}

struct Family {
  std::string_view name;
  std::vector<std::span<const FloatSpelling>> spellings;
  Json (*config)(const ModelSpec&);
};

const Family& family_of(const SynthModel& model) {
  static const std::vector<Family> all{{"gpt2", {kGpts, kGpt2}, gpt2_config},
                                       {"gpt_neo", {kGpts, kGptNeo}, gpt_neo_config},
                                       {"gpt_neox", {kGptNeox}, gpt_neox_config},
                                       {"phi", {kPhi, kLlama}, phi_config},
                                       {"gemma2", {kGemma2, kLlama}, gemma2_config},
                                       {"qwen3", {kLlama}, llama_config},
                                       {"llama", {kLlama}, llama_config}};
  const auto found = std::ranges::find(all, model.spec.family, &Family::name);
  if (found == all.end()) {
    fail(Fault::bug, "internal error: preset {} is of an unknown family", model.name);
  }
  return *found;
}

}  // namespace

SyntheticFiles write_hf_model(const SynthModel& model, const SynthOptions& options,
                              Progress& progress) {
  const Family& family = family_of(model);
  Json config = family.config(model.spec);
  config["model_type"] = model.spec.family;
  config["vocab_size"] = model.spec.vocabulary;
  config["tie_word_embeddings"] = model.spec.tied_head;
  return {.checkpoint = write_float_safetensors(model, options, family.spellings, progress),
          .config = config.dump(1) + "\n"};
}

}  // namespace sb3lm
