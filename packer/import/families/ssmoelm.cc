// SSMoELM's packed files, and files of other programs that say little about themselves: tensors in
// every spelling that we have met, settings in config.json or in the metadata under many names.
#include "import/config.h"
#include "import/families/families.h"

namespace sb3lm {
namespace {

constexpr NameRule kNames[] = {
    {Role::embedding,
     "(tok_embeddings|embed_tokens|token_embedding|embeddings|embedding|tok_emb|embed|wte)"},
    {Role::head, "(lm_head|output|head)"},
    {Role::final_norm, "(norm|final_norm|output_norm|norm_f|ln_f)"},
    {Role::attention_norm,
     "(layers|blocks|h).{L}.(attention_norm|attn_norm|input_norm|input_layernorm|norm1|ln1|ln_1)"},
    {Role::q, "(layers|blocks|h).{L}.(attention|attn|self_attn).(wq|q_proj|q)"},
    {Role::k, "(layers|blocks|h).{L}.(attention|attn|self_attn).(wk|k_proj|k)"},
    {Role::v, "(layers|blocks|h).{L}.(attention|attn|self_attn).(wv|v_proj|v)"},
    {Role::o, "(layers|blocks|h).{L}.(attention|attn|self_attn).(wo|o_proj|out_proj|o)"},
    {Role::q_bias, "(layers|blocks|h).{L}.(attention|attn|self_attn).(wq|q_proj|q).bias"},
    {Role::k_bias, "(layers|blocks|h).{L}.(attention|attn|self_attn).(wk|k_proj|k).bias"},
    {Role::v_bias, "(layers|blocks|h).{L}.(attention|attn|self_attn).(wv|v_proj|v).bias"},
    {Role::ffn_norm,
     "(layers|blocks|h).{L}."
     "(ffn_norm|post_norm|post_attention_layernorm|mlp_norm|moe_norm|norm2|ln2|ln_2)"},
};

constexpr NameRule kDense[] = {
    {Role::gate, "(layers|blocks|h).{L}.(mlp|ffn|feed_forward).(gate_proj|w1)"},
    {Role::up, "(layers|blocks|h).{L}.(mlp|ffn|feed_forward).(up_proj|up|w3)"},
    {Role::down, "(layers|blocks|h).{L}.(mlp|ffn|feed_forward).(down_proj|down|w2)"},
};

constexpr NameRule kMixture[] = {
    {Role::router,
     "(layers|blocks|h).{L}.(moe|mlp|ffn|feed_forward|block_sparse_moe).(router|gate)"},
    {Role::shared_router,
     "(layers|blocks|h).{L}.(moe|mlp|ffn|feed_forward).(shared_expert_gate|shared_router)"},
    {Role::shared_gate,
     "(layers|blocks|h).{L}.(moe|mlp|ffn|feed_forward).(shared|shared_expert|shared_experts)."
     "(gate|gate_proj|w1)"},
    {Role::shared_up,
     "(layers|blocks|h).{L}.(moe|mlp|ffn|feed_forward).(shared|shared_expert|shared_experts)."
     "(up|up_proj|w3)"},
    {Role::shared_down,
     "(layers|blocks|h).{L}.(moe|mlp|ffn|feed_forward).(shared|shared_expert|shared_experts)."
     "(down|down_proj|w2)"},
    {Role::expert_gate,
     "(layers|blocks|h).{L}.(moe|mlp|ffn|feed_forward|block_sparse_moe).experts.{E}."
     "(gate|gate_proj|w1)"},
    {Role::expert_up,
     "(layers|blocks|h).{L}.(moe|mlp|ffn|feed_forward|block_sparse_moe).experts.{E}."
     "(up|up_proj|w3)"},
    {Role::expert_down,
     "(layers|blocks|h).{L}.(moe|mlp|ffn|feed_forward|block_sparse_moe).experts.{E}."
     "(down|down_proj|w2)"},
    {Role::expert_gate,
     "(layers|blocks|h).{L}.(moe|mlp|ffn|feed_forward).(experts|switch_mlp).(gate|gate_proj|w1)"},
    {Role::expert_up,
     "(layers|blocks|h).{L}.(moe|mlp|ffn|feed_forward).(experts|switch_mlp).(up|up_proj|w3)"},
    {Role::expert_down,
     "(layers|blocks|h).{L}.(moe|mlp|ffn|feed_forward).(experts|switch_mlp).(down|down_proj|w2)"},
};

void read_config(const Config& config, Settings& settings) {
  read_rope(config, settings);
  read_activation(config, "hidden_act", settings);
  read_layer_lists(config, settings);
  refuse_other_maths(config);
}

void finish(const Config& config, ModelSpec& spec) {
  check_layer_lists(config, spec);
  refuse_window(config, spec);
}

}  // namespace

const Family& ssmoelm_family() {
  static const Family family{.name = "ssmoelm",
                             .model_types = {{"ssmoelm", {}}},
                             .assumed = {{"rope", "half-split"},
                                         {"rope-sign", "plus"},
                                         {"rope-base", "10000"},
                                         {"norm-eps", "1e-5"},
                                         {"router-norm", "chosen"}},
                             .rules = {kNames, kDense, kMixture},
                             .ignored = {},
                             .settled = {},
                             .spellings = {{"n_heads", "heads"},
                                           {"num_heads", "heads"},
                                           {"num_attention_heads", "heads"},
                                           {"n_head", "heads"},
                                           {"n_q_heads", "heads"},
                                           {"n_kv_heads", "kv-heads"},
                                           {"num_kv_heads", "kv-heads"},
                                           {"num_key_value_heads", "kv-heads"},
                                           {"n_kv_head", "kv-heads"},
                                           {"head_dim", "head-size"},
                                           {"top_k", "top-k"},
                                           {"moe_top_k", "top-k"},
                                           {"n_experts_per_token", "top-k"},
                                           {"num_experts_per_tok", "top-k"},
                                           {"experts_per_token", "top-k"},
                                           {"context", "context"},
                                           {"context_length", "context"},
                                           {"max_seq_len", "context"},
                                           {"seq_len", "context"},
                                           {"max_position_embeddings", "context"},
                                           {"rope_theta", "rope-base"},
                                           {"rope_base", "rope-base"},
                                           {"norm_eps", "norm-eps"},
                                           {"rms_norm_eps", "norm-eps"},
                                           {"rms_eps", "norm-eps"},
                                           {"eps", "norm-eps"}},
                             .reads_metadata = true,
                             .read_config = read_config,
                             .finish = finish};
  return family;
}

}  // namespace sb3lm
