// Reads untrusted JSON into a small tree. Zeros at the end of an array are only counted, so that a
// preloaded list of millions costs nothing; nesting and text are checked on the way.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sb3lm {

struct JsonArray;
struct JsonObject;

class Json {
 public:
  Json() = default;
  explicit Json(bool value) : value_(value) {}
  explicit Json(double value) : value_(value) {}
  explicit Json(std::string value) : value_(std::move(value)) {}
  explicit Json(std::unique_ptr<JsonArray> value) : value_(std::move(value)) {}
  explicit Json(std::unique_ptr<JsonObject> value) : value_(std::move(value)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  // Null unless it is one.
  const bool* boolean() const { return std::get_if<bool>(&value_); }
  const double* number() const { return std::get_if<double>(&value_); }
  const std::string* string() const { return std::get_if<std::string>(&value_); }
  std::string* string() { return std::get_if<std::string>(&value_); }
  const JsonArray* array() const;
  JsonArray* array();
  const JsonObject* object() const;
  JsonObject* object();

 private:
  std::variant<std::monostate, bool, double, std::string, std::unique_ptr<JsonArray>,
               std::unique_ptr<JsonObject>>
      value_;
};

struct JsonArray {
  std::vector<Json> items;
  std::size_t zeros = 0;  // follow the items

  std::size_t size() const { return items.size() + zeros; }
  /// The item, or null (the JSON value) past the end.
  const Json& at(std::size_t index) const;
};

/// Members in the order of the file.
struct JsonObject {
  std::vector<std::pair<std::string, Json>> members;

  /// The last member of that name, as JavaScript reads it; null (the JSON value) if there is none.
  const Json& at(std::string_view name) const;
};

/// Throws bad_input with `file` and the byte offset: not JSON, not UTF-8, nested too deeply.
Json read_json(const std::string& file, std::string_view text);

}  // namespace sb3lm
