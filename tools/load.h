// A model from whatever file the user names: a checkpoint, or an .sb3 of ours.
#pragma once

#include <optional>

#include "base/progress.h"
#include "options.h"
#include "pack.h"
#include "runtime_ref/calibration.h"
#include "unpack/unpack.h"

namespace sb3lm {

/// True for a project, as import/sniff.h decides.
bool is_sb3(const std::filesystem::path& file);

/// The files that load_any reads. Throws bad_input if there is no such file.
std::vector<std::filesystem::path> input_files(const InputOptions& input);

/// Reads an .sb3 whole. Throws bad_input as read_sb3 does.
scratch::Program load_program(const std::filesystem::path& file, Progress& progress);

/// --bits, --round-scales and --router-bits over what --plan says.
Recipe recipe_of(const InputOptions& input);

/// What --calibration names, in windows; none without, for the model to write them itself.
Windows calibration_text(const InputOptions& input, const Model& model);

/// For load_model and apply_recipe: round_in_turn with that text. Both must outlive it.
RoundMatrices gptq_rounding(const InputOptions& input, Progress& progress);
/// Notes in the model what it was calibrated on, for files to say.
void note_calibration(const InputOptions& input, Model& model);

/// Nats a token of the built-in text with a checkpoint's own weights. Nothing if they are rounded
/// in no way, or if there are so many that reading them twice would cost more than it tells.
std::optional<double> nats_before(const InputOptions& input, Progress& progress);

/// What reading a checkpoint assumed, to standard error.
void print_notes(const Model& model);

/// Checkpoints are quantised and rounded as asked; throws usage if an .sb3 is to be.
Model load_any(const InputOptions& input, Progress& progress);

/// Ids of --prompt or --tokens. Throws usage if there is a text but no tokenizer.
std::vector<int> prompt_tokens(const Model& model, const PromptOptions& prompt);

}  // namespace sb3lm
