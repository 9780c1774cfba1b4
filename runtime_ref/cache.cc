#include "runtime_ref/cache.h"

#include "base/error.h"

namespace sb3lm {

void KvCache::append(std::span<const double> key, std::span<const double> value) {
  check(key.size() == width_ && value.size() == width_, "a cached key or value has another width");
  keys_.insert(keys_.end(), key.begin(), key.end());
  values_.insert(values_.end(), value.begin(), value.end());
}

void KvCache::clear() {
  keys_.clear();
  values_.clear();
}

}  // namespace sb3lm
