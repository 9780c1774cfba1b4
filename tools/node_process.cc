#include "node_process.h"

#include <cstdlib>
#include <filesystem>

#include "base/error.h"

namespace sb3lm {
namespace {

namespace fs = std::filesystem;

// Beside the program, in its install folder, or in the source tree that built it.
fs::path harness_folder() {
  if (const char* folder = std::getenv("SB3LM_VM_FOLDER")) return folder;
  const fs::path program = program_folder();
  for (const fs::path& folder :
       {program / "vm", program / "../share/sb3lm/vm", fs::path(SB3LM_SOURCE_DIR) / "tools/vm"}) {
    if (fs::exists(folder / "run.mjs")) return folder;
  }
  fail(Fault::unsupported, "tools/vm/run.mjs: not found beside the program; set SB3LM_VM_FOLDER");
}

}  // namespace

ProcessOutput run_node(const std::string& script, const std::vector<std::string>& arguments) {
  const fs::path file = harness_folder() / script;
  if (!fs::exists(file)) fail(Fault::unsupported, "{}: not found", file.string());
  std::vector<std::string> words = {"node", file.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  ProcessOutput output = run_process(words);
  if (output.exit_code == kProgramNotFound) {
    fail(Fault::unsupported, "node: not found; tools/setup installs it");
  }
  return output;
}

}  // namespace sb3lm
