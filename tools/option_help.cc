#include "option_help.h"

#include <algorithm>

#include "option_kinds.h"

namespace sb3lm {
namespace {

/// CLI11 keeps what add_choice and Range check as "{fast,default}" and "INT in [1 - 9]".
void read_kind(const std::string& kind, OptionHelp& help) {
  const std::size_t colon = kind.find(':');
  help.value = kind.substr(0, colon);
  if (colon == kind.npos) return;
  const std::string rule = kind.substr(colon + 1);
  if (rule.starts_with('{') && rule.ends_with('}')) {
    help.choices = CLI::detail::split(rule.substr(1, rule.size() - 2), ',');
  } else if (const std::size_t first = rule.find(" in ["); first != rule.npos) {
    const std::string range = rule.substr(first + 5, rule.size() - first - 6);
    const std::size_t dash = range.find(" - ");
    help.range = range.substr(0, dash) + " to " + range.substr(dash + 3);
  }
}

std::vector<std::string> sorted_names(const std::set<CLI::Option*>& options) {
  std::vector<std::string> names;  // the set's order is that of addresses
  for (const CLI::Option* option : options) names.push_back(option->get_name());
  std::sort(names.begin(), names.end());
  return names;
}

OptionHelp help_of(const CLI::Option& option) {
  OptionHelp help{.what = option.get_description(),
                  .required = option.get_required(),
                  .excludes = sorted_names(option.get_excludes()),
                  .needs = sorted_names(option.get_needs())};
  for (const std::string& name : option.get_snames()) help.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) help.names.push_back("--" + name);
  if (help.names.empty()) help.positional = option.get_name();
  // A flag has a kind too, though nothing follows it.
  if (option.get_items_expected_max() > 0) read_kind(option.get_type_name(), help);
  return help;
}

}  // namespace

CommandHelp help_of(const CLI::App& app) {
  CommandHelp help{
      .name = app.get_name(), .about = app.get_description(), .footer = app.get_footer()};
  for (const CLI::Option* option : app.get_options()) help.options.push_back(help_of(*option));
  const auto all = [](const CLI::App*) { return true; };
  for (const CLI::App* command : app.get_subcommands(all)) {
    help.commands.push_back(help_of(*command));
  }
  return help;
}

}  // namespace sb3lm
