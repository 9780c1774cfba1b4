// Everything but matrix products, for every instruction set that Highway compiles: fixed point,
// norms, activations, attention. Compiled once per target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime_ref/simd_vectors.cc"
#include "runtime_ref/simd.h"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime_ref/fast_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace sb3lm::fast::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR

using DF = hn::ScalableTag<float>;
using Floats = hn::Vec<DF>;
constexpr std::size_t kLanes = HWY_LANES(float);

/// Calls body(i) for whole registers, and tail(i) for the elements behind them.
template <class Body, class Tail>
HWY_INLINE void each(std::size_t size, Body body, Tail tail) {
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) body(i);
  for (; i < size; ++i) tail(i);
}

FixedScale to_fixed(const float* x, std::size_t size, std::int16_t* q) {
  const DF d;
  Floats most = hn::Zero(d);
  // Infinities and NaNs leave a NaN in the sum of x * 0.
  Floats check = hn::Zero(d);
  float largest = 0, tail_check = 0;
  each(
      size,
      [&](std::size_t i) HWY_ATTR {
        const auto v = hn::LoadU(d, x + i);
        most = hn::Max(most, hn::Abs(v));
        check = hn::MulAdd(v, hn::Zero(d), check);
      },
      [&](std::size_t i) HWY_ATTR {
        largest = std::max(largest, std::fabs(x[i]));
        tail_check += x[i] * 0;
      });
  largest = std::max(largest, hn::GetLane(hn::MaxOfLanes(d, most)));
  const float bad = hn::GetLane(hn::SumOfLanes(d, check)) + tail_check;
  std::fill(q + size, q + padded_to(size, kBlock), std::int16_t{0});
  FixedScale scale{.step = largest / kLargestFixed};
  if (bad != 0 || scale.step < std::numeric_limits<float>::min()) {
    std::fill(q, q + size, std::int16_t{0});
    scale.step = bad != 0 ? std::numeric_limits<float>::quiet_NaN() : 0;
    return scale;
  }
  const float inverse = 1 / scale.step;
  const hn::RebindToSigned<DF> d32;
  const hn::Rebind<std::int16_t, DF> d16;
  const auto most_fixed = hn::Set(d, kLargestFixed);
  auto sums = hn::Zero(d32);
  each(
      size,
      [&](std::size_t i) HWY_ATTR {
        const auto scaled = hn::Mul(hn::LoadU(d, x + i), hn::Set(d, inverse));
        const auto fixed =
            hn::NearestInt(hn::Max(hn::Min(scaled, most_fixed), hn::Neg(most_fixed)));
        sums = hn::Add(sums, fixed);
        hn::StoreU(hn::DemoteTo(d16, fixed), d16, q + i);
      },
      [&](std::size_t i) HWY_ATTR {
        const float rounded = std::nearbyint(x[i] * inverse);
        q[i] = static_cast<std::int16_t>(std::clamp(rounded, -kLargestFixed, kLargestFixed));
        scale.sum += q[i];
      });
  HWY_ALIGN std::int32_t parts[kLanes];
  hn::Store(sums, d32, parts);
  for (const std::int32_t part : parts) scale.sum += part;
  return scale;
}

using D16 = hn::ScalableTag<std::int16_t>;
using Shorts = hn::Vec<D16>;
constexpr std::size_t kLanes16 = HWY_LANES(std::int16_t);

HWY_INLINE void store_planes(Shorts q, std::size_t at, Planes out) {
  const D16 d;
  const hn::Rebind<std::int8_t, D16> d8;
  const auto high = hn::ShiftRight<8>(hn::Add(q, hn::Set(d, 128)));
  hn::StoreU(hn::DemoteTo(d8, high), d8, out.high + at);
  hn::StoreU(hn::DemoteTo(d8, hn::Sub(q, hn::ShiftLeft<8>(high))), d8, out.low + at);
}

/// The even columns (odd = false) of two registers of columns.
HWY_INLINE Shorts every_second(const std::int16_t* q, bool odd) {
  const D16 d;
  const auto a = hn::LoadU(d, q), b = hn::LoadU(d, q + kLanes16);
  return odd ? hn::ConcatOdd(d, b, a) : hn::ConcatEven(d, b, a);
}

void to_planes(const std::int16_t* q, std::size_t padded, ColumnOrder order, Planes out) {
  const D16 d;
  if (order == ColumnOrder::natural || order == ColumnOrder::reversed8) {
    for (std::size_t at = 0; at < padded; at += kLanes16) {
      const auto v = hn::LoadU(d, q + at);
      store_planes(order == ColumnOrder::natural ? v : hn::Reverse8(d, v), at, out);
    }
    return;
  }
  const bool odd_first = order == ColumnOrder::odd_even;
  for (std::size_t block = 0; block < padded; block += kBlock) {
    for (std::size_t at = 0; at < kBlock / 2; at += kLanes16) {
      const std::int16_t* from = q + block + 2 * at;
      store_planes(every_second(from, odd_first), block + at, out);
      store_planes(every_second(from, !odd_first), block + kBlock / 2 + at, out);
    }
  }
}

