#include "import/jinja/values.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/number_text.h"

namespace sb3lm::jinja {
namespace {

constexpr std::string_view kSpaces = " \t\n\r\v\f";

std::string_view text_of(const Json& value) {
  return value.is_string() ? std::string_view(value.get_ref<const std::string&>())
                           : std::string_view();
}

std::string stripped(std::string_view text, std::string_view letters, bool left, bool right) {
  if (left) text.remove_prefix(std::min(text.find_first_not_of(letters), text.size()));
  if (right) text = text.substr(0, text.find_last_not_of(letters) + 1);
  return std::string(text);
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c & 0x80) == 0; });
}

/// Of ASCII: what templates change the case of are roles.
std::string in_case(std::string_view text, bool upper) {
  std::string changed(text);
  for (char& c : changed) {
    if (upper && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (!upper && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return changed;
}

std::string capitalised(std::string_view text) {
  return in_case(text.substr(0, 1), true) +
         in_case(text.substr(std::min<std::size_t>(1, text.size())), false);
}

/// Also "title", for a single word.
bool is_capitalising(std::string_view name, std::string_view text) {
  const bool has_one_word = text.find(' ') == text.npos;
  return is_ascii(text) && (name == "capitalize" || (name == "title" && has_one_word));
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string changed;
  for (std::size_t at = 0;;) {
    const std::size_t found = from.empty() ? text.npos : text.find(from, at);
    changed += text.substr(at, found - at);
    if (found == text.npos) return changed;
    changed += to;
    at = found + from.size();
  }
}

Json split(std::string_view text, const Json& separator) {
  Json parts = Json::array();
  if (!separator.is_string()) {  // at any space
    for (std::size_t at = text.find_first_not_of(kSpaces); at < text.size();) {
      const std::size_t end = std::min(text.find_first_of(kSpaces, at), text.size());
      parts.push_back(text.substr(at, end - at));
      at = text.find_first_not_of(kSpaces, end);
    }
    return parts;
  }
  const std::string_view by = text_of(separator);
  for (std::size_t at = 0;;) {
    const std::size_t found = by.empty() ? text.npos : text.find(by, at);
    parts.push_back(text.substr(at, found - at));
    if (found == text.npos) return parts;
    at = found + by.size();
  }
}

std::optional<Json> joined(const Json& list, const Json& separator) {
  std::string all;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::optional<std::string> text = printed(list[i]);
    if (!text) return std::nullopt;
    if (i > 0) all += text_of(separator);
    all += *text;
  }
  return all;
}

/// How many letters, items or keys.
std::optional<std::int64_t> length_of(const Json& value) {
  if (value.is_structured()) return std::ssize(value);
  if (!value.is_string()) return std::nullopt;
  const std::string_view text = text_of(value);
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

bool contains(const Json& container, const Json& what) {
  if (container.is_string()) {
    return what.is_string() && text_of(container).find(text_of(what)) != std::string::npos;
  }
  if (container.is_object()) return what.is_string() && container.contains(text_of(what));
  return std::ranges::find(container, what) != container.end();
}

/// What selectattr and rejectattr keep: items whose attribute is true, or passes a test.
std::optional<Json> selected(const Call& call, bool wanted) {
  Json kept = Json::array();
  for (const Json& item : call.values[0]) {
    Call test{.name = "true", .values = {item_of(item, call.argument(1))}, .named = {}};
    bool holds = is_true(test.values[0]);
    if (const Json name = call.argument(2); name.is_string()) {
      test.name = text_of(name);
      if (call.values.size() > 3) test.values.push_back(call.argument(3));
      const std::optional<bool> result = tested(test);
      if (!result) return std::nullopt;
      holds = *result;
    }
    if (holds == wanted) kept.push_back(item);
  }
  return kept;
}

std::optional<Json> filtered_text(const Call& call) {
  const std::string_view text = text_of(call.values[0]), name = call.name;
  if (name == "trim") return stripped(text, kSpaces, true, true);
  if ((name == "upper" || name == "lower") && is_ascii(text)) return in_case(text, name == "upper");
  if (is_capitalising(name, text)) return capitalised(text);
  if (name == "replace")
    return replaced(text, text_of(call.argument(1)), text_of(call.argument(2)));
  return std::nullopt;
}

std::optional<Json> filtered_list(const Call& call) {
  const Json& list = call.values[0];
  const std::string_view name = call.name;
  if (name == "list") return list;
  if (name == "first") return list.empty() ? undefined() : list.front();
  if (name == "last") return list.empty() ? undefined() : list.back();
  if (name == "join") return joined(list, call.argument(1, "d"));
  if (name == "selectattr" || name == "rejectattr") return selected(call, name == "selectattr");
  return std::nullopt;
}

}  // namespace

Json Call::argument(std::size_t index, std::string_view by_name) const {
  const std::size_t first_named = values.size() - std::min(values.size(), named.size());
  if (index < first_named) return values[index];
  const auto found = std::ranges::find(named, by_name);
  if (found == named.end()) return undefined();
  return values[first_named + static_cast<std::size_t>(found - named.begin())];
}

bool is_true(const Json& value) {
  switch (value.type()) {
    case Json::value_t::boolean:
      return value.get<bool>();
    case Json::value_t::string:
      return !text_of(value).empty();
    case Json::value_t::array:
    case Json::value_t::object:
      return !value.empty();
    case Json::value_t::null:
    case Json::value_t::discarded:
      return false;
    default:
      return value.get<double>() != 0;
  }
}

std::optional<std::string> printed(const Json& value) {
  if (value.is_discarded()) return "";
  if (value.is_null()) return "None";
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  if (value.is_string()) return std::string(text_of(value));
  if (value.is_number_integer()) return value.dump();
  return std::nullopt;
}

Json item_of(const Json& value, const Json& key) {
  if (value.is_object() && key.is_string()) {
    const auto found = value.find(text_of(key));
    return found != value.end() ? *found : undefined();
  }
  if (value.is_array() && key.is_number_integer()) {
    const std::int64_t size = std::ssize(value), at = key.get<std::int64_t>();
    const std::int64_t index = at < 0 ? at + size : at;
    return index >= 0 && index < size ? value[static_cast<std::size_t>(index)] : undefined();
  }
  if (value.is_string() && key.is_number_integer()) {
    const std::optional<Json> rest = slice_of(value, key, Json(), Json());
    if (rest && !text_of(*rest).empty()) return std::string(text_of(*rest).substr(0, 1));
  }
  return undefined();
}

std::optional<Json> slice_of(const Json& value, const Json& start, const Json& stop,
                             const Json& step) {
  for (const Json* bound : {&start, &stop, &step}) {
    if (!bound->is_null() && !bound->is_number_integer()) return std::nullopt;
  }
  if (!value.is_array() && !value.is_string()) return std::nullopt;
  const std::int64_t by = step.is_null() ? 1 : step.get<std::int64_t>();
  // Bytes of a text are letters only where it has nothing but ASCII.
  if (value.is_string() && !is_ascii(text_of(value))) return std::nullopt;
  if (by != 1 && by != -1) return std::nullopt;
  const std::int64_t size = value.is_string() ? std::ssize(text_of(value)) : std::ssize(value);
  const auto bound = [&](const Json& given, std::int64_t otherwise) {
    if (given.is_null()) return otherwise;
    const std::int64_t at = given.get<std::int64_t>();
    const std::int64_t lowest = by > 0 ? 0 : -1, highest = by > 0 ? size : size - 1;
    return std::clamp(at < 0 ? at + size : at, lowest, highest);
  };
  const std::int64_t first = bound(start, by > 0 ? 0 : size - 1);
  const std::int64_t last = bound(stop, by > 0 ? size : -1);
  std::string text;
  Json list = Json::array();
  for (std::int64_t i = first; by > 0 ? i < last : i > last; i += by) {
    const auto at = static_cast<std::size_t>(i);
    if (value.is_string()) {
      text += text_of(value)[at];
    } else {
      list.push_back(value[at]);
    }
  }
  return value.is_string() ? Json(std::move(text)) : list;
}

std::optional<Json> filtered(const Call& call) {
  const Json& value = call.values[0];
  const std::string_view name = call.name;
  if (name == "length" || name == "count") {
    const auto length = length_of(value);
    return length ? std::optional<Json>(*length) : std::nullopt;
  }
  if (name == "default" || name == "d") {
    const bool even_false = is_true(call.argument(2, "boolean"));
    const bool stands = even_false ? is_true(value) : !value.is_discarded();
    return stands ? value : call.argument(1, "default_value");
  }
  if (name == "string") {
    const auto text = printed(value);
    return text ? std::optional<Json>(*text) : std::nullopt;
  }
  if (value.is_string()) return filtered_text(call);
  if (value.is_array()) return filtered_list(call);
  return std::nullopt;
}

std::optional<bool> tested(const Call& call) {
  const Json& value = call.values[0];
  const std::string_view name = call.name;
  const bool whole = value.is_number_integer();
  if (name == "defined") return !value.is_discarded();
  if (name == "undefined") return value.is_discarded();
  if (name == "none") return value.is_null();
  if (name == "string") return value.is_string();
  if (name == "mapping") return value.is_object();
  if (name == "iterable" || name == "sequence") return value.is_structured() || value.is_string();
  if (name == "number") return value.is_number();
  if (name == "integer") return whole;
  if (name == "boolean") return value.is_boolean();
  if (name == "true") return value.is_boolean() && value.get<bool>();
  if (name == "false") return value.is_boolean() && !value.get<bool>();
  if (name == "odd" && whole) return value.get<std::int64_t>() % 2 != 0;
  if (name == "even" && whole) return value.get<std::int64_t>() % 2 == 0;
  if (call.values.size() < 2) return std::nullopt;
  const Json& other = call.values[1];
  if (name == "equalto" || name == "eq" || name == "sameas") return value == other;
  if (name == "ne") return value != other;
  if (name == "in") return contains(other, value);
  return std::nullopt;
}

std::optional<Json> method_result(const Call& call) {
  const Json& value = call.values[0];
  const std::string_view name = call.name;
  if (value.is_object()) {
    if (name == "get") {
      const Json found = item_of(value, call.argument(1));
      if (!found.is_discarded()) return found;
      return call.values.size() > 2 ? call.values[2] : Json();
    }
    return std::nullopt;
  }
  if (!value.is_string()) return std::nullopt;
  const std::string_view text = text_of(value);
  const Json argument = call.argument(1);
  if (name == "strip" || name == "lstrip" || name == "rstrip") {
    return stripped(text, argument.is_string() ? text_of(argument) : kSpaces, name != "rstrip",
                    name != "lstrip");
  }
  if (name == "startswith") return text.starts_with(text_of(argument));
  if (name == "endswith") return text.ends_with(text_of(argument));
  if ((name == "upper" || name == "lower") && is_ascii(text)) return in_case(text, name == "upper");
  if (is_capitalising(name, text)) return capitalised(text);
  if (name == "replace") return replaced(text, text_of(argument), text_of(call.argument(2)));
  if (name == "split") return split(text, argument);
  if (name == "join" && argument.is_array()) return joined(argument, value);
  return std::nullopt;
}

std::optional<Json> operated(std::string_view name, const Json& left, const Json& right) {
  if (name == "==") return left == right;
  if (name == "!=") return left != right;
  if (name == "in" || name == "not in") {
    if (!right.is_structured() && !right.is_string()) return std::nullopt;
    return contains(right, left) == (name == "in");
  }
  if (name == "~") {
    const auto first = printed(left), second = printed(right);
    return first && second ? std::optional<Json>(*first + *second) : std::nullopt;
  }
  if (name == "+" && left.is_string() && right.is_string()) {
    return std::string(text_of(left)) + std::string(text_of(right));
  }
  if (name == "+" && left.is_array() && right.is_array()) {
    Json all = left;
    all.insert(all.end(), right.begin(), right.end());
    return all;
  }
  const bool texts = left.is_string() && right.is_string();
  if (texts || (left.is_number() && right.is_number())) {
    if (name == "<") return left < right;
    if (name == ">") return left > right;
    if (name == "<=") return left <= right;
    if (name == ">=") return left >= right;
  }
  if (!left.is_number_integer() || !right.is_number_integer()) return std::nullopt;
  // Small numbers only, so that nothing overflows; whoever counts messages needs no others.
  constexpr std::int64_t kMost = 1'000'000'000;
  const std::int64_t a = left.get<std::int64_t>(), b = right.get<std::int64_t>();
  if (a > kMost || a < -kMost || b > kMost || b < -kMost) return std::nullopt;
  if (name == "+") return a + b;
  if (name == "-") return a - b;
  if (name == "*") return a * b;
  if (b == 0) return std::nullopt;
  const std::int64_t down = a / b - ((a % b != 0) && ((a < 0) != (b < 0)) ? 1 : 0);  // as Python
  if (name == "//") return down;
  if (name == "%") return a - down * b;
  return std::nullopt;
}

}  // namespace sb3lm::jinja
