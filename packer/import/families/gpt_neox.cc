// GPT-NeoX, as Pythia's models are: both halves of a layer read the same stream, RoPE turns a part
// of each head, and q, k and v of a head lie side by side in one tensor.
#include "import/config.h"
#include "import/families/families.h"
#include "import/families/gguf_names.h"

namespace sb3lm {
namespace {

#define LAYER "(gpt_neox.|)layers.{L}."
#define QKV LAYER "attention.query_key_value"
constexpr NameRule kNames[] = {
    {Role::embedding, "(gpt_neox.|)embed_in"},
    {Role::head, "embed_out"},
    {Role::final_norm, "(gpt_neox.|)final_layer_norm"},
    {Role::final_norm_bias, "(gpt_neox.|)final_layer_norm.bias"},
    {Role::attention_norm, LAYER "input_layernorm"},
    {Role::attention_norm_bias, LAYER "input_layernorm.bias"},
    {Role::ffn_norm, LAYER "post_attention_layernorm"},
    {Role::ffn_norm_bias, LAYER "post_attention_layernorm.bias"},
    {Role::q, QKV, {0, 1, 3, true}},
    {Role::k, QKV, {1, 2, 3, true}},
    {Role::v, QKV, {2, 3, 3, true}},
    {Role::q_bias, QKV ".bias", {0, 1, 3, true}},
    {Role::k_bias, QKV ".bias", {1, 2, 3, true}},
    {Role::v_bias, QKV ".bias", {2, 3, 3, true}},
    {Role::o, LAYER "attention.dense"},
    {Role::o_bias, LAYER "attention.dense.bias"},
    {Role::up, LAYER "mlp.dense_h_to_4h"},
    {Role::up_bias, LAYER "mlp.dense_h_to_4h.bias"},
    {Role::down, LAYER "mlp.dense_4h_to_h"},
    {Role::down_bias, LAYER "mlp.dense_4h_to_h.bias"},
};
#undef QKV
#undef LAYER

void read_config(const Config& config, Settings& settings) {
  if (config.is("use_parallel_residual", false)) {
    config.set_text("residual", "use_parallel_residual", "serial", settings);
  }
  read_rope(config, settings, {.field = "rotary_pct", .usual = 0.25});
  read_activation(config, "hidden_act", settings);
  refuse_other_maths(config);
}

}  // namespace

const Family& gpt_neox_family() {
  static const Family family{.name = "gpt_neox",
                             .model_types = {{"gpt_neox", {}}},
                             .assumed = {{"norm", "layer"},
                                         {"norm-eps", "1e-5"},
                                         {"rope", "half-split"},
                                         {"rope-sign", "plus"},
                                         {"rope-base", "10000"},
                                         {"residual", "parallel"},
                                         {"activation", "gelu"}},
                             .rules = {kNames, gguf_names()},
                             .settled = {"rope", "rope-sign", "swiglu"},
                             .spellings = {{"hidden_size", "width"},
                                           {"vocab_size", "vocabulary"},
                                           {"num_attention_heads", "heads"},
                                           {"max_position_embeddings", "context"},
                                           {"layer_norm_eps", "norm-eps"},
                                           {"rotary_emb_base", "rope-base"},
                                           {"rope_theta", "rope-base"},
                                           {"tie_word_embeddings", "tied-head"}},
                             .read_config = read_config,
                             .finish = check_dense_sizes};
  return family;
}

}  // namespace sb3lm