void rms_norm(const float* x, const float* w, std::size_t size, float eps, float* out) {
  const DF d;
  Floats sums[2] = {hn::Zero(d), hn::Zero(d)};
  float sum = 0;
  each(
      size,
      [&](std::size_t i) HWY_ATTR {
        const auto v = hn::LoadU(d, x + i);
        Floats& part = sums[i / kLanes % 2];
        part = hn::MulAdd(v, v, part);
      },
      [&](std::size_t i) HWY_ATTR { sum += x[i] * x[i]; });
  sum += hn::GetLane(hn::SumOfLanes(d, hn::Add(sums[0], sums[1])));
  const float inverse = 1 / std::sqrt(sum / static_cast<float>(size) + eps);
  each(
      size,
      [&](std::size_t i) HWY_ATTR {
        const auto v = hn::Mul(hn::LoadU(d, x + i), hn::Set(d, inverse));
        hn::StoreU(hn::Mul(v, hn::LoadU(d, w + i)), d, out + i);
      },
      [&](std::size_t i) HWY_ATTR { out[i] = x[i] * inverse * w[i]; });
}

HWY_INLINE Floats silu_times(Floats gate, Floats up) {
  const DF d;
  const auto one = hn::Set(d, 1.0F);
  // Highway's exponential is not for larger arguments; there the result is 0 anyway.
  const auto minus = hn::Min(hn::Neg(gate), hn::Set(d, 88.0F));
  return hn::Mul(hn::Div(gate, hn::Add(one, hn::Exp(d, minus))), up);
}

void swiglu(const float* gate, const float* up, std::size_t size, float* out) {
  const DF d;
  each(
      size,
      [&](std::size_t i) HWY_ATTR {
        hn::StoreU(silu_times(hn::LoadU(d, gate + i), hn::LoadU(d, up + i)), d, out + i);
      },
      [&](std::size_t i)
          HWY_ATTR { out[i] = hn::GetLane(silu_times(hn::Set(d, gate[i]), hn::Set(d, up[i]))); });
}

void add_scaled(float factor, const float* x, std::size_t size, float* sum) {
  const DF d;
  const auto factors = hn::Set(d, factor);
  each(
      size,
      [&](std::size_t i) HWY_ATTR {
        hn::StoreU(hn::MulAdd(factors, hn::LoadU(d, x + i), hn::LoadU(d, sum + i)), d, sum + i);
      },
      [&](std::size_t i) HWY_ATTR { sum[i] += factor * x[i]; });
}

HWY_INLINE Floats load_fixed(const std::int16_t* from) {
#if HWY_TARGET == HWY_WASM
  // What Clang knows to be 16 bits, it converts lane by lane.
  const v128_t numbers = wasm_v128_load64_zero(from);
  const v128_t upper = wasm_i16x8_shuffle(numbers, numbers, 0, 0, 1, 1, 2, 2, 3, 3);
  return Floats{wasm_f32x4_convert_i32x4(wasm_i32x4_shr(upper, 16))};
#else
  const hn::Rebind<std::int16_t, DF> d16;
  const hn::RebindToSigned<DF> d32;
  return hn::ConvertTo(DF(), hn::PromoteTo(d32, hn::LoadU(d16, from)));
#endif
}

/// The first position that is seen, or one of the kStep - 1 before it.
template <std::size_t kStep>
HWY_INLINE std::size_t from(const HeadAttention& job) {
  return job.first / kStep * kStep;
}

/// Scores of H heads at all positions that are seen, and at some beside them.
template <std::size_t H>
HWY_INLINE void score(const HeadAttention& job, std::size_t first_head) {
  const DF d;
  const std::size_t padded = padded_to(job.positions, kKvBlock);
  const float* q = job.q + first_head * job.head_size;
  static_assert(kKvBlock % (2 * kLanes) == 0);
  for (std::size_t at = from<2 * kLanes>(job); at < job.positions; at += 2 * kLanes) {
    const KvBlock& block = job.blocks[at / kKvBlock];
    const std::int16_t* key = block.keys + job.kv_head * job.head_size * kKvBlock + at % kKvBlock;
    const float* steps = block.key_steps + job.kv_head * kKvBlock + at % kKvBlock;
    Floats sums[H][2];
    for (auto& head : sums) head[0] = head[1] = hn::Zero(d);
    for (std::size_t i = 0; i < job.head_size; ++i) {
      const Floats a = load_fixed(key + i * kKvBlock);
      const Floats b = load_fixed(key + i * kKvBlock + kLanes);
      for (std::size_t h = 0; h < H; ++h) {
        const Floats factor = hn::Set(d, q[h * job.head_size + i]);
        sums[h][0] = hn::MulAdd(factor, a, sums[h][0]);
        sums[h][1] = hn::MulAdd(factor, b, sums[h][1]);
      }
    }
    for (std::size_t h = 0; h < H; ++h) {
      float* scores = job.scores + (first_head + h) * padded + at;
      hn::StoreU(hn::Mul(sums[h][0], hn::LoadU(d, steps)), d, scores);
      hn::StoreU(hn::Mul(sums[h][1], hn::LoadU(d, steps + kLanes)), d, scores + kLanes);
    }
  }
}

