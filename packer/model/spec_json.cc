#include "model/spec_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "model/json_value.h"
#include "model/spec_fields.h"

namespace sb3lm {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json to_json(const T& value) {
  if constexpr (SpecPart<T>) {
    Json json = Json::object();
    for (const Written which : {Written::always, Written::unless_default}) {
      each_field(value, [&](const auto& field, const auto& item, const auto& usual) {
        const bool is_new = which == Written::unless_default;
        if (field.written == which && !(is_new && item == usual)) json[field.key] = to_json(item);
      });
    }
    return json;
  } else if constexpr (std::is_enum_v<T>) {
    return enum_name(value);
  } else if constexpr (std::is_same_v<T, std::vector<LayerSpec>>) {
    Json json = Json::array();
    for (const LayerSpec& layer : value) json.push_back(to_json(layer));
    return json;
  } else {
    return value;
  }
}

template <class T>
void from_json(const nlohmann::json& json, const std::string& what, T& value) {
  if constexpr (SpecPart<T>) {
    if (!json.is_object()) fail(Fault::bad_input, "{}: not an object", what);
    each_field(value, [&](const auto& field, auto& item, const auto&) {
      const std::string name = fmt::format("{}: {}", what, field.key);
      const auto found = json.find(field.key);
      if (found != json.end()) {
        from_json(*found, name, item);
      } else if (field.written == Written::always) {
        fail(Fault::bad_input, "{}: it is missing", name);
      }
    });
  } else if constexpr (std::is_enum_v<T>) {
    const std::optional<T> known = enum_named<T>(json_value<std::string>(json, what));
    if (!known) fail(Fault::bad_input, "{}: {} is not one that we know", what, json.dump());
    value = *known;
  } else if constexpr (std::is_same_v<T, std::vector<LayerSpec>>) {
    if (!json.is_array()) fail(Fault::bad_input, "{}: not a list", what);
    for (const nlohmann::json& layer : json) from_json(layer, what, value.emplace_back());
  } else {
    value = json_value<T>(json, what);
  }
}

}  // namespace

std::string spec_to_json(const ModelSpec& spec) {
  return to_json(spec).dump();
}

ModelSpec spec_from_json(std::string_view json, const std::string& what) {
  ModelSpec spec;
  from_json(parse_json(what, json), what, spec);
  return spec;
}

}  // namespace sb3lm
