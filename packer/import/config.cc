#include "import/config.h"

#include <array>
#include <optional>

namespace sb3lm {
namespace {

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

}  // namespace

Config::Config(std::string file, std::string_view json)
    : file_(std::move(file)), json_(parse_json(file_, json)) {
  if (!json_.is_object()) sb3lm::fail(Fault::bad_input, "{}: not a JSON object", file_);
}

const Json* Config::find(std::string_view field) const {
  const auto found = json_.find(std::string(field));
  return found == json_.end() || found->is_null() ? nullptr : &*found;
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
