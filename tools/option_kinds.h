// Kinds of options that options.cc is made of. Like it, and option_help.cc, it is all that knows
// CLI11.
#pragma once

#include <CLI/CLI.hpp>
#include <initializer_list>
#include <set>
#include <string>
#include <vector>

#include "base/enum_names.h"
#include "option_help.h"

namespace sb3lm {

template <class Enum>
std::vector<std::string> some_names(std::initializer_list<Enum> offered) {
  std::vector<std::string> names;
  for (const Enum value : offered) names.emplace_back(enum_name(value));
  return names;
}

template <class Enum>
std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const auto& [value, name] : names_of(Enum())) names.emplace_back(name);
  return names;
}

/// One of an enumeration's names, all of them if `offered` is not given; `value` may be optional.
template <class Enum, class Value>
CLI::Option* add_choice(CLI::App* app, const std::string& option, Value& value,
                        const std::string& what,
                        const std::vector<std::string>& offered = all_names<Enum>()) {
  return app
      ->add_option_function<std::string>(
          option, [&value](const std::string& text) { value = *enum_named<Enum>(text); }, what)
      ->check(CLI::IsMember(offered));
}

/// Says what is wrong with a text that ends up in JSON.
std::string check_utf8(const std::string& text);

/// "10MiB" and the like to bytes as text.
std::string parse_size(const std::string& text);

/// Throws if an option was given beside `option` that is none of `others`. Unlike CLI11's excludes
/// it leaves the help as it is.
void refuse_all_but(const CLI::App& app, const std::string& option,
                    const std::set<std::string>& others);

/// Of an app that has all its options.
CommandHelp help_of(const CLI::App& app);

}  // namespace sb3lm
