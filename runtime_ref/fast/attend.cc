// The heads that share a KV head go to a worker together; it scales their query in its scratch.
#include <algorithm>
#include <cmath>

#include "runtime_ref/fast/binder.h"
#include "runtime_ref/fast/ops.h"

namespace sb3lm::fast {
namespace {

class Attend final : public BoundStep {
 public:
  Attend(const Step& step, Binder& binder)
      : step_(step),
        shared_(binder.shared),
        cache_(binder.cache(step.state)),
        kv_heads_(size_of(with().kv_heads)),
        heads_(size_of(with().query_heads) / kv_heads_),
        head_size_(size_of(with().head_size)),
        padded_(padded_to(head_size_, kHeadPadding)),
        factor_(with().score_scale > 0 ? static_cast<float>(with().score_scale)
                                       : 1 / std::sqrt(static_cast<float>(with().head_size))) {}

  void run(const Batch& batch, Tokens tokens) override {
    const std::size_t scores = heads_ * padded_to(batch.position + tokens.back() + 1, kKvBlock);
    for (std::vector<float>& scratch : shared_.scratch) {
      scratch.resize(std::max(scratch.size(), 2 * heads_ * padded_ + scores));
    }
    shared_.workers.run([&](std::size_t worker) {
      const std::size_t step = shared_.workers.count();
      for (std::size_t item = worker; item < tokens.size() * kv_heads_; item += step) {
        const std::size_t t = tokens[item / kv_heads_];
        attend(batch.position + t + 1, t, item % kv_heads_, shared_.scratch[worker].data());
      }
    });
  }

 private:
  const AttendWith& with() const { return std::get<AttendWith>(step_.with); }

  void attend(std::size_t positions, std::size_t t, std::size_t kv_head, float* scratch) {
    const std::size_t size = heads_ * head_size_, at = kv_head * size;
    float *mixed = scratch, *q = mixed + heads_ * padded_, *scores = q + heads_ * padded_;
    const float* unscaled = shared_.vectors.row(step_.in[0], t) + at;
    for (std::size_t i = 0; i < size; ++i) q[i] = unscaled[i] * factor_;
    const std::size_t window = with().window > 0 ? size_of(with().window) : positions;
    const std::size_t first = positions - std::min(positions, window), block = first / kKvBlock;
    shared_.kernels.attend({.q = q,
                            .heads = heads_,
                            .head_size = head_size_,
                            .first = first - block * kKvBlock,
                            .positions = positions - block * kKvBlock,
                            .blocks = cache_.blocks() + block,
                            .kv_head = kv_head,
                            .kv_heads = kv_heads_,
                            .cap = static_cast<float>(with().score_cap),
                            .scores = scores,
                            .out = mixed});
    float* out = shared_.vectors.row(step_.out, t) + at;
    for (std::size_t h = 0; h < heads_; ++h) {
      std::copy_n(mixed + h * padded_, head_size_, out + h * head_size_);
    }
  }

  const Step& step_;
  Shared& shared_;
  const FixedCache& cache_;
  std::size_t kv_heads_;
  std::size_t heads_;  // to each of them
  std::size_t head_size_, padded_;
  float factor_;
};

}  // namespace

std::unique_ptr<BoundStep> bind_attend(const Place& place, Binder& binder) {
  return std::make_unique<Attend>(*place.step, binder);
}

}  // namespace sb3lm::fast