/// Caps scores and turns them into exp(score - largest) * the value's step, zero where none is
/// seen, and returns 1 / the sum of the exponentials.
HWY_INLINE float weigh(const HeadAttention& job, float* scores) {
  const DF d;
  const std::size_t padded = padded_to(job.positions, kKvBlock);
  if (job.cap > 0) {
    for (std::size_t p = job.first; p < job.positions; ++p) scores[p] = capped(job, scores[p]);
  }
  std::fill(scores, scores + job.first, -std::numeric_limits<float>::infinity());
  std::fill(scores + job.positions, scores + padded, -std::numeric_limits<float>::infinity());
  Floats most = hn::Set(d, -std::numeric_limits<float>::infinity());
  const std::size_t first = from<kLanes>(job);
  for (std::size_t i = first; i < job.positions; i += kLanes) {
    most = hn::Max(most, hn::LoadU(d, scores + i));
  }
  const auto largest = hn::MaxOfLanes(d, most);
  Floats sum = hn::Zero(d);
  for (std::size_t i = first; i < job.positions; i += kLanes) {
    const float* steps = job.blocks[i / kKvBlock].value_steps + job.kv_head * kKvBlock;
    const auto weight = hn::Exp(d, hn::Sub(hn::LoadU(d, scores + i), largest));
    sum = hn::Add(sum, weight);
    hn::StoreU(hn::Mul(weight, hn::LoadU(d, steps + i % kKvBlock)), d, scores + i);
  }
  return 1 / hn::GetLane(hn::SumOfLanes(d, sum));
}

/// out = sum of weight * value, for H heads.
template <std::size_t H>
HWY_INLINE void mix(const HeadAttention& job, std::size_t first_head, const float* factors) {
  const DF d;
  const std::size_t padded = padded_to(job.positions, kKvBlock);
  const std::size_t size = padded_to(job.head_size, kHeadPadding);
  const std::size_t stride = job.kv_heads * size;
  const float* scores = job.scores + first_head * padded;
  static_assert(kHeadPadding % kLanes == 0);
  for (std::size_t at = 0; at < size; at += kLanes) {
    // Two chains, for additions take longer than they keep the unit busy.
    Floats sums[H][2];
    for (auto& head : sums) head[0] = head[1] = hn::Zero(d);
    for (std::size_t p = from<2>(job); p < job.positions; p += 2) {
      const std::int16_t* value =
          job.blocks[p / kKvBlock].values + p % kKvBlock * stride + job.kv_head * size + at;
      const Floats a = load_fixed(value), b = load_fixed(value + stride);
      for (std::size_t h = 0; h < H; ++h) {
        sums[h][0] = hn::MulAdd(hn::Set(d, scores[h * padded + p]), a, sums[h][0]);
        sums[h][1] = hn::MulAdd(hn::Set(d, scores[h * padded + p + 1]), b, sums[h][1]);
      }
    }
    for (std::size_t h = 0; h < H; ++h) {
      const auto sum = hn::Mul(hn::Add(sums[h][0], sums[h][1]), hn::Set(d, factors[h]));
      hn::StoreU(sum, d, job.out + (first_head + h) * size + at);
    }
  }
}

template <std::size_t H>
void attend_some(const HeadAttention& job, std::size_t first_head) {
  const std::size_t padded = padded_to(job.positions, kKvBlock);
  score<H>(job, first_head);
  float factors[H];
  for (std::size_t h = 0; h < H; ++h) {
    factors[h] = weigh(job, job.scores + (first_head + h) * padded);
  }
  mix<H>(job, first_head, factors);
}

void attend(const HeadAttention& job) {
  std::size_t head = 0;
  for (; head + 4 <= job.heads; head += 4) attend_some<4>(job, head);
  for (; head < job.heads; ++head) attend_some<1>(job, head);
}

#endif  // HWY_SCALAR

void set_vectors(Kernels& kernels) {
#if HWY_TARGET != HWY_SCALAR
  kernels.to_fixed = to_fixed;
  kernels.to_planes = to_planes;
  kernels.rms_norm = rms_norm;
  kernels.swiglu = swiglu;
  kernels.add_scaled = add_scaled;
  kernels.attend = attend;
#else
  static_cast<void>(kernels);
#endif
}

}  // namespace sb3lm::fast::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sb3lm::fast {
SimdVersions simd_vectors() {
  return SB3LM_SIMD_VERSIONS(set_vectors);
}
}  // namespace sb3lm::fast
#endif
