#include "synth/mixture_model.h"

#include "base/error.h"
#include "import/json.h"
#include "model/spec_fields.h"
#include "synth/float_safetensors.h"

namespace sb3lm {
namespace {

#define LAYER "model.layers.{0}."
#define EXPERT LAYER "block_sparse_moe.experts.{1}."
constexpr FloatSpelling kSpellings[] = {
    {Role::embedding, "model.embed_tokens.weight"},
    {Role::head, "lm_head.weight"},
    {Role::final_norm, "model.norm.weight"},
    {Role::attention_norm, LAYER "input_layernorm.weight"},
    {Role::q, LAYER "self_attn.q_proj.weight"},
    {Role::k, LAYER "self_attn.k_proj.weight"},
    {Role::v, LAYER "self_attn.v_proj.weight"},
    {Role::o, LAYER "self_attn.o_proj.weight"},
    {Role::ffn_norm, LAYER "post_attention_layernorm.weight"},
    {Role::gate, LAYER "mlp.gate_proj.weight"},
    {Role::up, LAYER "mlp.up_proj.weight"},
    {Role::down, LAYER "mlp.down_proj.weight"},
    {Role::router, LAYER "block_sparse_moe.gate.weight"},
    {Role::expert_gate, EXPERT "w1.weight"},
    {Role::expert_up, EXPERT "w3.weight"},
    {Role::expert_down, EXPERT "w2.weight"},
};
#undef EXPERT
#undef LAYER

std::string config_text(const ModelSpec& spec) {
  Json config = {{"model_type", spec.family},
                 {"hidden_size", spec.width},
                 {"vocab_size", spec.vocabulary},
                 {"num_hidden_layers", spec.layers.size()},
                 {"max_position_embeddings", spec.context},
                 {"rms_norm_eps", spec.norm_eps},
                 {"tie_word_embeddings", spec.tied_head},
                 {"hidden_act", "silu"}};
  Json kv_heads = Json::array(), has_rope = Json::array();
  for (const LayerSpec& layer : spec.layers) {
    const AttentionSpec& attention = layer.attention;
    const FeedForwardSpec& ffn = layer.feed_forward;
    check(ffn.activation == Activation::silu, "a mixture with an activation that has no name here");
    kv_heads.push_back(attention.kv_heads);
    has_rope.push_back(attention.rope.layout == RopeLayout::none ? 0 : 1);
    config["num_attention_heads"] = attention.query_heads;
    config["head_dim"] = attention.head_size;
    if (has_rope.back() == 1) config["rope_theta"] = attention.rope.base;
    config[ffn.is_mixture() ? "moe_intermediate_size" : "intermediate_size"] = ffn.hidden;
    if (!ffn.is_mixture()) continue;
    config["num_local_experts"] = ffn.routed_experts;
    config["num_experts_per_tok"] = ffn.top_k;
    config["norm_topk_prob"] = ffn.router_norm == RouterNorm::chosen;
  }
  config["num_key_value_heads"] = kv_heads;
  config["no_rope_layers"] = has_rope;
  return config.dump(1) + "\n";
}

}  // namespace

SyntheticFiles write_mixture_model(const SynthModel& model, const SynthOptions& options,
                                   Progress& progress) {
  const std::span<const FloatSpelling> spellings[] = {kSpellings};
  return {.checkpoint = write_float_safetensors(model, options, spellings, progress),
          .config = config_text(model.spec)};
}

}  // namespace sb3lm
