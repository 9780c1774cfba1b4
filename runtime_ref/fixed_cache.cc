#include "runtime_ref/fixed_cache.h"

#include <algorithm>

namespace sb3lm::fast {

FixedCache::FixedCache(int kv_heads, int head_size)
    : kv_heads_(static_cast<std::size_t>(kv_heads)),
      head_size_(static_cast<std::size_t>(head_size)),
      padded_size_(padded_to(head_size_, kHeadPadding)),
      fixed_(padded_to(head_size_, kBlock)) {}

/// Zeros, for the kernels read whole blocks and weigh what is past the end with 0.
void FixedCache::allocate() {
  const std::size_t keys = kv_heads_ * head_size_ * kKvBlock;
  const std::size_t values = kKvBlock * kv_heads_ * padded_size_;
  numbers_.push_back(std::make_unique<std::int16_t[]>(keys + values));
  steps_.push_back(std::make_unique<float[]>(2 * kv_heads_ * kKvBlock));
  std::int16_t* numbers = numbers_.back().get();
  float* steps = steps_.back().get();
  blocks_.push_back({.keys = numbers,
                     .values = numbers + keys,
                     .key_steps = steps,
                     .value_steps = steps + kv_heads_ * kKvBlock});
}

void FixedCache::put(const Kernels& kernels, std::size_t position, const float* key,
                     const float* value) {
  while (blocks_.size() <= position / kKvBlock) allocate();
  const KvBlock& block = blocks_[position / kKvBlock];
  const std::size_t within = position % kKvBlock;
  for (std::size_t h = 0; h < kv_heads_; ++h) {
    block.key_steps[h * kKvBlock + within] =
        kernels.to_fixed(key + h * head_size_, head_size_, fixed_.data()).step;
    std::int16_t* keys = block.keys + h * head_size_ * kKvBlock + within;
    for (std::size_t i = 0; i < head_size_; ++i) keys[i * kKvBlock] = fixed_[i];
    block.value_steps[h * kKvBlock + within] =
        kernels.to_fixed(value + h * head_size_, head_size_, fixed_.data()).step;
    std::copy_n(fixed_.data(), head_size_, block.values + (within * kv_heads_ + h) * padded_size_);
  }
}

void FixedCache::get_values(std::size_t position, std::size_t kv_head, float* out) const {
  const KvBlock& block = blocks_[position / kKvBlock];
  const std::size_t within = position % kKvBlock;
  const std::int16_t* values = block.values + (within * kv_heads_ + kv_head) * padded_size_;
  const float step = block.value_steps[kv_head * kKvBlock + within];
  for (std::size_t i = 0; i < head_size_; ++i) out[i] = step * static_cast<float>(values[i]);
}

}  // namespace sb3lm::fast
