// Texts about the command line for other programs, made from what it offers.
#pragma once

#include <string>
#include <string_view>

#include "tools/option_help.h"

namespace sb3lm {

/// A page for man(1). `date` is the version's, as 2026-01-31.
std::string manual_page(const CommandHelp& program, std::string_view version,
                        std::string_view date);

std::string bash_completion(const CommandHelp& program);
std::string zsh_completion(const CommandHelp& program);
std::string fish_completion(const CommandHelp& program);

/// Every command has one of its own.
inline bool is_help(const OptionHelp& option) {
  return !option.names.empty() && option.names.back() == "--help";
}

/// The first line of a description: what stands behind it lists things.
std::string_view first_line(std::string_view text);

}  // namespace sb3lm
