// Llama and its relatives as Hugging Face's transformers store them: Mistral, Mixtral, Qwen2,
// Qwen3, SmolLM3 and Qwen2-MoE, the latter with stacked experts as MLX has them, too.
#include <algorithm>

#include "import/config.h"
#include "import/families/families.h"
#include "import/families/gguf_names.h"
#include "import/families/llama_names.h"
#include "model/spec_fields.h"

namespace sb3lm {
namespace {

constexpr NameRule kNames[] = {
    {Role::final_norm, "norm"},
    {Role::attention_norm, "layers.{L}.input_layernorm"},
    {Role::ffn_norm, "layers.{L}.post_attention_layernorm"},
    {Role::q_norm, "layers.{L}.self_attn.q_norm"},
    {Role::k_norm, "layers.{L}.self_attn.k_norm"},
    {Role::router, "layers.{L}.(mlp|block_sparse_moe).gate"},
    {Role::shared_router, "layers.{L}.mlp.shared_expert_gate"},
    {Role::shared_gate, "layers.{L}.mlp.shared_expert.gate_proj"},
    {Role::shared_up, "layers.{L}.mlp.shared_expert.up_proj"},
    {Role::shared_down, "layers.{L}.mlp.shared_expert.down_proj"},
    {Role::expert_gate, "layers.{L}.(mlp|block_sparse_moe).experts.{E}.(gate_proj|w1)"},
    {Role::expert_up, "layers.{L}.(mlp|block_sparse_moe).experts.{E}.(up_proj|w3)"},
    {Role::expert_down, "layers.{L}.(mlp|block_sparse_moe).experts.{E}.(down_proj|w2)"},
    {Role::expert_gate, "layers.{L}.(mlp|block_sparse_moe).(experts|switch_mlp).gate_proj"},
    {Role::expert_up, "layers.{L}.(mlp|block_sparse_moe).(experts|switch_mlp).up_proj"},
    {Role::expert_down, "layers.{L}.(mlp|block_sparse_moe).(experts|switch_mlp).down_proj"},
};

struct Windows {
  std::string_view model_type;
  WindowRule rule;
};
constexpr Windows kWindows[] = {
    {"mistral", {.where = Sliding::all, .usual = 4096}},
    {"mixtral", {.where = Sliding::all}},
    {"qwen2", {.where = Sliding::late, .usual = 4096, .on_demand = true}},
    {"qwen2_moe", {.where = Sliding::late, .usual = 4096, .on_demand = true}},
    {"qwen3", {.where = Sliding::late, .usual = 4096, .on_demand = true}},
    {"smollm3", {.where = Sliding::without_rope, .on_demand = true}},
};

/// Null for types that have no window.
const WindowRule* window_rule(const Config& config) {
  const std::string type = config.model_type();
  const auto row = std::ranges::find(kWindows, type, &Windows::model_type);
  return row == std::end(kWindows) ? nullptr : &row->rule;
}

/// SmolLM3 without a list: every fourth layer has no RoPE.
void read_rope_interval(const Config& config, Settings& settings) {
  constexpr const char* kField = "no_rope_layer_interval";
  if (config.model_type() != "smollm3" || config.find("no_rope_layers") != nullptr) return;
  const int every = config.number_or(kField, 4);
  const int layers = config.number("num_hidden_layers", limits::kLayers);
  std::vector<std::string> ropes;
  for (int layer = 1; layer <= layers; ++layer) {
    ropes.emplace_back(every > 0 && layer % every == 0 ? "none" : "half-split");
  }
  config.set_text("rope", kField, by_layer(ropes), settings);
}

void read_config(const Config& config, Settings& settings) {
  for (const bool is_chosen : {true, false}) {
    if (config.is("norm_topk_prob", is_chosen)) {
      config.set_text("router-norm", "norm_topk_prob", is_chosen ? "chosen" : "all", settings);
    }
  }
  read_rope(config, settings);
  read_activation(config, "hidden_act", settings);
  read_layer_lists(config, settings);
  read_rope_interval(config, settings);
  if (const WindowRule* rule = window_rule(config)) read_windows(config, *rule, settings);
  refuse_other_maths(config);
}

/// Sizes of mixtures, which layers beside them need not have.
void finish(const Config& config, ModelSpec& spec) {
  config.must_be("num_hidden_layers", static_cast<int>(spec.layers.size()));
  for (const LayerSpec& layer : spec.layers) {
    const FeedForwardSpec& ffn = layer.feed_forward;
    if (!ffn.is_mixture()) continue;
    config.must_be("num_experts", ffn.routed_experts);
    config.must_be("num_local_experts", ffn.routed_experts);
    config.must_be("moe_intermediate_size", ffn.hidden);
    if (ffn.shared_experts > 0) {
      config.must_be("shared_expert_intermediate_size", ffn.shared_hidden);
    }
  }
  check_layer_lists(config, spec);
  if (window_rule(config) == nullptr) refuse_window(config, spec);
  drop_wide_windows(spec);
}

}  // namespace

const Family& llama_family() {
  static const Family family{
      .name = "llama",
      .model_types = {{"llama", {}},
                      {"mistral", {}},
                      {"mixtral", {{"norm-eps", "1e-5"}, {"rope-base", "1000000"}, {"top-k", "2"}}},
                      {"qwen2", {}},
                      {"qwen2_moe", {{"router-norm", "all"}, {"top-k", "4"}}},
                      {"qwen3", {}},
                      {"smollm3", {{"rope-base", "2000000"}}}},
      .assumed = {{"rope", "half-split"},
                  {"rope-sign", "plus"},
                  {"rope-base", "10000"},
                  {"norm-eps", "1e-6"},
                  {"router-norm", "chosen"}},
      .rules = {llama_names(), kNames, gguf_names()},
      .ignored = {},
      .settled = {"rope", "rope-sign", "router-norm", "swiglu"},
      .spellings = {{"hidden_size", "width"},
                    {"vocab_size", "vocabulary"},
                    {"num_attention_heads", "heads"},
                    {"num_key_value_heads", "kv-heads"},
                    {"head_dim", "head-size"},
                    {"max_position_embeddings", "context"},
                    {"rms_norm_eps", "norm-eps"},
                    {"rope_theta", "rope-base"},
                    {"num_experts_per_tok", "top-k"},
                    {"tie_word_embeddings", "tied-head"}},
      .read_config = read_config,
      .finish = finish};
  return family;
}

}  // namespace sb3lm
