#include "import/config.h"

#include <algorithm>
#include <array>
#include <optional>

#include "model/spec_fields.h"

namespace sb3lm {
namespace {

/// Fields that mean another forward pass whenever they are set to something else than this.
struct Neutral {
  std::string_view field;
  double value;
};
constexpr std::array<Neutral, 9> kNeutral{{
    {"partial_rotary_factor", 1},
    {"embedding_multiplier", 1},
    {"residual_multiplier", 1},
    {"routed_scaling_factor", 1},
    {"logits_scaling", 1},
    {"logit_scale", 1},
    {"attn_logit_softcapping", 0},
    {"final_logit_softcapping", 0},
    {"clip_qkv", 0},
}};

constexpr std::string_view kQuantised[] = {"quantization_config", "quantization",
                                           "compression_config"};

void read_rope_field(const Config& config, std::string_view field, Settings& settings) {
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
    config.set_text("rope-base", field, *text, settings);
  } else if (rope->find("factor") != rope->end()) {
    config.fail(Fault::unsupported, "{} with a factor is not supported", field);
  }
}

struct ActivationSpelling {
  std::string_view theirs, ours;
};
constexpr ActivationSpelling kActivationSpellings[] = {
    {"silu", "silu"},
    {"swish", "silu"},
    {"swiglu", "silu"},
    {"relu2", "relu2"},
    {"relu_squared", "relu2"},
    {"squared_relu", "relu2"},
    {"leaky_relu2", "leaky-relu2"},
};

/// Where the lists of single layers stand, and the fact that each of their entries is.
struct LayerList {
  std::string_view field, fact;
};
constexpr LayerList kLayerLists[] = {{"num_key_value_heads", "kv-heads"},
                                     {"num_key_value_heads_per_layer", "kv-heads"},
                                     {"no_rope_layers", "rope"}};

// The layout of all who have such a list.
constexpr const char *kRope = "half-split", *kNoRope = "none";

/// The text of a fact for some layers ("2@0,1/4@2"), from one text for each.
std::string by_layer(const std::vector<std::string>& texts) {
  std::map<std::string, std::string> layers;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::string& own = layers[texts[i]];
    own += fmt::format("{}{}", own.empty() ? "" : ",", i);
  }
  std::string all;
  for (const auto& [text, own] : layers) {
    all += fmt::format("{}{}@{}", all.empty() ? "" : "/", text, own);
  }
  return all;
}

/// What an entry says of its layer.
std::string entry_text(const Config& config, const LayerList& list, const Json& entry) {
  const std::optional<int> number = json_as<int>(entry);
  const bool is_flag = list.fact == "rope";
  if (is_flag && entry.is_boolean()) return entry.get<bool>() ? kRope : kNoRope;
  if (!number || (is_flag && *number != 0 && *number != 1)) {
    config.fail(Fault::bad_input, "{}: {} is not {}", list.field, entry.dump(),
                is_flag ? "0 or 1" : "a whole number");
  }
  if (is_flag) return *number == 1 ? kRope : kNoRope;
  return fmt::format("{}", *number);
}

}  // namespace

Config::Config(std::string file, std::string_view json)
    : file_(std::move(file)), json_(parse_json(file_, json)) {
  if (!json_.is_object()) sb3lm::fail(Fault::bad_input, "{}: not a JSON object", file_);
}

const Json* Config::find(std::string_view field) const {
  const auto found = json_.find(std::string(field));
  return found == json_.end() || found->is_null() ? nullptr : &*found;
}

std::vector<std::string> Config::fields() const {
  std::vector<std::string> names;
  for (const auto& [name, value] : json_.items()) {
    if (!value.is_null()) names.push_back(name);
  }
  return names;
}

std::string Config::text(std::string_view field) const {
  const Json* found = find(field);
  return found != nullptr && found->is_string() ? found->get<std::string>() : "";
}

bool Config::is(std::string_view field, bool value) const {
  const Json* found = find(field);
  return found != nullptr && found->is_boolean() && found->get<bool>() == value;
}

void Config::set(std::string_view fact, std::string_view field, Settings& settings) const {
  const Json* found = find(field);
  const std::optional<std::string> text = found != nullptr ? plain_text(*found) : std::nullopt;
  if (text) set_text(fact, field, *text, settings);
}

