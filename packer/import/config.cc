#include "import/config.h"

#include <array>
#include <optional>

#include "base/error.h"
#include "import/json.h"

namespace sb3lm {
namespace {

/// Model types whose forward pass is ours, and what their configuration classes in Hugging Face's
/// transformers assume where a file says nothing.
struct Family {
  std::string_view model_type;
  std::string_view norm_eps, rope_base;
  std::string_view router_norm, top_k;  // empty: it has no experts
};
constexpr std::array<Family, 5> kFamilies{{
    {"llama", "1e-6", "10000", "", ""},
    {"mistral", "1e-6", "10000", "", ""},
    {"mixtral", "1e-5", "1000000", "chosen", "2"},
    {"qwen2", "1e-6", "10000", "", ""},
    {"qwen2_moe", "1e-6", "10000", "all", "4"},
}};

/// Fields that mean another forward pass whenever they are set to something else than this.
struct Neutral {
  std::string_view field;
  double value;
};
constexpr std::array<Neutral, 8> kNeutral{{
    {"partial_rotary_factor", 1},
    {"embedding_multiplier", 1},
    {"residual_multiplier", 1},
    {"logits_scaling", 1},
    {"logit_scale", 1},
    {"attn_logit_softcapping", 0},
    {"final_logit_softcapping", 0},
    {"clip_qkv", 0},
}};

class Config {
 public:
  Config(const std::string& file, std::string_view json)
      : file_(file), json_(parse_json(file, json)) {
    if (!json_.is_object()) sb3lm::fail(Fault::bad_input, "{}: not a JSON object", file);
  }

  const Json& json() const { return json_; }

  /// Null if the field is missing or null.
  const Json* find(std::string_view field) const {
    const auto found = json_.find(std::string(field));
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }

  std::string text(std::string_view field) const {
    const Json* found = find(field);
    return found != nullptr && found->is_string() ? found->get<std::string>() : "";
  }

  bool is(std::string_view field, bool value) const {
    const Json* found = find(field);
    return found != nullptr && found->is_boolean() && found->get<bool>() == value;
  }

  const Family* family() const {
    for (const Family& family : kFamilies) {
      if (family.model_type == text("model_type")) return &family;
    }
    return nullptr;
  }

  template <class... Args>
  [[noreturn]] void fail(Fault fault, fmt::format_string<Args...> format, Args&&... args) const {
    sb3lm::fail(fault, "{}: {}", file_, fmt::format(format, std::forward<Args>(args)...));
  }

  void set(std::string_view name, std::string_view value, Conventions& conventions) const {
    set_from_file(file_, name, value, conventions);
  }

