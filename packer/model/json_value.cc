#include "model/json_value.h"

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "base/error.h"

namespace sb3lm {
namespace {

using nlohmann::json;
using TextMap = std::map<std::string, std::string>;

constexpr int kMaxDepth = 64;

/// Watches the parser: it holds the names seen in every object that is still open.
class Guard {
 public:
  explicit Guard(const std::string& file) : file_(file) {}

  bool operator()(int depth, json::parse_event_t event, json& value) {
    switch (event) {
      case json::parse_event_t::object_start:
        open_.emplace_back();
        check_depth(depth);
        break;
      case json::parse_event_t::array_start:
        check_depth(depth);
        break;
      case json::parse_event_t::object_end:
        open_.pop_back();
        break;
      case json::parse_event_t::key:
        if (!open_.back().insert(value.get<std::string>()).second) {
          fail(Fault::bad_input, "{}: JSON: the name '{}' appears twice in one object", file_,
               value.get<std::string>());
        }
        break;
      default:
        break;
    }
    return true;
  }

 private:
  void check_depth(int depth) const {
    if (depth >= kMaxDepth) {
      fail(Fault::bad_input, "{}: JSON: nested deeper than {}", file_, kMaxDepth);
    }
  }

  const std::string& file_;
  std::vector<std::set<std::string>> open_;
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
  Guard guard(file);
  try {
    return json::parse(text, [&guard](int depth, json::parse_event_t event, json& value) {
      return guard(depth, event, value);
    });
  } catch (const json::parse_error& problem) {
    std::string_view what = problem.what();
    if (const auto tag = what.find("] "); tag != what.npos) what.remove_prefix(tag + 2);
    fail(Fault::bad_input, "{}: JSON: {}", file, what);
  } catch (const json::exception& problem) {
    fail(Fault::bad_input, "{}: JSON: {}", file, problem.what());
  }
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
