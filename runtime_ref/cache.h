// Keys and values of the positions that one pass has seen. Every pass of ModelSpec::passes has its
// own cache, also where two passes run the same stored layer.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace sb3lm {

class KvCache {
 public:
  /// `width` is kv_heads * head_size.
  explicit KvCache(int width) : width_(static_cast<std::size_t>(width)) {}

  /// Adds the next position; keys come rotated. Both are `width` long.
  void append(std::span<const double> key, std::span<const double> value);
  void clear();

  std::size_t positions() const { return keys_.size() / width_; }
  std::span<const double> key(std::size_t position) const {
    return std::span(keys_).subspan(position * width_, width_);
  }
  std::span<const double> value(std::size_t position) const {
    return std::span(values_).subspan(position * width_, width_);
  }
  std::size_t bytes() const { return (keys_.capacity() + values_.capacity()) * sizeof(double); }

 private:
  std::size_t width_;
  std::vector<double> keys_;    // [positions, width]
  std::vector<double> values_;  // [positions, width]
};

}  // namespace sb3lm