 private:
  const std::string& file_;
  Json json_;
};

void set_defaults(const Config& config, Conventions& conventions) {
  const Family* family = config.family();
  if (family == nullptr) return;
  config.set("norm-eps", family->norm_eps, conventions);
  config.set("rope-base", family->rope_base, conventions);
  if (family->top_k.empty()) return;
  config.set("router-norm", family->router_norm, conventions);
  config.set("top-k", family->top_k, conventions);
}

/// `rope_scaling` of older files, `rope_parameters` of newer ones: {"rope_type": ..., ...}.
void read_rope(const Config& config, std::string_view field, Conventions& conventions) {
  const Json* rope = config.find(field);
  if (rope == nullptr) return;
  if (!rope->is_object()) config.fail(Fault::bad_input, "{} is not an object", field);
  for (const char* key : {"rope_type", "type"}) {
    const auto type = rope->find(key);
    if (type != rope->end() && *type != "default") {
      config.fail(Fault::unsupported, "{} of type {} is not supported, only \"default\"", field,
                  type->dump());
    }
  }
  if (const auto theta = rope->find("rope_theta"); theta != rope->end()) {
    const std::optional<std::string> text = plain_text(*theta);
    if (!text) config.fail(Fault::bad_input, "{}: rope_theta is not a number", field);
    config.set("rope-base", *text, conventions);
  } else if (rope->find("factor") != rope->end()) {
    config.fail(Fault::unsupported, "{} with a factor is not supported", field);
  }
}

void refuse_other_maths(const Config& config) {
  if (const Json* act = config.find("hidden_act"); act != nullptr && *act != "silu") {
    config.fail(Fault::unsupported, "hidden_act {} is not supported, only \"silu\"", act->dump());
  }
  for (const Neutral& neutral : kNeutral) {
    const Json* value = config.find(neutral.field);
    if (value == nullptr || (value->is_number() && value->get<double>() == neutral.value)) continue;
    config.fail(Fault::unsupported, "{} {} is not supported, only {}", neutral.field, value->dump(),
                neutral.value);
  }
  if (config.find("quantization_config") != nullptr) {
    config.fail(Fault::unsupported,
                "quantization_config is set: weights that another program has "
                "quantised are not supported");
  }
}

/// One size that a config.json repeats.
struct Size {
  std::string_view field;
  int value;
};

std::vector<Size> sizes_of(const ModelSpec& spec) {
  std::vector<Size> sizes = {{"hidden_size", spec.width},
                             {"vocab_size", spec.vocabulary},
                             {"num_hidden_layers", static_cast<int>(spec.layers.size())}};
  for (const LayerSpec& layer : spec.layers) {
    const FeedForwardSpec& ffn = layer.feed_forward;
    if (!ffn.is_mixture()) continue;
    sizes.push_back({"num_experts", ffn.routed_experts});
    sizes.push_back({"num_local_experts", ffn.routed_experts});
    sizes.push_back({"moe_intermediate_size", ffn.hidden});
    if (ffn.shared_experts > 0) {
      sizes.push_back({"shared_expert_intermediate_size", ffn.shared_hidden});
    }
  }
  return sizes;
}

void check_window(const Config& config, const ModelSpec& spec) {
  const Json* window = config.find("sliding_window");
  if (window == nullptr || config.is("use_sliding_window", false)) return;
  if (!window->is_number() || window->get<double>() < spec.context) {
    config.fail(Fault::unsupported,
                "sliding_window {} is shorter than the context of {}, and attention here has no "
                "window; --convention context={} stays inside it",
                window->dump(), spec.context, window->dump());
  }
}

}  // namespace

void read_config(const std::string& file, std::string_view json, Conventions& conventions) {
  const Config config(file, json);
  set_defaults(config, conventions);
  const bool is_hugging_face = !config.text("model_type").empty();
  for (const auto& [key, value] : config.json().items()) {
    if (is_hugging_face && key == "top_k") continue;  // there it is a setting of the sampler
    const std::string_view ours = convention_named(key);
    const std::optional<std::string> text = plain_text(value);
    if (!ours.empty() && text) config.set(ours, *text, conventions);
  }
  for (const bool is_chosen : {true, false}) {
    if (config.is("norm_topk_prob", is_chosen)) {
      config.set("router-norm", is_chosen ? "chosen" : "all", conventions);
    }
  }
  read_rope(config, "rope_scaling", conventions);
  read_rope(config, "rope_parameters", conventions);
  refuse_other_maths(config);
}

bool config_ties_head(const std::string& file, std::string_view json) {
  return Config(file, json).is("tie_word_embeddings", true);
}

void check_config(const std::string& file, std::string_view json, const std::string& checkpoint,
                  const ModelSpec& spec) {
  const Config config(file, json);
  if (!config.text("model_type").empty() && config.family() == nullptr) {
    std::string known;
    for (const Family& family : kFamilies) known += fmt::format(" {}", family.model_type);
    config.fail(Fault::unsupported, "model_type '{}' is not supported; these are:{}",
                config.text("model_type"), known);
  }
  for (const Size& size : sizes_of(spec)) {
    const Json* value = config.find(size.field);
    if (value == nullptr || *value == size.value) continue;
    config.fail(Fault::bad_input, "{} is {}, but the tensors of {} show {}", size.field,
                value->dump(), checkpoint, size.value);
  }
  if (config.is("tie_word_embeddings", false) && spec.tied_head) {
    config.fail(Fault::bad_input, "tie_word_embeddings is false, but {} has no head", checkpoint);
  }
  check_window(config, spec);
}

}  // namespace sb3lm
