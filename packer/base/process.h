// Other programs, and where this one lies.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sb3lm {

struct ProcessOutput {
  int exit_code = 0;
  std::string text;  // its standard output
};

inline constexpr int kProgramNotFound = 127;  // the exit code then

/// Runs the program words[0], looked for in PATH, with the other words as its arguments, and waits
/// for it. What it says on standard error is dropped. Throws unsupported if nothing can be started.
ProcessOutput run_process(const std::vector<std::string>& words);

/// What the program was called with, its name first, as UTF-8.
std::vector<std::string> program_words(int argc, char** argv);

/// Where the running program lies; empty where the system does not tell.
std::filesystem::path program_folder();

}  // namespace sb3lm
