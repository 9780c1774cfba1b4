// Products of packed and of float matrices with vectors, for every instruction set that Highway
// compiles. Compiled once per target: HWY_NAMESPACE differs each time.
//
// Rows go four at a time, so that a vector's bytes are loaded once for all of them, and in batches
// vectors two at a time, so that unpacked weights serve both.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime_ref/simd_products.cc"
#include "runtime_ref/simd.h"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include <algorithm>
#include <cstring>

#include "runtime_ref/fast_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace sb3lm::fast::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR

using D8 = hn::ScalableTag<std::uint8_t>;
using DI8 = hn::ScalableTag<std::int8_t>;
using D32 = hn::ScalableTag<std::int32_t>;
using DF = hn::ScalableTag<float>;
using Bytes8 = hn::Vec<D8>;
using Sums = hn::Vec<D32>;

constexpr std::size_t kLanes8 = HWY_LANES(std::uint8_t);
constexpr std::size_t kRows = 4;
// Enough registers for two vectors at a time?
constexpr std::size_t kVectors = kLanes8 == 64 ? 2 : 1;
// So that 256 * high + low fits 32 bits: columns * 15 * 32,640 < 2^31.
constexpr std::size_t kSegment = 4096;

/// sums + w * x, four neighbouring products to a lane. w is at most 15.
HWY_INLINE Sums add_products(Sums sums, Bytes8 w, hn::Vec<DI8> x) {
#if HWY_TARGET == HWY_AVX3_DL
  // Highway's target has no name for this instruction, but every processor of it has it.
  asm("vpdpbusd %2, %1, %0" : "+v"(sums.raw) : "v"(w.raw), "v"(x.raw));
  return sums;
#elif HWY_TARGET == HWY_AVX3
  const __m512i pairs = _mm512_maddubs_epi16(w.raw, x.raw);
  return Sums{_mm512_add_epi32(sums.raw, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)))};
#elif HWY_TARGET == HWY_AVX2
  const __m256i pairs = _mm256_maddubs_epi16(w.raw, x.raw);
  return Sums{_mm256_add_epi32(sums.raw, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))};
#elif HWY_TARGET == HWY_SSE4 || HWY_TARGET == HWY_SSSE3
  const __m128i pairs = _mm_maddubs_epi16(w.raw, x.raw);
  return Sums{_mm_add_epi32(sums.raw, _mm_madd_epi16(pairs, _mm_set1_epi16(1)))};
#else
  const hn::Repartition<std::int16_t, D8> d16;
  const D32 d32;
  const auto w16 = hn::BitCast(d16, w);
  const auto x16 = hn::BitCast(d16, x);
  const auto even =
      hn::Mul(hn::And(w16, hn::Set(d16, 0xFF)), hn::ShiftRight<8>(hn::ShiftLeft<8>(x16)));
  const auto odd = hn::Mul(hn::ShiftRight<8>(w16), hn::ShiftRight<8>(x16));
  const auto pairs = hn::BitCast(d32, hn::Add(even, odd));
  const auto low = hn::ShiftRight<16>(hn::ShiftLeft<16>(pairs));
  return hn::Add(sums, hn::Add(low, hn::ShiftRight<16>(pairs)));
#endif
}

/// The low and high parts of every row's product with every vector.
template <std::size_t R, std::size_t V>
struct Tile {
  Sums high[R][V], low[R][V];

  HWY_INLINE void clear() {
    const D32 d;
    for (std::size_t r = 0; r < R; ++r) {
      for (std::size_t v = 0; v < V; ++v) high[r][v] = low[r][v] = hn::Zero(d);
    }
  }
  HWY_INLINE void add(const Bytes8 (&w)[R], const Planes (&x)[V], std::size_t at) {
    const DI8 d;
    for (std::size_t v = 0; v < V; ++v) {
      const auto x_high = hn::LoadU(d, x[v].high + at);
      const auto x_low = hn::LoadU(d, x[v].low + at);
      for (std::size_t r = 0; r < R; ++r) {
        high[r][v] = add_products(high[r][v], w[r], x_high);
        low[r][v] = add_products(low[r][v], w[r], x_low);
      }
    }
  }
};

