// A checkpoint in several files, safetensors or PyTorch's, and the index that names them:
//   {"weight_map": {"tensor": "file", ...}, ...}
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "import/container.h"
#include "import/import.h"

namespace sb3lm {

/// True for the name of an index: "model.safetensors.index.json", "pytorch_model.bin.index.json".
bool is_shard_index(std::string_view file);

/// The files that an index names, sorted, each once. Throws bad_input for names that are not plain
/// ones of files beside it.
std::vector<std::string> shard_names(const std::string& file, std::string_view index);

/// True for the name of one of several: "model-00001-of-00002.safetensors".
bool is_one_shard(std::string_view file);

/// The tensors of all shards. Throws bad_input as their readers do, and if shards and index
/// contradict each other.
Container read_shards(const CheckpointFiles& files);

}  // namespace sb3lm
