// Keys and values of one pass in 16-bit fixed point, in blocks of positions that are allocated as
// they are needed, so that a long context costs memory only where it is used. As large as binary16
// and several times as exact, for a head's elements are of one size.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime_ref/fast_kernels.h"

namespace sb3lm::fast {

class FixedCache {
 public:
  FixedCache(int kv_heads, int head_size);

  /// Stores position `position`, allocating its block; keys come rotated.
  void put(const Kernels& kernels, std::size_t position, const float* key, const float* value);

  /// The values of a stored position as they are there.
  void get_values(std::size_t position, std::size_t kv_head, float* out) const;

  const KvBlock* blocks() const { return blocks_.data(); }

 private:
  void allocate();

  std::size_t kv_heads_, head_size_, padded_size_;
  std::vector<std::int16_t> fixed_;  // of one head of the position being stored
  std::vector<KvBlock> blocks_;
  std::vector<std::unique_ptr<std::int16_t[]>> numbers_;
  std::vector<std::unique_ptr<float[]>> steps_;
};

}  // namespace sb3lm::fast
