// synth: a checkpoint with random weights, its tokenizer beside it, and its sidecar if it needs
// one.
#include "commands.h"
#include "import/import.h"
#include "outputs.h"
#include "synth/synth.h"

namespace sb3lm {

int run_command(const SynthCommand& options, Progress& progress) {
  Outputs outputs({});
  outputs.expect(options.out);
  const SyntheticFiles files =
      make_synthetic({.preset = options.preset,
                      .seed = options.seed,
                      .student5 = options.distribution == Distribution::student5,
                      .layers = options.layers,
                      .vocabulary = options.vocabulary},
                     progress);
  const bool has_neighbours = Outputs::is_file(options.out);
  const std::filesystem::path tokenizer = options.out.parent_path() / files.tokenizer_name;
  const std::filesystem::path sidecar = sidecar_of(options.out);
  const std::filesystem::path config = options.out.parent_path() / "config.json";
  if (has_neighbours) {
    if (!files.tokenizer.empty()) outputs.expect(tokenizer);
    outputs.expect(sidecar);
    if (!files.config.empty()) outputs.expect(config);
  }
  outputs.write_result(options.out, files.checkpoint);
  if (!has_neighbours) return 0;
  if (!files.tokenizer.empty()) outputs.write(tokenizer, files.tokenizer);
  outputs.write_or_remove(sidecar, files.sidecar);
  if (!files.config.empty()) outputs.write(config, files.config);
  return 0;
}

}  // namespace sb3lm