void Config::set_text(std::string_view fact, std::string_view field, std::string_view text,
                      Settings& settings) const {
  set_from_file(fmt::format("{}: {}", file_, field), fact, text, settings);
}

void Config::must_be(std::string_view field, int shown) const {
  const Json* value = find(field);
  if (value == nullptr || *value == shown) return;
  fail(Fault::bad_input, "{} is {}, but the tensors show {}", field, value->dump(), shown);
}

void read_rope(const Config& config, Settings& settings) {
  for (const char* field : {"rope_scaling", "rope_parameters"}) {
    read_rope_field(config, field, settings);
  }
}

void read_activation(const Config& config, std::string_view field, Settings& settings) {
  const Json* found = config.find(field);
  if (found == nullptr) return;
  std::string known;
  for (const auto& [theirs, ours] : kActivationSpellings) {
    if (found->is_string() && found->get<std::string>() == theirs) {
      config.set_text("activation", field, ours, settings);
      return;
    }
    known += fmt::format("{}\"{}\"", known.empty() ? "" : ", ", theirs);
  }
  config.fail(Fault::unsupported, "{} {} is not supported, only {}", field, found->dump(), known);
}

void read_layer_lists(const Config& config, Settings& settings) {
  for (const LayerList& list : kLayerLists) {
    const Json* found = config.find(list.field);
    if (found == nullptr || !found->is_array()) continue;
    if (found->size() > static_cast<std::size_t>(limits::kLayers)) {
      config.fail(Fault::bad_input, "{} has {} entries, more than a model can have layers",
                  list.field, found->size());
    }
    std::vector<std::string> texts;
    for (const Json& entry : *found) texts.push_back(entry_text(config, list, entry));
    const bool is_plain =
        std::ranges::all_of(texts, [](const auto& text) { return text == kRope; });
    if (!is_plain) config.set_text(list.fact, list.field, by_layer(texts), settings);
  }
}

void check_layer_lists(const Config& config, const ModelSpec& spec) {
  for (const LayerList& list : kLayerLists) {
    const Json* found = config.find(list.field);
    if (found == nullptr || !found->is_array() || found->size() == spec.layers.size()) continue;
    config.fail(Fault::bad_input, "{} has {} entries, but the tensors show {} layers", list.field,
                found->size(), spec.layers.size());
  }
}

bool is_common_field(std::string_view field) {
  constexpr std::string_view kOthers[] = {"rope_scaling", "rope_parameters", "sliding_window",
                                          "use_sliding_window"};
  const auto is_it = [field](const auto& row) { return row.field == field; };
  return std::ranges::find(kOthers, field) != std::end(kOthers) ||
         std::ranges::find(kQuantised, field) != std::end(kQuantised) ||
         std::ranges::any_of(kNeutral, is_it) || std::ranges::any_of(kLayerLists, is_it);
}

void refuse_other_maths(const Config& config) {
  for (const Neutral& neutral : kNeutral) {
    const Json* value = config.find(neutral.field);
    if (value == nullptr || (value->is_number() && value->get<double>() == neutral.value)) continue;
    config.fail(Fault::unsupported, "{} {} is not supported, only {}", neutral.field, value->dump(),
                neutral.value);
  }
}

void refuse_quantised(const Config& config) {
  for (const std::string_view field : kQuantised) {
    const Json* found = config.find(field);
    if (found == nullptr) continue;
    const auto method = found->is_object() ? found->find("quant_method") : found->end();
    config.fail(Fault::unsupported,
                "{} is set{}: weights that another program has quantised are not supported; take "
                "the model that they were made from",
                field, method == found->end() ? "" : fmt::format(" ({})", method->dump()));
  }
}

void refuse_window(const Config& config, const ModelSpec& spec) {
  const Json* window = config.find("sliding_window");
  if (window == nullptr || config.is("use_sliding_window", false)) return;
  if (!window->is_number() || window->get<double>() < spec.context) {
    config.fail(Fault::unsupported,
                "sliding_window {} is shorter than the context of {}, and attention here has no "
                "window; --convention context={} stays inside it",
                window->dump(), spec.context, window->dump());
  }
}

}  // namespace sb3lm
