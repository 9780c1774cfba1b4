// Completions of commands, options and choices. Where a shell finds no word it completes names of
// files, which is what most other values are.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reference.h"

namespace sb3lm {
namespace {

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
  return text;
}

/// The program's options, which stand behind a command too, then the command's.
std::vector<OptionHelp> options_of(const CommandHelp& program, const CommandHelp& command) {
  std::vector<OptionHelp> all;
  for (const OptionHelp& option : program.options) {
    if (!is_help(option)) all.push_back(option);
  }
  for (const OptionHelp& option : command.options) {
    if (!option.names.empty()) all.push_back(option);
  }
  return all;
}

std::vector<std::string> names_of_commands(const CommandHelp& program) {
  std::vector<std::string> names;
  for (const CommandHelp& command : program.commands) names.push_back(command.name);
  return names;
}

std::vector<std::string> names_of_options(const std::vector<OptionHelp>& options) {
  std::vector<std::string> names;
  for (const OptionHelp& option : options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return names;
}

// ---- bash

std::string bash_case(const std::string& pattern, const std::vector<std::string>& words) {
  return fmt::format("    {}) COMPREPLY=($(compgen -W \"{}\" -- \"$word\")) ;;\n", pattern,
                     fmt::join(words, " "));
}

/// What may follow the options of `command` that take a value.
std::string bash_values(const CommandHelp& command, const std::vector<OptionHelp>& options) {
  std::string out;
  std::vector<std::string> others;
  for (const OptionHelp& option : options) {
    std::vector<std::string> patterns;
    for (const std::string& name : option.names) patterns.push_back(command.name + "," + name);
    if (!option.choices.empty()) {
      out += bash_case(fmt::format("{},*", fmt::join(patterns, ",*|")), option.choices);
    } else if (!option.value.empty()) {
      for (const std::string& pattern : patterns) others.push_back(pattern + ",*");
    }
  }
  if (!others.empty()) out += fmt::format("    {}) ;;\n", fmt::join(others, "|"));
  return out;
}

constexpr std::string_view kBash = R"(# Completion of sb3lm in bash.
_sb3lm() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} command= i
  # Bash takes --level=fast for three words.
  if [ "$word" = = ]; then
    word=
  elif [ "$before" = = ]; then
    before=${{COMP_WORDS[COMP_CWORD - 2]}}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${{COMP_WORDS[i]}} in
      {}) command=${{COMP_WORDS[i]}}; break ;;
    esac
  done
  COMPREPLY=()
  case $command,$before,$word in
{}  esac
}}
complete -o default -F _sb3lm sb3lm
)";

// ---- zsh

std::string zsh_quoted(std::string_view text) {
  return replaced(std::string(text), "'", "'\\''");
}

/// Inside [...], or before a colon.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return zsh_quoted(out);
}

std::string zsh_option(const OptionHelp& option) {
  std::string value;
  if (!option.choices.empty()) {
    value = fmt::format(":{}:({})", option.value, fmt::join(option.choices, " "));
  } else if (!option.value.empty()) {
    value = fmt::format(":{}:_files", option.value);
  }
  const std::string rest = fmt::format("'[{}]{}'", zsh_text(first_line(option.what)), value);
  if (option.names.size() == 1) return option.names.front() + rest;
  return fmt::format("'({})'{{{}}}{}", fmt::join(option.names, " "), fmt::join(option.names, ","),
                     rest);
}

std::string zsh_options(const std::vector<OptionHelp>& options, std::string_view indent) {
  std::string out;
  for (const OptionHelp& option : options) {
    out += fmt::format(" \\\n{}{}", indent, zsh_option(option));
  }
  return out;
}

constexpr std::string_view kZsh = R"(#compdef sb3lm
# Completion of sb3lm in zsh.
_sb3lm() {{
  local context state state_descr line
  typeset -A opt_args
  local -a commands
  commands=(
{}  )
  _arguments -C{} \
    '1:command:->command' \
    '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument)
      case $line[1] in
{}      esac ;;
  esac
}}
_sb3lm "$@"
)";

// ---- fish

std::string fish_quoted(std::string_view text) {
  return "'" + replaced(replaced(std::string(text), "\\", "\\\\"), "'", "\\'") + "'";
}

std::string fish_option(const OptionHelp& option, const std::string& condition) {
  std::string out = fmt::format("complete -c sb3lm -n {}", fish_quoted(condition));
  for (const std::string& name : option.names) {
    out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (!option.choices.empty()) {
    out += fmt::format(" -x -a '{}'", fmt::join(option.choices, " "));
  } else if (!option.value.empty()) {
    out += " -r";
  }
  return fmt::format("{} -d {}\n", out, fish_quoted(first_line(option.what)));
}

}  // namespace

std::string bash_completion(const CommandHelp& program) {
  std::string cases;
  for (const CommandHelp& command : program.commands) {
    const std::vector<OptionHelp> options = options_of(program, command);
    cases += bash_values(command, options);
    cases += bash_case(command.name + ",*,-*", names_of_options(options));
  }
  cases += bash_case(",*,-*", names_of_options(program.options));
  cases += bash_case(",*", names_of_commands(program));
  return fmt::format(kBash, fmt::join(names_of_commands(program), "|"), cases);
}

std::string zsh_completion(const CommandHelp& program) {
  std::string commands, cases;
  for (const CommandHelp& command : program.commands) {
    commands += fmt::format("    '{}:{}'\n", command.name, zsh_text(command.about));
    cases += fmt::format("        {}) _arguments{} \\\n            '*:file:_files' ;;\n",
                         command.name, zsh_options(options_of(program, command), "            "));
  }
  return fmt::format(kZsh, commands, zsh_options(program.options, "    "), cases);
}

std::string fish_completion(const CommandHelp& program) {
  std::string out = "# Completion of sb3lm in fish.\n";
  for (const OptionHelp& option : program.options) {
    out += fish_option(option, "__fish_use_subcommand");
  }
  for (const CommandHelp& command : program.commands) {
    out += fmt::format("complete -c sb3lm -n __fish_use_subcommand -f -a {} -d {}\n", command.name,
                       fish_quoted(command.about));
    for (const OptionHelp& option : options_of(program, command)) {
      out += fish_option(option, "__fish_seen_subcommand_from " + command.name);
    }
  }
  return out;
}

}  // namespace sb3lm
