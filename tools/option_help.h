// What the command line offers, as data: for the manual and the shells' completions.
#pragma once

#include <string>
#include <vector>

namespace sb3lm {

struct OptionHelp {
  std::string positional;            // its name, if it has no option's name
  std::vector<std::string> names;    // "-o", "--out"
  std::string value;                 // what kind follows, as in --help; empty: none
  std::string range;                 // "1 to 9", if only such numbers may follow
  std::vector<std::string> choices;  // if only these words may follow
  std::string what;
  bool required = false;
  std::vector<std::string> excludes, needs;  // other options' names
};

struct CommandHelp {
  std::string name, about, footer;
  std::vector<OptionHelp> options;
  std::vector<CommandHelp> commands;
};

/// Of the whole program, in the order of --help.
CommandHelp describe_command_line();

}  // namespace sb3lm
