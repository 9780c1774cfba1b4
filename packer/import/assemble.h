// A container's tensors as the weights of a model. The tokenizer is not attached yet.
#pragma once

#include <memory>
#include <optional>

#include "base/progress.h"
#include "import/family.h"
#include "import/import.h"

namespace sb3lm {

/// `files` are what lies beside the container, `options` the conventions asked for on the command
/// line; without a family the file decides. Throws bad_input and unsupported as import_model does.
Model assemble(Container container, const CheckpointFiles& files,
               const std::map<std::string, std::string>& options, Progress& progress,
               const Family* family = nullptr);

/// The same with the weights left where they are in the file, which `owner` keeps alive. Nothing if
/// a matrix is not packed there as the model needs it.
std::optional<PackedModel> assemble_packed(Container container, const CheckpointFiles& files,
                                           const std::map<std::string, std::string>& options,
                                           const std::shared_ptr<const void>& owner);

}  // namespace sb3lm
