// Keys and values of one pass in half precision, in blocks of positions that are allocated as they
// are needed, so that a long context costs memory only where it is used.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "model/spec.h"
#include "runtime_ref/fast_kernels.h"

namespace sb3lm::fast {

class HalfCache {
 public:
  explicit HalfCache(const AttentionSpec& spec);

  /// Stores position `position`, allocating its block; keys come rotated.
  void put(const Kernels& kernels, std::size_t position, const float* key, const float* value);

  const std::uint16_t* const* keys() const { return key_blocks_.data(); }
  const std::uint16_t* const* values() const { return value_blocks_.data(); }
  std::size_t keys_off(std::size_t kv_head) const { return kv_head * head_size_ * kKvBlock; }
  std::size_t values_off(std::size_t kv_head) const { return kv_head * padded_size_; }
  std::size_t value_stride() const { return kv_heads_ * padded_size_; }

 private:
  std::size_t kv_heads_, head_size_, padded_size_;
  std::vector<std::uint16_t> halves_;  // of the position being stored
  std::vector<std::unique_ptr<std::uint16_t[]>> owned_;
  std::vector<const std::uint16_t*> key_blocks_;    // [kv_heads][head_size][kKvBlock]
  std::vector<const std::uint16_t*> value_blocks_;  // [kKvBlock][kv_heads][padded head size]
};

}  // namespace sb3lm::fast
