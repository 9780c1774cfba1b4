// JSON that is not ours to trust: nesting and names that come twice are refused, and values are of
// exactly the kind that is asked for. The parser's own conversions round, wrap and take `true`
// for 1.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sb3lm {

/// Throws bad_input with `file`: not JSON, nested deeper than 64, or a name twice in one object.
nlohmann::json parse_json(const std::string& file, std::string_view text);

/// Throws bad_input: "WHAT: JSON is not KIND".
[[noreturn]] void refuse_json(const nlohmann::json& json, const std::string& what,
                              const char* kind);

/// How a T is read and what complaints call it. T: bool, int, std::int64_t, std::uint64_t, double,
/// std::string, lists of int, std::int64_t, double and std::string, and a map from texts to texts.
template <class T>
struct JsonKind {
  static std::optional<T> read(const nlohmann::json& json);
  static const char* name();
};

/// The value if it is of this kind and fits, else nothing.
template <class T>
std::optional<T> json_as(const nlohmann::json& json) {
  return JsonKind<T>::read(json);
}

/// The value; throws bad_input that begins with `what` if it is of another kind.
template <class T>
T json_value(const nlohmann::json& json, const std::string& what) {
  if (std::optional<T> value = json_as<T>(json)) return std::move(*value);
  refuse_json(json, what, JsonKind<T>::name());
}

/// An object's fields. Complaints begin with `what`, which says where the object stands, and the
/// field's name; all are bad_input. The JSON must outlive it.
class JsonFields {
 public:
  /// Throws unless it is an object.
  JsonFields(const nlohmann::json& json, std::string what);

  bool has(const char* key) const { return find(key) != nullptr; }
  /// Throws if the field is missing.
  const nlohmann::json& at(const char* key) const;
  /// Throws if the field is missing or of another kind.
  template <class T>
  T get(const char* key) const {
    return json_value<T>(at(key), path(key));
  }
  /// `usual` if the field is missing or null; throws if it is of another kind.
  template <class T>
  T get(const char* key, T usual) const {
    const nlohmann::json* json = find(key);
    return json == nullptr ? std::move(usual) : json_value<T>(*json, path(key));
  }
  /// An object inside; throws unless it is one.
  JsonFields fields(const char* key) const;
  /// A list inside; throws unless it is one.
  const nlohmann::json& list(const char* key) const;

 private:
  const nlohmann::json* find(const char* key) const;  // null: missing, or the JSON value null
  std::string path(const char* key) const;

  const nlohmann::json& json_;
  std::string what_;
};

}  // namespace sb3lm
