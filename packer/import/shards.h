// A checkpoint in several safetensors files, and the index that names them:
//   {"weight_map": {"tensor": "file", ...}, ...}
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "import/import.h"
#include "import/safetensors.h"

namespace sb3lm {

/// True for the name of an index: "model.safetensors.index.json".
bool is_shard_index(std::string_view file);

/// The files that an index names, sorted, each once. Throws bad_input for names that are not plain
/// ones of files beside it.
std::vector<std::string> shard_names(const std::string& file, std::string_view index);

/// The tensors of the checkpoint, whether it is one file or an index with its shards, and the spec
/// of its metadata. Throws bad_input as parse_safetensors does, and if shards and index contradict
/// each other.
Container read_safetensors(const CheckpointFiles& files);

}  // namespace sb3lm
