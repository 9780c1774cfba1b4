// The types of tensors in a GGUF file. Most are blocks: codes of some weights with scales of their
// own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/file.h"

namespace sb3lm {

struct GgufType {
  std::uint32_t number;
  std::string_view name;
  std::uint32_t weights;  // in a block, one after the other in a row
  std::uint32_t bytes;    // of a block
  /// The block's weights, as ggml computes them: in 32-bit floats, in this order. Null: each weight
  /// lies there as a StoredTensor of the type's name.
  void (*decode)(const std::uint8_t* block, float* weights) = nullptr;
};

/// Null for types that are not read.
const GgufType* gguf_type(std::uint32_t number);
/// Their names, for errors.
std::string gguf_type_names();

/// 32-bit floats of whole blocks.
std::string decode_blocks(const GgufType& type, Bytes blocks);

}  // namespace sb3lm
