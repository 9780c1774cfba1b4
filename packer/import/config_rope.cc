// What config.json says of RoPE: `rope_scaling` of older files, `rope_parameters` of newer ones,
// and which part of each head turns.
#include <cmath>

#include "import/config.h"
#include "model/spec_fields.h"

namespace sb3lm {
namespace {

constexpr const char* kFields[] = {"rope_scaling", "rope_parameters"};
constexpr const char* kPart = "partial_rotary_factor";

/// One of these objects.
class RopeObject {
 public:
  RopeObject(const Config& config, const char* field, const Json& json)
      : config_(config), field_(field), json_(json) {
    if (!json.is_object()) config.fail(Fault::bad_input, "{} is not an object", field);
    for (const auto& [key, value] : json.items()) {
      if (!value.is_object()) continue;
      config.fail(Fault::unsupported, "{}: RoPE of its own for {} is not supported", field, key);
    }
  }

  void read(Settings& settings) const {
    set("rope-base", "rope_theta", settings);
    const std::string type = type_text();
    if (type.empty() && find("factor") != nullptr && find("rope_theta") == nullptr) {
      config_.fail(Fault::unsupported, "{} with a factor and no type is not supported", field_);
    }
    if (type.empty() || type == "default") return;
    if (type != "linear" && type != "llama3") {
      config_.fail(
          Fault::unsupported,
          "{} of type \"{}\" is not supported, only \"default\", \"linear\" and \"llama3\"", field_,
          type);
    }
    config_.set_text("rope-scaling", field_, type, settings);
    need("rope-scaling-factor", "factor", settings);
    if (type == "linear") return;
    need("rope-low-frequency", "low_freq_factor", settings);
    need("rope-high-frequency", "high_freq_factor", settings);
    need("rope-original-positions", "original_max_position_embeddings", settings);
  }

 private:
  const Json* find(const char* key) const {
    const auto found = json_.find(key);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }

  /// Older files say `type`, some both.
  std::string type_text() const {
    std::string said;
    for (const char* key : {"rope_type", "type"}) {
      const Json* type = find(key);
      if (type == nullptr) continue;
      const std::string text = type->is_string() ? type->get<std::string>() : type->dump();
      if (!said.empty() && text != said) {
        config_.fail(Fault::bad_input, "{} is of type \"{}\" and of type \"{}\"", field_, said,
                     text);
      }
      said = text;
    }
    return said;
  }

  void set(const char* fact, const char* key, Settings& settings) const {
    const Json* value = find(key);
    if (value == nullptr) return;
    const std::optional<std::string> text = plain_text(*value);
    if (!text) config_.fail(Fault::bad_input, "{}: {} is not a number", field_, key);
    config_.set_text(fact, field_, *text, settings);
  }

  void need(const char* fact, const char* key, Settings& settings) const {
    if (find(key) == nullptr) config_.fail(Fault::bad_input, "{} has no {}", field_, key);
    set(fact, key, settings);
  }

  const Config& config_;
  const char* field_;
  const Json& json_;
};

/// Null if no field says it.
const Json* said_part(const Config& config, std::string_view own_field) {
  const Json* found = own_field.empty() ? nullptr : config.find(own_field);
  if (found == nullptr) found = config.find(kPart);
  for (const char* field : kFields) {
    const Json* rope = config.find(field);
    if (found != nullptr || rope == nullptr || !rope->is_object()) continue;
    const auto inside = rope->find(kPart);
    if (inside != rope->end() && !inside->is_null()) found = &*inside;
  }
  return found;
}

void read_part(const Config& config, const RopePart& part, Settings& settings) {
  const Json* said = said_part(config, part.field);
  if (said != nullptr && !said->is_number()) {
    config.fail(Fault::bad_input, "{} {} is not a number", kPart, said->dump());
  }
  const double share = said != nullptr ? said->get<double>() : part.usual;
  if (share == 1) return;
  if (part.field.empty()) {
    config.fail(Fault::unsupported, "{} {} is not supported, only 1", kPart, said->dump());
  }
  const std::optional<int> head = config.head_size();
  if (!(share > 0 && share < 1) || !head) {
    config.fail(Fault::bad_input, "{} {} is no part of heads {}", part.field, share,
                head ? fmt::format("of {}", *head) : "of no known size");
  }
  const int dims = static_cast<int>(std::floor(*head * share));
  config.set_text("rope-dims", part.field, fmt::format("{}", dims), settings);
}

}  // namespace

void read_rope(const Config& config, Settings& settings, const RopePart& part) {
  for (const char* field : kFields) {
    if (const Json* rope = config.find(field)) RopeObject(config, field, *rope).read(settings);
  }
  read_part(config, part, settings);
}

}  // namespace sb3lm
