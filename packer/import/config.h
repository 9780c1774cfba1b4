// A Hugging Face config.json: what it says about conventions, and whether it describes the model
// that the tensors show.
#pragma once

#include <string>
#include <string_view>

#include "import/conventions.h"
#include "model/spec.h"

namespace sb3lm {

/// Reads what a config.json says about conventions (head counts, RoPE base, ...) under the names
/// that model families use, and a known family's defaults for what it leaves out. Throws
/// unsupported for settings that change the model in ways that we do not handle.
void read_config(const std::string& file, std::string_view json, Conventions& conventions);

/// True where it says that the head is the embedding ("tie_word_embeddings").
bool config_ties_head(const std::string& file, std::string_view json);

/// Compares the config.json of a float checkpoint with the spec that its tensors gave. Throws
/// unsupported for a model type whose forward pass may differ from ours and for a window shorter
/// than the context, bad_input where the two contradict each other; both name the field.
void check_config(const std::string& file, std::string_view json, const std::string& checkpoint,
                  const ModelSpec& spec);

}  // namespace sb3lm
