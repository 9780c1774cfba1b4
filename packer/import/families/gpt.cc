// GPT-2 and GPT-Neo: learned positions, LayerNorm, biases. GPT-2 stores its matrices input x
// output, and q, k and v as one; GPT-Neo divides no scores, and every second layer sees a window
// only.
#include "import/config.h"
#include "import/families/families.h"
#include "import/families/gguf_names.h"

namespace sb3lm {
namespace {

// Files of the model alone have no prefix.
#define MODEL "(transformer.|)"
#define LAYER MODEL "h.{L}."
constexpr NameRule kShared[] = {
    {Role::embedding, MODEL "wte"},
    {Role::position_embedding, MODEL "wpe"},
    {Role::head, "lm_head"},
    {Role::final_norm, MODEL "ln_f"},
    {Role::final_norm_bias, MODEL "ln_f.bias"},
    {Role::attention_norm, LAYER "ln_1"},
    {Role::attention_norm_bias, LAYER "ln_1.bias"},
    {Role::ffn_norm, LAYER "ln_2"},
    {Role::ffn_norm_bias, LAYER "ln_2.bias"},
    {Role::up_bias, LAYER "mlp.c_fc.bias"},
    {Role::down_bias, LAYER "mlp.c_proj.bias"},
};

constexpr NameRule kGpt2[] = {
    {Role::q, LAYER "attn.c_attn", {0, 1, 3}, true},
    {Role::k, LAYER "attn.c_attn", {1, 2, 3}, true},
    {Role::v, LAYER "attn.c_attn", {2, 3, 3}, true},
    {Role::q_bias, LAYER "attn.c_attn.bias", {0, 1, 3}},
    {Role::k_bias, LAYER "attn.c_attn.bias", {1, 2, 3}},
    {Role::v_bias, LAYER "attn.c_attn.bias", {2, 3, 3}},
    {.role = Role::o, .pattern = LAYER "attn.c_proj", .transposed = true},
    {Role::o_bias, LAYER "attn.c_proj.bias"},
    {.role = Role::up, .pattern = LAYER "mlp.c_fc", .transposed = true},
    {.role = Role::down, .pattern = LAYER "mlp.c_proj", .transposed = true},
};

constexpr NameRule kNeo[] = {
    {Role::q, LAYER "attn.attention.q_proj"},
    {Role::k, LAYER "attn.attention.k_proj"},
    {Role::v, LAYER "attn.attention.v_proj"},
    {Role::o, LAYER "attn.attention.out_proj"},
    {Role::o_bias, LAYER "attn.attention.out_proj.bias"},
    {Role::up, LAYER "mlp.c_fc"},
    {Role::down, LAYER "mlp.c_proj"},
};
#undef LAYER
#undef MODEL

void read_gpt2(const Config& config, Settings& settings) {
  for (const char* field : {"scale_attn_by_inverse_layer_idx", "add_cross_attention"}) {
    if (config.is(field, true)) {
      config.fail(Fault::unsupported, "{} true is not supported, only false", field);
    }
  }
  if (config.is("scale_attn_weights", false)) {
    config.set_text("score-scale", "scale_attn_weights", "1", settings);
  }
  read_activation(config, "activation_function", settings);
  refuse_other_maths(config);
}

void read_neo(const Config& config, Settings& settings) {
  constexpr int kUsualWindow = 256;
  read_local_attention(config, kUsualWindow, settings);
  read_activation(config, "activation_function", settings);
  refuse_other_maths(config);
}

void finish(const Config& config, ModelSpec& spec) {
  for (const char* field : {"n_layer", "num_layers"}) {
    config.must_be(field, static_cast<int>(spec.layers.size()));
  }
  for (const char* field : {"n_inner", "intermediate_size"}) {
    config.must_be(field, spec.layers.front().feed_forward.hidden);
  }
  check_layer_lists(config, spec);
  drop_wide_windows(spec);
}

std::vector<Assumption> assumed_of_both() {
  return {{"norm", "layer"}, {"norm-eps", "1e-5"}, {"activation", "gelu-tanh"}};
}

}  // namespace

const Family& gpt2_family() {
  static const Family family{.name = "gpt2",
                             .model_types = {{"gpt2", {}}},
                             .assumed = assumed_of_both(),
                             .rules = {kShared, kGpt2, gguf_names()},
                             .settled = {"rope", "rope-sign", "swiglu"},
                             .spellings = {{"n_embd", "width"},
                                           {"vocab_size", "vocabulary"},
                                           {"n_head", "heads"},
                                           {"n_ctx", "context"},
                                           {"n_positions", "context"},
                                           {"layer_norm_epsilon", "norm-eps"},
                                           {"tie_word_embeddings", "tied-head"}},
                             .read_config = read_gpt2,
                             .finish = finish};
  return family;
}

const Family& gpt_neo_family() {
  static const Family family{.name = "gpt_neo",
                             .model_types = {{"gpt_neo", {{"score-scale", "1"}}}},
                             .assumed = assumed_of_both(),
                             .rules = {kShared, kNeo},
                             .settled = {"rope", "rope-sign", "swiglu"},
                             .spellings = {{"hidden_size", "width"},
                                           {"vocab_size", "vocabulary"},
                                           {"num_heads", "heads"},
                                           {"max_position_embeddings", "context"},
                                           {"layer_norm_epsilon", "norm-eps"},
                                           {"tie_word_embeddings", "tied-head"}},
                             .read_config = read_neo,
                             .finish = finish};
  return family;
}

}  // namespace sb3lm
