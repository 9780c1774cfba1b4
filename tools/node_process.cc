#include "node_process.h"

#include <cstdlib>
#include <filesystem>

#include "base/error.h"

namespace sb3lm {
namespace {

namespace fs = std::filesystem;

// Beside the program: CMake makes a link there. What is installed has none, because the scripts
// need the packages that tools/setup brings.
fs::path harness_folder() {
  if (const char* folder = std::getenv("SB3LM_VM_FOLDER")) return folder;
  fs::path folder = program_folder() / "vm";
  if (fs::exists(folder / "run.mjs")) return folder;
  fail(Fault::unsupported,
       "Scratch's machines and packager: not installed with sb3lm; they run from its sources: call "
       "tools/setup there, and set SB3LM_VM_FOLDER to their folder tools/vm");
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