/// How kBlock columns of a row become bytes of at most 15 each.
struct Bits {
  static constexpr std::size_t kBytes = kBlock / 8;
  template <std::size_t R, std::size_t V>
  static HWY_INLINE void add_block(const std::uint8_t* const (&rows)[R], const Planes (&x)[V],
                                   std::size_t at, unsigned, Tile<R, V>& tile) {
    const D8 d;
    for (std::size_t col = 0; col < kBlock; col += kLanes8) {
      Bytes8 w[R];
      for (std::size_t r = 0; r < R; ++r)
        w[r] = hn::IfThenElseZero(mask(rows[r] + col / 8), hn::Set(d, 1));
      tile.add(w, x, at + col);
    }
  }

 private:
  static HWY_INLINE hn::Mask<D8> mask(const std::uint8_t* bits) {
    if constexpr (kLanes8 == 64) return hn::LoadMaskBits(D8(), bits);
    // Highway may read 8 bytes wherever it needs fewer.
    std::uint8_t copy[8] = {};
    std::memcpy(copy, bits, kLanes8 / 8);
    return hn::LoadMaskBits(D8(), copy);
  }
};

HWY_INLINE Bytes8 low_nibbles(Bytes8 bytes) {
  return hn::And(bytes, hn::Set(D8(), 15));
}
HWY_INLINE Bytes8 high_nibbles(Bytes8 bytes) {
  const hn::Repartition<std::uint16_t, D8> d16;
  return low_nibbles(hn::BitCast(D8(), hn::ShiftRight<4>(hn::BitCast(d16, bytes))));
}

struct Nibbles {
  static constexpr std::size_t kBytes = kBlock / 2;
  template <std::size_t R, std::size_t V>
  static HWY_INLINE void add_block(const std::uint8_t* const (&rows)[R], const Planes (&x)[V],
                                   std::size_t at, unsigned flip, Tile<R, V>& tile) {
    const D8 d;
    const auto flips = hn::Set(d, static_cast<std::uint8_t>(flip));
    for (std::size_t byte = 0; byte < kBytes; byte += kLanes8) {
      Bytes8 both[R], w[R];
      for (std::size_t r = 0; r < R; ++r) both[r] = hn::LoadU(d, rows[r] + byte);
      for (std::size_t r = 0; r < R; ++r) w[r] = hn::Xor(low_nibbles(both[r]), flips);
      tile.add(w, x, at + byte);
      for (std::size_t r = 0; r < R; ++r) w[r] = hn::Xor(high_nibbles(both[r]), flips);
      tile.add(w, x, at + kBlock / 2 + byte);
    }
  }
};

/// Bytes go in two rounds, low nibbles and high ones.
template <bool kHigh>
struct HalfBytes {
  static constexpr std::size_t kBytes = kBlock;
  template <std::size_t R, std::size_t V>
  static HWY_INLINE void add_block(const std::uint8_t* const (&rows)[R], const Planes (&x)[V],
                                   std::size_t at, unsigned, Tile<R, V>& tile) {
    const D8 d;
    for (std::size_t byte = 0; byte < kBytes; byte += kLanes8) {
      Bytes8 w[R];
      for (std::size_t r = 0; r < R; ++r) {
        const auto both = hn::LoadU(d, rows[r] + byte);
        w[r] = kHigh ? high_nibbles(both) : low_nibbles(both);
      }
      tile.add(w, x, at + byte);
    }
  }
};

using Four = hn::Full128<std::int32_t>;  // a number per row
using FourFloats = hn::Full128<float>;

/// Lane sums of four registers.
HWY_INLINE hn::Vec<Four> sum_lanes(const Sums (&v)[kRows]) {
  const Four d;
  const auto halve = [](auto d_in, auto x, auto&& self) HWY_ATTR {
    if constexpr (hn::MaxLanes(d_in) > 4) {
      const hn::Half<decltype(d_in)> dh;
      return self(dh, hn::Add(hn::LowerHalf(dh, x), hn::UpperHalf(dh, x)), self);
    } else {
      return x;
    }
  };
  const D32 d32;
  const auto a = halve(d32, v[0], halve), b = halve(d32, v[1], halve);
  const auto c = halve(d32, v[2], halve), e = halve(d32, v[3], halve);
  const auto ac = hn::Add(hn::InterleaveLower(d, a, c), hn::InterleaveUpper(d, a, c));
  const auto be = hn::Add(hn::InterleaveLower(d, b, e), hn::InterleaveUpper(d, b, e));
  return hn::Add(hn::InterleaveLower(d, ac, be), hn::InterleaveUpper(d, ac, be));
}

