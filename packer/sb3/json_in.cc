#include "sb3/json_in.h"

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace sb3lm {
namespace {

constexpr std::size_t kMaxDepth = 200;

// Receives the parser's events. The parser itself does not recurse.
class Builder {
 public:
  explicit Builder(const std::string& file) : file_(file) {}

  Json take() { return std::move(root_); }

  bool null() { return put(Json()); }
  bool boolean(bool value) { return put(Json(value)); }
  bool number_integer(std::int64_t value) { return number(static_cast<double>(value)); }
  bool number_unsigned(std::uint64_t value) { return number(static_cast<double>(value)); }
  bool number_float(double value, const std::string&) { return number(value); }
  bool string(std::string& value) { return put(Json(std::move(value))); }
  bool binary(nlohmann::json::binary_t&) { return false; }
  bool start_object(std::size_t) { return open(Json(std::make_unique<JsonObject>())); }
  bool start_array(std::size_t) { return open(Json(std::make_unique<JsonArray>())); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& name) {
    open_.back()->object()->members.emplace_back(std::move(name), Json());
    return true;
  }
  bool parse_error(std::size_t offset, const std::string&, const nlohmann::json::exception&) {
    fail(Fault::bad_input, "{}: project.json: byte {}: this is not valid JSON", file_, offset);
  }

 private:
  bool number(double value) {
    JsonArray* array = open_.empty() ? nullptr : open_.back()->array();
    if (array == nullptr || value != 0 || std::signbit(value)) return put(Json(value));
    ++array->zeros;
    return true;
  }

  // Where the next value goes.
  Json& place() {
    if (open_.empty()) return root_;
    if (JsonObject* object = open_.back()->object()) return object->members.back().second;
    JsonArray* array = open_.back()->array();
    for (; array->zeros > 0; --array->zeros) array->items.emplace_back(0.0);
    return array->items.emplace_back();
  }

  bool put(Json value) {
    place() = std::move(value);
    return true;
  }

  bool open(Json value) {
    if (open_.size() == kMaxDepth) {
      fail(Fault::bad_input, "{}: project.json: nested deeper than {}", file_, kMaxDepth);
    }
    Json& opened = place();
    opened = std::move(value);
    open_.push_back(&opened);
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  const std::string& file_;
  Json root_;
  std::vector<Json*> open_;  // a container moves no more once something inside it is open
};

const Json& missing() {
  static const Json none;
  return none;
}

}  // namespace

const JsonArray* Json::array() const {
  const auto* held = std::get_if<std::unique_ptr<JsonArray>>(&value_);
  return held == nullptr ? nullptr : held->get();
}
JsonArray* Json::array() {
  return const_cast<JsonArray*>(std::as_const(*this).array());
}

const JsonObject* Json::object() const {
  const auto* held = std::get_if<std::unique_ptr<JsonObject>>(&value_);
  return held == nullptr ? nullptr : held->get();
}
JsonObject* Json::object() {
  return const_cast<JsonObject*>(std::as_const(*this).object());
}

const Json& JsonArray::at(std::size_t index) const {
  static const Json zero(0.0);
  if (index < items.size()) return items[index];
  return index < size() ? zero : missing();
}

const Json& JsonObject::at(std::string_view name) const {
  for (auto member = members.rbegin(); member != members.rend(); ++member) {
    if (member->first == name) return member->second;
  }
  return missing();
}

Json read_json(const std::string& file, std::string_view text) {
  Builder builder(file);
  const bool read = nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  if (!read) fail(Fault::bad_input, "{}: project.json: this is not valid JSON", file);
  return builder.take();
}

}  // namespace sb3lm
