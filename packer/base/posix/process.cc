#include "base/process.h"

#include <sys/wait.h>

#include <cstdio>

#include "base/error.h"

namespace sb3lm {
namespace {

constexpr int kDied = 70;

std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace

ProcessOutput run_process(const std::vector<std::string>& words) {
  std::string command;
  for (const std::string& word : words) command += shell_quoted(word) + " ";
  // Without programs, as in WebAssembly, there is no pipe.
  std::FILE* pipe = ::popen((command + "2>/dev/null").c_str(), "r");
  if (pipe == nullptr) fail(Fault::unsupported, "{}: cannot be started here", words.at(0));
  ProcessOutput output;
  char buffer[65536];
  for (std::size_t count; (count = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    output.text.append(buffer, count);
  }
  const int status = ::pclose(pipe);
  output.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : kDied;
  return output;
}

std::vector<std::string> program_words(int argc, char** argv) {
  return {argv, argv + argc};
}

std::filesystem::path program_folder() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
}

}  // namespace sb3lm
