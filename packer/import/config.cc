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
constexpr std::array<Neutral, 8> kNeutral{{
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
    {"relu", "relu"},
    {"gelu", "gelu"},
    {"gelu_python", "gelu"},
    {"gelu_new", "gelu-tanh"},
    {"gelu_pytorch_tanh", "gelu-tanh"},
    {"gelu_fast", "gelu-tanh"},
};

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

int Config::number(std::string_view field, int most) const {
  const Json* found = find(field);
  const std::optional<int> number = found != nullptr ? json_as<int>(*found) : std::nullopt;
  if (number && *number >= 1 && *number <= most) return *number;
  fail(Fault::bad_input, "{} is {}; it is a whole number from 1 to {}", field,
       found != nullptr ? found->dump() : "missing", most);
}

int Config::number_or(std::string_view field, int otherwise) const {
  const Json* found = find(field);
  if (found == nullptr || *found == 0) return found == nullptr ? otherwise : 0;
  return number(field, limits::kExtent);
}

std::optional<int> Config::head_size() const {
  if (const Json* said = find("head_dim")) return json_as<int>(*said);
  const int heads = number_or("num_attention_heads", 0), width = number_or("hidden_size", 0);
  return heads > 0 && width > 0 ? std::optional(width / heads) : std::nullopt;
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

bool is_common_field(std::string_view field) {
  constexpr std::string_view kOthers[] = {"rope_scaling", "rope_parameters", "sliding_window",
                                          "use_sliding_window", "partial_rotary_factor"};
  const auto is_it = [field](const auto& row) { return row.field == field; };
  return std::ranges::find(kOthers, field) != std::end(kOthers) ||
         std::ranges::find(kQuantised, field) != std::end(kQuantised) ||
         std::ranges::any_of(kNeutral, is_it) || is_layer_list(field);
}

void refuse_other_maths(const Config& config, std::initializer_list<std::string_view> known) {
  for (const Neutral& neutral : kNeutral) {
    const Json* value = config.find(neutral.field);
    if (std::ranges::find(known, neutral.field) != known.end()) continue;
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

void check_dense_sizes(const Config& config, ModelSpec& spec) {
  config.must_be("num_hidden_layers", static_cast<int>(spec.layers.size()));
  config.must_be("intermediate_size", spec.layers.front().feed_forward.hidden);
}

}  // namespace sb3lm
