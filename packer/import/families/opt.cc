// OPT: LayerNorm, biases and ReLU; learned positions that begin in row 2 of their table.
#include "import/config.h"
#include "import/families/families.h"

namespace sb3lm {
namespace {

#define MODEL "(decoder.|)"
#define LAYER MODEL "layers.{L}."
constexpr NameRule kNames[] = {
    {Role::embedding, MODEL "embed_tokens"},
    {.role = Role::position_embedding, .pattern = MODEL "embed_positions", .first = 2},
    {Role::head, "lm_head"},
    {Role::final_norm, MODEL "final_layer_norm"},
    {Role::final_norm_bias, MODEL "final_layer_norm.bias"},
    {Role::attention_norm, LAYER "self_attn_layer_norm"},
    {Role::attention_norm_bias, LAYER "self_attn_layer_norm.bias"},
    {Role::q, LAYER "self_attn.q_proj"},
    {Role::k, LAYER "self_attn.k_proj"},
    {Role::v, LAYER "self_attn.v_proj"},
    {Role::o, LAYER "self_attn.out_proj"},
    {Role::q_bias, LAYER "self_attn.q_proj.bias"},
    {Role::k_bias, LAYER "self_attn.k_proj.bias"},
    {Role::v_bias, LAYER "self_attn.v_proj.bias"},
    {Role::o_bias, LAYER "self_attn.out_proj.bias"},
    {Role::ffn_norm, LAYER "final_layer_norm"},
    {Role::ffn_norm_bias, LAYER "final_layer_norm.bias"},
    {Role::up, LAYER "fc1"},
    {Role::up_bias, LAYER "fc1.bias"},
    {Role::down, LAYER "fc2"},
    {Role::down_bias, LAYER "fc2.bias"},
};
#undef LAYER
#undef MODEL

void read_config(const Config& config, Settings& settings) {
  if (config.is("do_layer_norm_before", false)) {
    config.fail(Fault::unsupported, "do_layer_norm_before false is not supported, only true");
  }
  read_activation(config, "activation_function", settings);
  refuse_other_maths(config);
}

void finish(const Config& config, ModelSpec& spec) {
  config.must_be("num_hidden_layers", static_cast<int>(spec.layers.size()));
  config.must_be("ffn_dim", spec.layers.front().feed_forward.hidden);
  config.must_be("word_embed_proj_dim", spec.width);
}

}  // namespace

const Family& opt_family() {
  static const Family family{
      .name = "opt",
      .model_types = {{"opt", {}}},
      .assumed = {{"norm", "layer"}, {"norm-eps", "1e-5"}, {"activation", "relu"}},
      .rules = {kNames},
      .ignored = {},
      .settled = {"rope", "rope-sign", "swiglu"},
      .spellings = {{"hidden_size", "width"},
                    {"vocab_size", "vocabulary"},
                    {"num_attention_heads", "heads"},
                    {"max_position_embeddings", "context"},
                    {"tie_word_embeddings", "tied-head"}},
      .read_config = read_config,
      .finish = finish};
  return family;
}

}  // namespace sb3lm
