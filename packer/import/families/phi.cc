// Phi (1, 1.5 and 2): one LayerNorm per layer, which attention and feed forward both read, and a
// head with a bias.
#include "import/config.h"
#include "import/families/families.h"
#include "import/families/gguf_names.h"
#include "import/families/llama_names.h"

namespace sb3lm {
namespace {

constexpr NameRule kNames[] = {
    {Role::head_bias, "lm_head.bias"},
    {Role::final_norm, "final_layernorm"},
    {Role::final_norm_bias, "final_layernorm.bias"},
    {Role::attention_norm, "layers.{L}.input_layernorm"},
    {Role::attention_norm_bias, "layers.{L}.input_layernorm.bias"},
    {Role::o, "layers.{L}.self_attn.dense"},
    {Role::o_bias, "layers.{L}.self_attn.dense.bias"},
    {Role::up, "layers.{L}.mlp.fc1"},
    {Role::up_bias, "layers.{L}.mlp.fc1.bias"},
    {Role::down, "layers.{L}.mlp.fc2"},
    {Role::down_bias, "layers.{L}.mlp.fc2.bias"},
};

void read_config(const Config& config, Settings& settings) {
  if (config.is("qk_layernorm", true)) {
    config.fail(Fault::unsupported, "qk_layernorm true is not supported, only false");
  }
  read_rope(config, settings, {.field = "partial_rotary_factor", .usual = 0.5});
  read_activation(config, "hidden_act", settings);
  refuse_other_maths(config);
}

}  // namespace

const Family& phi_family() {
  static const Family family{.name = "phi",
                             .model_types = {{"phi", {}}},
                             .assumed = {{"norm", "layer"},
                                         {"norm-eps", "1e-5"},
                                         {"rope", "half-split"},
                                         {"rope-sign", "plus"},
                                         {"rope-base", "10000"},
                                         {"residual", "parallel-one-norm"},
                                         {"activation", "gelu-tanh"}},
                             .rules = {llama_names(), kNames, gguf_names()},
                             .settled = {"rope", "rope-sign", "swiglu"},
                             .spellings = {{"hidden_size", "width"},
                                           {"vocab_size", "vocabulary"},
                                           {"num_attention_heads", "heads"},
                                           {"num_key_value_heads", "kv-heads"},
                                           {"max_position_embeddings", "context"},
                                           {"layer_norm_eps", "norm-eps"},
                                           {"rope_theta", "rope-base"},
                                           {"tie_word_embeddings", "tied-head"}},
                             .read_config = read_config,
                             .finish = check_dense_sizes};
  return family;
}

}  // namespace sb3lm
