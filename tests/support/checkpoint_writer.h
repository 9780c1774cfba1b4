// Hand-made and deliberately broken checkpoint files for importer tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "import/safetensors.h"

namespace sb3lm {

/// A safetensors file with exactly this header text and data.
std::string raw_safetensors(std::string_view header, std::string_view data);

/// One that is a whole, parsed and written again after changes.
class CheckpointEditor {
 public:
  explicit CheckpointEditor(const std::string& bytes);

  std::vector<TensorToWrite> tensors;
  std::map<std::string, std::string> metadata;

  /// Throws bug if there is no such tensor.
  TensorToWrite& at(const std::string& name);
  void remove(const std::string& name);
  std::string bytes() const { return write_safetensors(tensors, metadata); }
};

/// Bytes of 16-bit or 32-bit little-endian numbers.
std::string raw_u16(const std::vector<std::uint16_t>& values);
std::string raw_i32(const std::vector<std::int32_t>& values);

}  // namespace sb3lm
