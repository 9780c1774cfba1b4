#include "runtime_ref/fast_cache.h"

#include <algorithm>

namespace sb3lm::fast {

HalfCache::HalfCache(const AttentionSpec& spec)
    : kv_heads_(static_cast<std::size_t>(spec.kv_heads)),
      head_size_(static_cast<std::size_t>(spec.head_size)),
      padded_size_(padded_to(head_size_, kHeadPadding)),
      halves_(kv_heads_ * head_size_) {}

void HalfCache::put(const Kernels& kernels, std::size_t position, const float* key,
                    const float* value) {
  const std::size_t block = position / kKvBlock, within = position % kKvBlock;
  while (key_blocks_.size() <= block) {
    // Zeros, for the kernels read whole blocks and weigh what is past the end with 0.
    for (const std::size_t width : {kv_heads_ * head_size_, value_stride()}) {
      owned_.push_back(std::make_unique<std::uint16_t[]>(width * kKvBlock));
    }
    key_blocks_.push_back(owned_[owned_.size() - 2].get());
    value_blocks_.push_back(owned_.back().get());
  }
  std::uint16_t* keys = owned_[2 * block].get();
  std::uint16_t* values = owned_[2 * block + 1].get() + within * value_stride();
  kernels.to_halves(key, halves_.size(), halves_.data());
  for (std::size_t i = 0; i < halves_.size(); ++i) keys[i * kKvBlock + within] = halves_[i];
  for (std::size_t h = 0; h < kv_heads_; ++h) {
    kernels.to_halves(value + h * head_size_, head_size_, values + h * padded_size_);
  }
}

}  // namespace sb3lm::fast