/// Whole numbers below 2^53 for four rows, so exact.
struct Totals {
#if HWY_CAP_GE256
  using D = hn::Full256<double>;
  hn::Vec<D> all;
  HWY_INLINE void clear() {
    all = hn::Zero(D());
  }
  HWY_INLINE void add(hn::Vec<Four> sums) {
    all = hn::Add(all, hn::PromoteTo(D(), sums));
  }
  HWY_INLINE void times(double factor) {
    all = hn::Mul(all, hn::Set(D(), factor));
  }
  HWY_INLINE hn::Vec<FourFloats> plus(double offset) const {
    return hn::DemoteTo(FourFloats(), hn::Add(all, hn::Set(D(), offset)));
  }
#else
  double all[kRows];
  HWY_INLINE void clear() {
    std::fill_n(all, kRows, 0.0);
  }
  HWY_INLINE void add(hn::Vec<Four> sums) {
    HWY_ALIGN std::int32_t each[kRows];
    hn::Store(sums, Four(), each);
    for (std::size_t r = 0; r < kRows; ++r) all[r] += each[r];
  }
  HWY_INLINE void times(double factor) {
    for (double& one : all) one *= factor;
  }
  HWY_INLINE hn::Vec<FourFloats> plus(double offset) const {
    HWY_ALIGN float each[kRows];
    for (std::size_t r = 0; r < kRows; ++r) each[r] = static_cast<float>(all[r] + offset);
    return hn::Load(FourFloats(), each);
  }
#endif
};

/// totals[v] += sums of w * q over all columns.
template <class Codes, std::size_t V>
HWY_INLINE void add_rows(const std::uint8_t* const (&rows)[kRows], std::size_t row_bytes,
                         const Planes (&x)[V], std::size_t cols, unsigned flip,
                         Totals (&totals)[V]) {
  for (std::size_t first = 0; first < cols; first += kSegment) {
    const std::size_t last = std::min(first + kSegment, cols);
    Tile<kRows, V> tile;
    tile.clear();
    std::size_t at = first;
    for (; at + kBlock <= last; at += kBlock) {
      const std::size_t byte = at / kBlock * Codes::kBytes;
      const std::uint8_t* here[kRows] = {rows[0] + byte, rows[1] + byte, rows[2] + byte,
                                         rows[3] + byte};
      Codes::add_block(here, x, at, flip, tile);
    }
    if (at < last) {  // the row ends within the block
      std::uint8_t copies[kRows][Codes::kBytes] = {};
      const std::size_t byte = at / kBlock * Codes::kBytes;
      for (std::size_t r = 0; r < kRows; ++r) {
        std::memcpy(copies[r], rows[r] + byte, row_bytes - byte);
      }
      const std::uint8_t* here[kRows] = {copies[0], copies[1], copies[2], copies[3]};
      Codes::add_block(here, x, at, flip, tile);
    }
    for (std::size_t v = 0; v < V; ++v) {
      Sums both[kRows];
      for (std::size_t r = 0; r < kRows; ++r) {
        both[r] = hn::Add(hn::ShiftLeft<8>(tile.high[r][v]), tile.low[r][v]);
      }
      totals[v].add(sum_lanes(both));
    }
  }
}

template <std::size_t V>
HWY_INLINE void add_all_codes(const PackedMatrix& w, const std::uint8_t* const (&rows)[kRows],
                              const Planes (&x)[V], Totals (&totals)[V]) {
  const auto cols = static_cast<std::size_t>(w.shape.cols);
  const std::size_t row_bytes = w.row_bytes();
  if (w.storage == PackedStorage::bits) {
    add_rows<Bits>(rows, row_bytes, x, cols, 0, totals);
  } else if (w.storage == PackedStorage::nibbles) {
    add_rows<Nibbles>(rows, row_bytes, x, cols, w.flip, totals);
  } else {
    add_rows<HalfBytes<true>>(rows, row_bytes, x, cols, 0, totals);
    for (Totals& total : totals) total.times(16);
    add_rows<HalfBytes<false>>(rows, row_bytes, x, cols, 0, totals);
  }
}

