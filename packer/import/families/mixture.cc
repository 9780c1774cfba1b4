// Mixtures of experts whose program we do not know ("custom code"): Llama's layers with experts, in
// the spellings that such code uses, behind any prefix. A field of config.json that is not
// understood is refused, and what nothing says is told.
#include <algorithm>

#include "import/config.h"
#include "import/families/families.h"
#include "import/naming.h"
#include "import/packed.h"

namespace sb3lm {
namespace {

constexpr NameRule kNames[] = {
    {Role::embedding,
     "(embed_tokens|wte|tok_embeddings|tok_emb|token_embedding|token_embeddings|token_emb|"
     "embeddings|embedding|embed)"},
    {Role::head, "(lm_head|head|output|output_head|out_head)"},
    {Role::final_norm, "(norm|final_norm|norm_f|ln_f|final_layernorm|norm_out|output_norm)"},
    {Role::attention_norm,
     "(layers|blocks|h|block|layer).{L}."
     "(input_layernorm|attention_norm|attn_norm|input_norm|norm1|norm_1|ln1|ln_1|rms_1|norm_attn|"
     "ln_attn|pre_attn_norm)"},
    {Role::ffn_norm,
     "(layers|blocks|h|block|layer).{L}."
     "(post_attention_layernorm|ffn_norm|moe_norm|mlp_norm|post_norm|norm2|norm_2|ln2|ln_2|rms_2|"
     "norm_ffn|norm_moe|norm_mlp|ln_ffn|ln_moe|ln_mlp|pre_ffn_norm|pre_mlp_norm|pre_moe_norm)"},
};

#define ATTENTION "(layers|blocks|h|block|layer).{L}.(self_attn|attn|attention|self_attention)."
constexpr NameRule kAttention[] = {
    {Role::q, ATTENTION "(q_proj|wq|w_q|q|query|query_proj|q_linear)"},
    {Role::k, ATTENTION "(k_proj|wk|w_k|k|key|key_proj|k_linear)"},
    {Role::v, ATTENTION "(v_proj|wv|w_v|v|value|value_proj|v_linear)"},
    {Role::o,
     ATTENTION "(o_proj|wo|w_o|o|out|out_proj|output_proj|o_linear|out_linear|c_proj|proj)"},
    {Role::q_bias, ATTENTION "(q_proj|wq|w_q|q|query|query_proj|q_linear).bias"},
    {Role::k_bias, ATTENTION "(k_proj|wk|w_k|k|key|key_proj|k_linear).bias"},
    {Role::v_bias, ATTENTION "(v_proj|wv|w_v|v|value|value_proj|v_linear).bias"},
};
#undef ATTENTION

#define FFN \
  "(layers|blocks|h|block|layer).{L}.(block_sparse_moe|moe|mlp|ffn|feed_forward|moe_layer|smoe)."
#define INTO "(up_proj|up|w3|w_up|v1|fc1|fc_in|c_fc|linear1|lin1|w_in|net.0|0)"
#define GATE "(gate_proj|gate|w1|w_gate|linear_gate)"
#define OUT_OF "(down_proj|down|w2|w_down|fc2|fc_out|c_proj|linear2|lin2|w_out|net.2|net.3|2|3)"
#define SHARED "(shared_expert|shared_experts|shared|shared_mlp)."
constexpr NameRule kMixture[] = {
    {Role::router,
     FFN "(gate|router|gating|gate.gate|gate.wg|router.gate|router.layer|router.linear|"
         "router.proj|router.classifier)"},
    {Role::expert_gate, FFN "experts.{E}.(mlp.|ffn.|)" GATE},
    {Role::expert_up, FFN "experts.{E}.(mlp.|ffn.|)" INTO},
    {Role::expert_down, FFN "experts.{E}.(mlp.|ffn.|)" OUT_OF},
    {Role::expert_gate, FFN "(experts|switch_mlp).(gate_proj|w1)"},
    {Role::expert_up, FFN "(experts|switch_mlp).(up_proj|w3)"},
    {Role::expert_gate, FFN "experts.gate_up_proj", {0, 1, 2}},
    {Role::expert_up, FFN "experts.gate_up_proj", {1, 2, 2}},
    {Role::expert_down, FFN "(experts|switch_mlp).(down_proj|w2)"},
    {Role::shared_router, FFN "(shared_expert_gate|shared_gate|shared_router)"},
    {Role::shared_gate, FFN SHARED GATE},
    {Role::shared_up, FFN SHARED INTO},
    {Role::shared_down, FFN SHARED OUT_OF},
};

constexpr NameRule kDense[] = {
    {Role::gate, FFN "(gate_proj|w1|w_gate)"},
    {Role::up, FFN INTO},
    {Role::down, FFN OUT_OF},
};
#undef FFN
#undef INTO
#undef GATE
#undef OUT_OF
#undef SHARED

constexpr std::string_view kActivations[] = {"hidden_act", "hidden_activation", "activation",
                                             "activation_function", "act_fn"};
constexpr std::string_view kExperts[] = {"num_local_experts", "num_experts", "n_experts",
                                         "num_routed_experts", "n_routed_experts"};
constexpr std::string_view kLayers[] = {"num_hidden_layers", "num_layers", "n_layers", "n_layer"};
constexpr std::string_view kSharedExperts[] = {"num_shared_experts", "n_shared_experts"};
constexpr std::string_view kRenormalises[] = {"norm_topk_prob", "normalize_router_weights"};
/// Hidden widths: of experts, of dense layers, of the shared expert.
constexpr std::string_view kWidths[] = {"intermediate_size",
                                        "moe_intermediate_size",
                                        "shared_expert_intermediate_size",
                                        "expert_hidden_size",
                                        "hidden_dim",
                                        "ffn_dim",
                                        "ffn_hidden_size",
                                        "d_ff",
                                        "n_inner"};
/// What the tensors show, or what only training and sampling look at.
constexpr std::string_view kSilent[] = {"model_type",
                                        "architectures",
                                        "auto_map",
                                        "torch_dtype",
                                        "dtype",
                                        "transformers_version",
                                        "_name_or_path",
                                        "name_or_path",
                                        "use_cache",
                                        "initializer_range",
                                        "init_std",
                                        "pretraining_tp",
                                        "gradient_checkpointing",
                                        "is_decoder",
                                        "tokenizer_class",
                                        "attn_implementation",
                                        "_attn_implementation",
                                        "use_flash_attention",
                                        "output_router_logits",
                                        "output_attentions",
                                        "output_hidden_states",
                                        "return_dict",
                                        "attention_bias",
                                        "mlp_bias",
                                        "qkv_bias",
                                        "bias",
                                        "use_bias",
                                        "decoder_sparse_step",
                                        "mlp_only_layers",
                                        "moe_layers",
                                        "moe_layer_freq",
                                        "first_k_dense_replace",
                                        "max_window_layers",
                                        "router_jitter_noise",
                                        "router_z_loss_coef",
                                        "router_aux_loss_coef",
                                        "aux_loss_coef",
                                        "load_balancing_loss_coef"};
/// Parts of fields' names that say the same of all of them.
constexpr std::string_view kSilentParts[] = {"dropout", "_pdrop", "_token_id"};

/// Where two say something, the later one is meant: older files call sampling's limit top_k, too.
const std::vector<FactSpelling>& spellings() {
  static const std::vector<FactSpelling> all = {{"hidden_size", "width"},
                                                {"d_model", "width"},
                                                {"n_embd", "width"},
                                                {"embed_dim", "width"},
                                                {"dim", "width"},
                                                {"vocab_size", "vocabulary"},
                                                {"num_attention_heads", "heads"},
                                                {"num_heads", "heads"},
                                                {"n_heads", "heads"},
                                                {"n_head", "heads"},
                                                {"num_key_value_heads", "kv-heads"},
                                                {"num_kv_heads", "kv-heads"},
                                                {"n_kv_heads", "kv-heads"},
                                                {"n_kv_head", "kv-heads"},
                                                {"head_dim", "head-size"},
                                                {"max_position_embeddings", "context"},
                                                {"max_seq_len", "context"},
                                                {"max_seq_length", "context"},
                                                {"context_length", "context"},
                                                {"block_size", "context"},
                                                {"n_positions", "context"},
                                                {"n_ctx", "context"},
                                                {"rms_norm_eps", "norm-eps"},
                                                {"norm_eps", "norm-eps"},
                                                {"rope_theta", "rope-base"},
                                                {"rope_base", "rope-base"},
                                                {"top_k", "top-k"},
                                                {"moe_top_k", "top-k"},
                                                {"num_selected_experts", "top-k"},
                                                {"num_experts_per_token", "top-k"},
                                                {"n_experts_per_tok", "top-k"},
                                                {"num_experts_per_tok", "top-k"},
                                                {"tie_word_embeddings", "tied-head"},
                                                {"tie_weights", "tied-head"}};
  return all;
}

using Names = std::span<const std::string_view>;

bool is_understood(std::string_view field) {
  const Names known[] = {kActivations,  kExperts, kLayers, kSharedExperts,
                         kRenormalises, kWidths,  kSilent};
  const auto lists = [field](Names names) {
    return std::ranges::find(names, field) != names.end();
  };
  const auto is_it = [field](const FactSpelling& row) { return row.theirs == field; };
  const auto has = [field](std::string_view part) { return field.find(part) != field.npos; };
  return std::ranges::any_of(known, lists) || std::ranges::any_of(spellings(), is_it) ||
         std::ranges::any_of(kSilentParts, has) || is_common_field(field);
}

bool claims(const Container& container, const Config* config) {
  if (config == nullptr) return false;
  const auto is_packed = [](const StoredTensor& tensor) { return is_packed_name(tensor.name); };
  return std::ranges::any_of(kExperts,
                             [&](std::string_view field) { return config->find(field); }) &&
         std::ranges::none_of(container.tensors, is_packed);
}

void read_config(const Config& config, Settings& settings) {
  for (const std::string& field : config.fields()) {
    if (is_understood(field)) continue;
    config.fail(Fault::unsupported,
                "{} {} is not understood, and may mean another forward pass; if it does not, take "
                "it out of the file",
                field, config.find(field)->dump());
  }
  for (const std::string_view field : kRenormalises) {
    if (config.is(field, true)) config.set_text("router-norm", field, "chosen", settings);
    if (config.is(field, false)) config.set_text("router-norm", field, "all", settings);
  }
  for (const std::string_view field : kActivations) read_activation(config, field, settings);
  read_rope(config, settings);
  read_layer_lists(config, settings);
  refuse_other_maths(config);
}

std::vector<int> hidden_widths(const ModelSpec& spec) {
  std::vector<int> widths;
  for (const LayerSpec& layer : spec.layers) {
    const FeedForwardSpec& ffn = layer.feed_forward;
    widths.push_back(ffn.hidden);
    if (ffn.shared_experts > 0) widths.push_back(ffn.shared_hidden);
  }
  return widths;
}

/// Sizes that are there once more, and lists that must have an entry for each layer.
void finish(const Config& config, ModelSpec& spec) {
  for (const std::string_view field : kLayers) {
    config.must_be(field, static_cast<int>(spec.layers.size()));
  }
  for (const LayerSpec& layer : spec.layers) {
    const FeedForwardSpec& ffn = layer.feed_forward;
    if (!ffn.is_mixture()) continue;
    for (const std::string_view field : kExperts) config.must_be(field, ffn.routed_experts);
    for (const std::string_view field : kSharedExperts) {
      const Json* count = config.find(field);
      if (count != nullptr && (*count != 0) != (ffn.shared_experts > 0)) {
        config.fail(Fault::bad_input, "{} is {}, but the tensors show {} shared expert", field,
                    count->dump(), ffn.shared_experts > 0 ? "a" : "no");
      }
    }
  }
  const std::vector<int> widths = hidden_widths(spec);
  for (const std::string_view field : kWidths) {
    const Json* width = config.find(field);
    if (width == nullptr) continue;
    if (std::ranges::none_of(widths, [width](int shown) { return *width == shown; })) {
      config.must_be(field, widths.front());
    }
  }
  check_layer_lists(config, spec);
  refuse_window(config, spec);
}

struct Trio {
  Role gate, up, down;
};
constexpr Trio kTrios[] = {{Role::gate, Role::up, Role::down},
                           {Role::shared_gate, Role::shared_up, Role::shared_down},
                           {Role::expert_gate, Role::expert_up, Role::expert_down}};

/// w1 and w2 alone are up and down. Of w1, w2 and w3, some call the last one what leads out; true
/// if it was so here.
bool settle(const Trio& trio, std::map<Role, NamedGroup*>& of) {
  NamedGroup *gate = of[trio.gate], *up = of[trio.up], *down = of[trio.down];
  if (gate == nullptr) return false;
  if (up == nullptr) gate->key.role = trio.up;
  if (up == nullptr || down == nullptr || down->extent != gate->extent) return false;
  if (up->extent == gate->extent) return false;
  std::swap(up->key.role, down->key.role);
  return true;
}

std::vector<std::string> settle_roles(std::vector<NamedGroup>& named) {
  bool turned = false;
  for (const Trio& trio : kTrios) {
    std::map<std::pair<int, int>, std::map<Role, NamedGroup*>> blocks;
    for (NamedGroup& entry : named) {
      const Role role = entry.key.role;
      if (role != trio.gate && role != trio.up && role != trio.down) continue;
      blocks[{entry.key.layer, entry.key.expert}][role] = &entry;
    }
    for (auto& [place, of] : blocks) turned = settle(trio, of) || turned;
  }
  if (!turned) return {};
  return {"by the shapes of w2 and w3, w3 is what leads out of a feed forward"};
}

}  // namespace

const Family& mixture_family() {
  static const Family family{
      .name = "mixture of experts",
      .model_types = {},
      .assumed = {{"rope", "half-split"},
                  {"rope-sign", "plus"},
                  {"rope-base", "10000"},
                  {"norm-eps", "1e-5"},
                  {"activation", "silu"},
                  {"router-norm", "chosen"}},
      .rules = {kNames, kAttention, kMixture, kDense},
      .ignored = {"inv_freq", ".cos_cached", ".sin_cached", ".mask", ".causal_mask"},
      .settled = {"rope-sign"},
      .spellings = spellings(),
      .any_prefix = true,
      .tells_assumptions = true,
      .claims = claims,
      .settle_roles = settle_roles,
      .read_config = read_config,
      .finish = finish};
  return family;
}

}  // namespace sb3lm
