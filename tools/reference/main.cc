// sb3lm_reference FOLDER: writes the manual and the shells' completions, for `cmake --install`.
#include <filesystem>

#include "base/error.h"
#include "reference.h"
#include "tools/console.h"
#include "tools/outputs.h"

namespace {

void write_all(const std::filesystem::path& folder) {
  using namespace sb3lm;
  const CommandHelp program = describe_command_line();
  const Outputs outputs({});
  outputs.write(folder / "sb3lm.1", manual_page(program, SB3LM_VERSION, SB3LM_DATE));
  outputs.write(folder / "sb3lm.bash", bash_completion(program));
  outputs.write(folder / "_sb3lm", zsh_completion(program));
  outputs.write(folder / "sb3lm.fish", fish_completion(program));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    sb3lm::print_err("usage: sb3lm_reference FOLDER\n");
    return static_cast<int>(sb3lm::Fault::usage);
  }
  try {
    write_all(argv[1]);
    return 0;
  } catch (const sb3lm::Error& error) {
    sb3lm::print_err("sb3lm_reference: {}\n", error.what());
    return static_cast<int>(error.fault);
  }
}
