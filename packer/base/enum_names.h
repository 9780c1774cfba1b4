// Enumerations with a table of names: one overload of names_of(Enum) beside each enumeration is the
// only list of what files and the command line call its values.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

namespace sb3lm {

/// A row of such a table.
template <class Enum>
using EnumNames = std::pair<Enum, std::string_view>;

/// Empty if the table lacks the value.
template <class Enum>
constexpr std::string_view enum_name(Enum value) {
  for (const auto& [known, name] : names_of(value)) {
    if (known == value) return name;
  }
  return {};
}

/// Nothing if no value has this name.
template <class Enum>
constexpr std::optional<Enum> enum_named(std::string_view text) {
  for (const auto& [known, name] : names_of(Enum())) {
    if (name == text) return known;
  }
  return std::nullopt;
}

}  // namespace sb3lm
