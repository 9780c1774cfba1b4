#include <filesystem>

#include "base/error.h"
#include "commands.h"
#include "synth/synth.h"

namespace sb3lm {

int run_command(const SynthCommand& options, Progress& progress) {
  write_synthetic({.preset = options.preset,
                   .seed = options.seed,
                   .student5 = options.distribution == "student5",
                   .layers = options.layers,
                   .vocabulary = options.vocabulary},
                  options.out, progress);
  fmt::print("{}: {} bytes\n", options.out.string(), std::filesystem::file_size(options.out));
  return 0;
}

}  // namespace sb3lm
