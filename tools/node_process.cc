#include "node_process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/error.h"

namespace sb3lm {
namespace {

namespace fs = std::filesystem;

constexpr int kNotFound = 127;  // what a shell says of a program that is not there

// Beside the program, in its install folder, or in the source tree that built it.
fs::path harness_folder() {
  if (const char* folder = std::getenv("SB3LM_VM_FOLDER")) return folder;
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const fs::path& folder :
       {program / "vm", program / "../share/sb3lm/vm", fs::path(SB3LM_SOURCE_DIR) / "tools/vm"}) {
    if (fs::exists(folder / "run.mjs")) return folder;
  }
  fail(Fault::unsupported, "tools/vm/run.mjs: not found beside the program; set SB3LM_VM_FOLDER");
}

std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

NodeOutput run_process(const std::string& command) {
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) fail(Fault::unsupported, "node: cannot be started");
  NodeOutput output;
  char buffer[65536];
  for (std::size_t count; (count = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    output.text.append(buffer, count);
  }
  const int status = ::pclose(pipe);
  output.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 70;
  return output;
}

}  // namespace

NodeOutput run_node(const std::string& script, const std::vector<std::string>& arguments) {
  const fs::path file = harness_folder() / script;
  if (!fs::exists(file)) fail(Fault::unsupported, "{}: not found", file.string());
  std::string command = "node " + shell_quoted(file.string());
  for (const std::string& argument : arguments) command += " " + shell_quoted(argument);
  NodeOutput output = run_process(command + " 2>/dev/null");
  if (output.exit_code == kNotFound) {
    fail(Fault::unsupported, "node: not found; tools/setup installs it");
  }
  return output;
}

}  // namespace sb3lm
