// Checkpoint file to Model: sniffs the format and dispatches to its importer.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/progress.h"
#include "model/model.h"

namespace sb3lm {

struct ImportOptions {
  std::optional<std::filesystem::path> tokenizer;      // else the one beside the checkpoint
  std::optional<std::filesystem::path> name_map;       // --map
  std::optional<std::filesystem::path> chat_template;  // --chat-template
  std::map<std::string, std::string> conventions;      // --convention key=value, over the sidecar
};

/// Reads and checks everything; throws bad_input or unsupported with file, tensor and rule.
Model import_model(const std::filesystem::path& checkpoint, const ImportOptions& options,
                   Progress& progress);

}  // namespace sb3lm
