// The manual, in the macros of man(7).
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reference.h"

namespace sb3lm {
namespace {

/// Text that no macro, escape or hyphenation changes.
std::string literal(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (out.empty() || out.back() == '\n') {
      if (c == '.' || c == '\'') out += "\\&";
    }
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string bold(std::string_view text) {
  return "\\fB" + literal(text) + "\\fR";
}

std::string italic(std::string_view text) {
  return "\\fI" + literal(text) + "\\fR";
}

/// Lines as they stand.
std::string unfilled(std::string_view text) {
  return ".nf\n" + literal(text) + "\n.fi\n";
}

/// What follows an option's name: its choices, or its kind.
std::string value_of(const OptionHelp& option) {
  if (option.value.empty()) return "";
  if (option.choices.empty()) return " " + italic(option.value);
  std::string out;
  for (const std::string& choice : option.choices) out += (out.empty() ? " " : "|") + bold(choice);
  return out;
}

std::string heading_of(const OptionHelp& option) {
  if (!option.positional.empty()) return italic(option.positional);
  std::string out;
  for (const std::string& name : option.names) out += (out.empty() ? "" : ", ") + bold(name);
  return out + value_of(option);
}

/// A sentence per rule between options.
std::string rules_of(const OptionHelp& option) {
  std::string out;
  if (!option.range.empty()) out += fmt::format("From {}.\n", literal(option.range));
  const auto add = [&](const char* text, const std::vector<std::string>& others) {
    std::string names;
    for (const std::string& other : others) names += (names.empty() ? "" : ", ") + bold(other);
    if (!names.empty()) out += fmt::format("{} {}.\n", text, names);
  };
  add("Not with", option.excludes);
  add("Only with", option.needs);
  if (option.required) out += "Must be given.\n";
  return out.empty() ? "" : ".br\n" + out;
}

std::string entry_of(const OptionHelp& option) {
  const std::string_view first = first_line(option.what);
  std::string out = fmt::format(".TP\n{}\n{}\n", heading_of(option), literal(first));
  if (first.size() < option.what.size()) out += unfilled(option.what.substr(first.size() + 1));
  return out + rules_of(option);
}

std::string synopsis_of(const CommandHelp& program, const CommandHelp& command) {
  std::string out = bold(program.name) + " " + bold(command.name);
  for (const OptionHelp& option : command.options) {
    if (!option.required || option.positional.empty()) continue;
    out += " " + italic(option.positional);
  }
  for (const OptionHelp& option : command.options) {
    if (option.required || option.positional.empty()) continue;
    out += " [" + italic(option.positional) + "]";
  }
  return out + " [" + italic("options") + "]";
}

std::string section_of(const CommandHelp& program, const CommandHelp& command) {
  std::string out = fmt::format(".SS {} {}\n{}.\n.PP\n{}\n", program.name, command.name,
                                literal(command.about), synopsis_of(program, command));
  for (const OptionHelp& option : command.options) {
    if (!is_help(option)) out += entry_of(option);
  }
  if (!command.footer.empty()) out += ".PP\n" + unfilled(command.footer);
  return out;
}

constexpr std::string_view kAfter = R"(.SH EXIT STATUS
.TP
.B 0
All is well.
.TP
.B 1
A verification failed, or a file is over its budget.
.TP
.B 2
The command line makes no sense.
.TP
.B 3
A file is broken, or cannot be read or written.
.TP
.B 4
Something is not supported, or a program that is needed is missing.
.TP
.B 70
A bug in sb3lm.
.SH ENVIRONMENT
.TP
.B SB3LM_VM_FOLDER
The folder tools/vm of the sources, after tools/setup there.
.B sb3lm package
and the machines of
.B sb3lm compare \-\-vm
need it, except for
.BR blocks .
)";

}  // namespace

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

std::string manual_page(const CommandHelp& program, std::string_view version,
                        std::string_view date) {
  std::string out = fmt::format(
      ".TH SB3LM 1 {} \"sb3lm {}\" \"User Commands\"\n.SH NAME\n{} \\- compile language models "
      "into "
      "Scratch projects\n.SH SYNOPSIS\n",
      date, version, program.name);
  for (const CommandHelp& command : program.commands) {
    out += synopsis_of(program, command) + "\n.br\n";
  }
  out += bold(program.name) + " " + bold("--help") + "\n.SH DESCRIPTION\n" +
         literal(program.about) + "\n.SH OPTIONS\nEvery command takes these.\n";
  for (const OptionHelp& option : program.options) out += entry_of(option);
  out += ".SH COMMANDS\n";
  for (const CommandHelp& command : program.commands) out += section_of(program, command);
  return out.append(kAfter);
}

}  // namespace sb3lm
