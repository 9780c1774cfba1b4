#include "model/json_value.h"

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/error.h"

namespace sb3lm {
namespace {

using nlohmann::json;
using TextMap = std::map<std::string, std::string>;

constexpr std::size_t kMaxDepth = 64;

/// Makes the value while the parser goes on, in time that grows with the text: the library's own
/// parser looks through a parent at the end of each object in it if somebody watches.
class Builder : public nlohmann::json_sax<json> {
 public:
  explicit Builder(const std::string& file) : file_(file) {}

  json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t& value) override { return add(std::move(value)); }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    auto& members = open_.back()->get_ref<json::object_t&>();
    const auto [place, is_new] = members.try_emplace(name);
    if (!is_new) {
      fail(Fault::bad_input, "{}: JSON: the name '{}' appears twice in one object", file_, name);
    }
    member_ = &place->second;
    return true;
  }

  bool parse_error(std::size_t, const std::string&,
                   const nlohmann::detail::exception& problem) override {
    std::string_view what = problem.what();
    if (const auto tag = what.find("] "); tag != what.npos) what.remove_prefix(tag + 2);
    fail(Fault::bad_input, "{}: JSON: {}", file_, what);
  }

 private:
  /// Where the next value goes: the whole, an array's end, or the member that was named last.
  json& place(json value) {
    if (open_.empty()) return root_ = std::move(value);
    if (open_.back()->is_array()) {
      return open_.back()->get_ref<json::array_t&>().emplace_back(std::move(value));
    }
    return *member_ = std::move(value);
  }
  bool add(json value) {
    place(std::move(value));
    return true;
  }
  bool open(json empty) {
    if (open_.size() >= kMaxDepth) {
      fail(Fault::bad_input, "{}: JSON: nested deeper than {}", file_, kMaxDepth);
    }
    open_.push_back(&place(std::move(empty)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  const std::string& file_;
  json root_;
  std::vector<json*> open_;  // an array grows only while nothing in it is open
  json* member_ = nullptr;
};

constexpr std::size_t kShown = 40;  // letters of a value in a complaint

template <class T>
std::optional<T> whole_number(const json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (std::in_range<T>(number)) return static_cast<T>(number);
  } else if (value.is_number_integer()) {
    const auto number = value.get<std::int64_t>();
    if (std::in_range<T>(number)) return static_cast<T>(number);
  }
  return std::nullopt;
}

template <class T>
std::optional<std::vector<T>> list_of(const json& value) {
  if (!value.is_array()) return std::nullopt;
  std::vector<T> list;
  list.reserve(value.size());
  for (const json& item : value) {
    std::optional<T> one = json_as<T>(item);
    if (!one) return std::nullopt;
    list.push_back(std::move(*one));
  }
  return list;
}

std::optional<TextMap> text_map(const json& value) {
  if (!value.is_object()) return std::nullopt;
  TextMap map;
  for (const auto& [name, item] : value.items()) {
    std::optional<std::string> text = json_as<std::string>(item);
    if (!text) return std::nullopt;
    map.emplace(name, std::move(*text));
  }
  return map;
}

}  // namespace

json parse_json(const std::string& file, std::string_view text) {
  Builder builder(file);
  json::sax_parse(text, &builder);
  return builder.take();
}

template <class T>
std::optional<T> JsonKind<T>::read(const json& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value.is_boolean() ? std::optional(value.get<bool>()) : std::nullopt;
  } else if constexpr (std::is_integral_v<T>) {
    return whole_number<T>(value);
  } else if constexpr (std::is_same_v<T, double>) {
    return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
  } else if constexpr (std::is_same_v<T, std::string>) {
    return value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt;
  } else if constexpr (std::is_same_v<T, TextMap>) {
    return text_map(value);
  } else {
    return list_of<typename T::value_type>(value);
  }
}

template <class T>
const char* JsonKind<T>::name() {
  if constexpr (std::is_same_v<T, bool>) return "true or false";
  if constexpr (std::is_integral_v<T>) return "a whole number in range";
  if constexpr (std::is_same_v<T, double>) return "a number";
  if constexpr (std::is_same_v<T, std::string>) return "a text";
  if constexpr (std::is_same_v<T, TextMap>) return "an object of texts";
  if constexpr (std::is_same_v<T, std::vector<std::string>>) return "a list of texts";
  if constexpr (std::is_same_v<T, std::vector<double>>) return "a list of numbers";
  return "a list of whole numbers";
}

template struct JsonKind<bool>;
template struct JsonKind<int>;
template struct JsonKind<std::int64_t>;
template struct JsonKind<std::uint64_t>;
template struct JsonKind<double>;
template struct JsonKind<std::string>;
template struct JsonKind<std::vector<int>>;
template struct JsonKind<std::vector<std::int64_t>>;
template struct JsonKind<std::vector<double>>;
template struct JsonKind<std::vector<std::string>>;
template struct JsonKind<TextMap>;

void refuse_json(const json& value, const std::string& what, const char* kind) {
  fail(Fault::bad_input, "{}: {} is not {}", what, value.dump().substr(0, kShown), kind);
}

JsonFields::JsonFields(const json& value, std::string what) : json_(value), what_(std::move(what)) {
  if (!json_.is_object()) fail(Fault::bad_input, "{}: not a JSON object", what_);
}

const json* JsonFields::find(const char* key) const {
  const auto found = json_.find(key);
  return found == json_.end() || found->is_null() ? nullptr : &*found;
}

const json& JsonFields::at(const char* key) const {
  const auto found = json_.find(key);
  if (found == json_.end()) fail(Fault::bad_input, "{}: '{}' is missing", what_, key);
  return *found;
}

JsonFields JsonFields::fields(const char* key) const {
  return {at(key), path(key)};
}

const json& JsonFields::list(const char* key) const {
  const json& value = at(key);
  if (!value.is_array()) refuse_json(value, path(key), "a list");
  return value;
}

std::string JsonFields::path(const char* key) const {
  return fmt::format("{}: '{}'", what_, key);
}

}  // namespace sb3lm
