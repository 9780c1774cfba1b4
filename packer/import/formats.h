// What the importers of this folder offer to import.cc.
#pragma once

#include <optional>

#include "base/progress.h"
#include "import/conventions.h"
#include "import/import.h"
#include "model/model.h"
#include "model/packed.h"

namespace sb3lm {

/// SSMoELM packed safetensors, and plain float safetensors spelled alike. The tokenizer is not
/// attached yet; `options` are the conventions asked for on the command line.
Model import_ssmoelm(const CheckpointFiles& files,
                     const std::map<std::string, std::string>& options, Progress& progress);

/// The same with the weights left where they are in `files.checkpoint`, which `owner` keeps alive.
/// Nothing if a matrix is not packed in the file.
std::optional<PackedModel> view_ssmoelm(const CheckpointFiles& files,
                                        const std::map<std::string, std::string>& options,
                                        const std::shared_ptr<const void>& owner);

/// llama2.c's version 0 (one little-endian float file).
Model import_llama2c(const CheckpointFiles& files,
                     const std::map<std::string, std::string>& options, Progress& progress);

/// A Hugging Face tokenizer.json: BPE with byte fallback, or byte-level BPE. Throws unsupported
/// with the name of the piece that we do not handle.
Tokenizer read_tokenizer_json(const NamedBytes& file);

/// llama2.c's tokenizer.bin; the file does not say how many tokens it holds.
Tokenizer read_tokenizer_bin(const NamedBytes& file, int vocabulary);

/// The text form of a chat template: lines "first: TEMPLATE", "next: TEMPLATE", "stop: NAME NAME";
/// in templates \n is a line feed, {user} the user's text, and names of special tokens are tokens.
/// Empty lines and lines that start with # are skipped.
ChatTemplate read_chat_template(const std::string& file, std::string_view text,
                                const Tokenizer& tokenizer);

/// Lowest to highest: file settings, sidecar, options. Call after the format's own defaults.
void apply_settings(const CheckpointFiles& files,
                    const std::map<std::string, std::string>& metadata,
                    const std::map<std::string, std::string>& options, Conventions& conventions);

}  // namespace sb3lm
