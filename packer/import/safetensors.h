// The safetensors container: a length, a JSON header, tensor bytes. Knows nothing of models.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "import/container.h"
#include "import/import.h"

namespace sb3lm {

/// True if the bytes can only be a safetensors file (a plausible length, then "{").
bool looks_like_safetensors(Bytes bytes);

/// Reads the header and checks everything about it: every tensor inside the file, sizes that match
/// types and shapes, no overlaps, no gaps, no name twice. Throws bad_input. `bytes` must outlive
/// the result.
Container parse_safetensors(const std::string& file, Bytes bytes);

/// The same, and the spec in its metadata if there is one.
Container read_safetensors(const CheckpointFiles& files);

/// A file with these tensors (types by alignment first, so that all lie aligned) and metadata.
struct TensorToWrite {
  std::string name;
  std::string type;
  std::vector<std::int64_t> shape;
  std::string bytes;
};
std::string write_safetensors(const std::vector<TensorToWrite>& tensors,
                              const std::map<std::string, std::string>& metadata);

}  // namespace sb3lm