HWY_INLINE hn::Vec<FourFloats> load_scales(const PackedMatrix& w, std::size_t first,
                                           std::size_t count) {
  HWY_ALIGN hwy::float16_t halves[kRows] = {};
  const std::uint8_t* from = w.scales.data() + first * sizeof(hwy::float16_t);
  std::memcpy(halves, from, (count == kRows ? kRows : count) * sizeof(hwy::float16_t));
  const hn::Rebind<hwy::float16_t, FourFloats> d;
  return hn::PromoteTo(FourFloats(), hn::Load(d, halves));
}

/// Rows [first, last) with V vectors from number `from` on.
template <std::size_t V>
void multiply_some(const FixedProduct& job, std::size_t first, std::size_t last, std::size_t from) {
  const PackedMatrix& w = *job.w;
  const std::size_t row_bytes = w.row_bytes();
  Planes x[V];
  for (std::size_t v = 0; v < V; ++v) x[v] = job.x[from + v];
  for (; first < last; first += kRows) {
    const std::uint8_t* rows[kRows];
    for (std::size_t r = 0; r < kRows; ++r) {
      rows[r] = w.data.data() + std::min(first + r, last - 1) * row_bytes;
    }
    Totals totals[V];
    for (Totals& total : totals) total.clear();
    add_all_codes(w, rows, x, totals);
    const std::size_t count = std::min(kRows, last - first);
    const auto row_scales = load_scales(w, first, count);
    for (std::size_t v = 0; v < V; ++v) {
      const FixedScale& scale = job.scale[from + v];
      totals[v].times(w.step);
      const auto all = totals[v].plus(static_cast<double>(w.offset * scale.sum));
      const auto y = hn::Mul(all, hn::Mul(row_scales, hn::Set(FourFloats(), scale.step)));
      float* out = job.y + (from + v) * job.y_stride + first;
      if (count == kRows) {
        hn::StoreU(y, FourFloats(), out);
      } else {
        HWY_ALIGN float each[kRows];
        hn::Store(y, FourFloats(), each);
        std::copy_n(each, count, out);
      }
    }
  }
}

void multiply(const FixedProduct& job) {
  // So many rows stay in the nearest cache while all vectors pass over them.
  constexpr std::size_t kTogether = 8 * kRows;
  for (std::size_t first = job.first; first < job.last; first += kTogether) {
    const std::size_t last = std::min(first + kTogether, job.last);
    std::size_t v = 0;
    for (; v + kVectors <= job.vectors; v += kVectors) multiply_some<kVectors>(job, first, last, v);
    for (; v < job.vectors; ++v) multiply_some<1>(job, first, last, v);
  }
}

float dot(const float* a, const float* b, std::size_t size) {
  const DF d;
  constexpr std::size_t kLanes = HWY_LANES(float);
  constexpr std::size_t kChains = 4;
  hn::Vec<DF> sums[kChains] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  std::size_t i = 0;
  for (; i + kChains * kLanes <= size; i += kChains * kLanes) {
    for (std::size_t c = 0; c < kChains; ++c) {
      sums[c] =
          hn::MulAdd(hn::LoadU(d, a + i + c * kLanes), hn::LoadU(d, b + i + c * kLanes), sums[c]);
    }
  }
  for (; i + kLanes <= size; i += kLanes) {
    sums[0] = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), sums[0]);
  }
  const auto sum = hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]));
  float total = hn::GetLane(hn::SumOfLanes(d, sum));
  for (; i < size; ++i) total += a[i] * b[i];
  return total;
}

void multiply_floats(const FloatProduct& job) {
  const auto cols = static_cast<std::size_t>(job.w->shape.cols);
  const auto* weights = reinterpret_cast<const float*>(job.w->data.data());
  for (std::size_t r = job.first; r < job.last; ++r) {
    for (std::size_t v = 0; v < job.vectors; ++v) {
      job.y[v * job.y_stride + r] = dot(weights + r * cols, job.x[v], cols);
    }
  }
}

#endif  // HWY_SCALAR

void set_products(Kernels& kernels) {
#if HWY_TARGET != HWY_SCALAR
  kernels.name = hwy::TargetName(HWY_TARGET);
  kernels.multiply = multiply;
  kernels.multiply_floats = multiply_floats;
#else
  static_cast<void>(kernels);
#endif
}

}  // namespace sb3lm::fast::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sb3lm::fast {
HWY_EXPORT(set_products);
void set_simd_products(Kernels& kernels) {
  HWY_DYNAMIC_DISPATCH(set_products)(kernels);
}
}  // namespace sb3lm::fast
#endif
