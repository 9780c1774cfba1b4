// What products of packed matrices share, for each instruction set: simd_products.cc has those with
// few vectors, simd_panels.cc those with many, and simd_bits.cc those of bits with many where there
// are instructions for it.
#if defined(SB3LM_SIMD_PANELS) == defined(HWY_TARGET_TOGGLE)
#ifdef SB3LM_SIMD_PANELS
#undef SB3LM_SIMD_PANELS
#else
#define SB3LM_SIMD_PANELS
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "runtime_ref/fast_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace sb3lm::fast::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_WASM

using D8 = hn::ScalableTag<std::uint8_t>;
using DI8 = hn::ScalableTag<std::int8_t>;
using D32 = hn::ScalableTag<std::int32_t>;
using DF = hn::ScalableTag<float>;
using Bytes8 = hn::Vec<D8>;
using Sums = hn::Vec<D32>;

constexpr std::size_t kLanes8 = HWY_LANES(std::uint8_t);
constexpr std::size_t kLaneRows = HWY_LANES(std::int32_t);  // with a row to a lane
constexpr std::size_t kLaneColumns = 4;                     // bytes of a lane

/// Kernels::multiply for many vectors, and for many vectors and bits.
void multiply_many(const FixedProduct& job);
void multiply_bits(const FixedProduct& job);
constexpr bool kHasMultiplyBits = HWY_TARGET == HWY_AVX3_DL;
/// Of what multiply_bits takes.
constexpr int kMostBitColumns = 2048;

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

HWY_INLINE Bytes8 low_nibbles(Bytes8 bytes) {
  return hn::And(bytes, hn::Set(D8(), 15));
}
HWY_INLINE Bytes8 high_nibbles(Bytes8 bytes) {
  const hn::Repartition<std::uint16_t, D8> d16;
  return low_nibbles(hn::BitCast(D8(), hn::ShiftRight<4>(hn::BitCast(d16, bytes))));
}

/// Four columns of a plane, in every lane.
HWY_INLINE hn::Vec<DI8> lane_columns(const std::int8_t* from) {
  std::int32_t four = 0;
  std::memcpy(&four, from, sizeof(four));
  return hn::BitCast(DI8(), hn::Set(D32(), four));
}

/// Where kLaneRows rows of a job begin; behind the last row it stands again, and its products are
/// not stored.
using RowStarts = std::array<const std::uint8_t*, kLaneRows>;
inline RowStarts row_starts(const FixedProduct& job, std::size_t row) {
  RowStarts starts;
  for (std::size_t r = 0; r < kLaneRows; ++r) {
    starts[r] = job.w->data.data() + std::min(row + r, job.last - 1) * job.w->row_bytes();
  }
  return starts;
}

/// 16 bytes of each of kLaneRows rows: lane r of the four registers has row r's bytes 0 to 3, 4 to
/// 7 and so on.
constexpr std::size_t kStrip = 16;
struct Strip {
  Bytes8 a, b, c, e;
};

/// kStrip bytes of rows `row`, `row` + 4 and so on.
template <class D, class LoadRow>
HWY_INLINE hn::Vec<D> every_fourth(D d, std::size_t row, LoadRow load) {
  if constexpr (hn::MaxLanes(d) == kStrip) {
    return load(row);
  } else {
    const hn::Half<D> half;
    return hn::Combine(d, every_fourth(half, row + hn::MaxLanes(d) / 8, load),
                       every_fourth(half, row, load));
  }
}

template <class LoadRow>
HWY_INLINE Strip load_strip(LoadRow load) {
  const D8 d;
  const D32 d32;
  const auto rows = [&](std::size_t row)
                        HWY_ATTR { return hn::BitCast(d32, every_fourth(d, row, load)); };
  const Sums a = rows(0), b = rows(1), c = rows(2), e = rows(3);
  const auto ac = hn::InterleaveLower(d32, a, c), be = hn::InterleaveLower(d32, b, e);
  const auto ac_end = hn::InterleaveUpper(d32, a, c), be_end = hn::InterleaveUpper(d32, b, e);
  return {hn::BitCast(d, hn::InterleaveLower(d32, ac, be)),
          hn::BitCast(d, hn::InterleaveUpper(d32, ac, be)),
          hn::BitCast(d, hn::InterleaveLower(d32, ac_end, be_end)),
          hn::BitCast(d, hn::InterleaveUpper(d32, ac_end, be_end))};
}

/// Calls use(four bytes of each row, place of the first of them) for bytes [first, first + size) of
/// rows of `row_bytes`, behind which there are zeros.
template <class Use>
HWY_INLINE void each_lane(const RowStarts& starts, std::size_t row_bytes, std::size_t first,
                          std::size_t size, Use use) {
  const hn::Full128<std::uint8_t> d;
  const auto use_strip = [&](const Strip& strip, std::size_t at) HWY_ATTR {
    use(strip.a, at);
    use(strip.b, at + 4);
    use(strip.c, at + 8);
    use(strip.e, at + 12);
  };
  std::size_t at = 0;
  for (; at < size && first + at + kStrip <= row_bytes; at += kStrip) {
    const auto load = [&](std::size_t r) HWY_ATTR { return hn::LoadU(d, starts[r] + first + at); };
    use_strip(load_strip(load), at);
  }
  for (; at < size; at += kStrip) {
    const auto load = [&](std::size_t r) HWY_ATTR {
      HWY_ALIGN std::uint8_t bytes[kStrip] = {};
      if (first + at < row_bytes) {
        std::memcpy(bytes, starts[r] + first + at, row_bytes - first - at);
      }
      return hn::Load(d, bytes);
    };
    use_strip(load_strip(load), at);
  }
}

/// Asks for rows that will soon be needed: they would not arrive in time by themselves.
HWY_INLINE void fetch_ahead(const PackedMatrix& w, std::size_t row, std::size_t rows) {
  constexpr std::size_t kLine = 64;
  const std::size_t row_bytes = w.row_bytes();
  const std::size_t end = std::min((row + rows) * row_bytes, w.data.size());
  for (std::size_t byte = row * row_bytes; byte < end; byte += kLine) {
    hwy::Prefetch(w.data.data() + byte);
  }
}

/// Row scales of up to `count` rows, zeros behind them; room for whole registers.
inline void load_scales(const FixedProduct& job, std::size_t row, std::size_t count,
                        float* scales) {
  const hn::Rebind<hwy::float16_t, DF> d;
  for (std::size_t r = 0; r < count; r += kLaneRows) {
    HWY_ALIGN hwy::float16_t halves[kLaneRows] = {};
    std::memcpy(halves, job.w->scales.data() + (row + r) * sizeof(halves[0]),
                std::min(kLaneRows, count - r) * sizeof(halves[0]));
    hn::Store(hn::PromoteTo(DF(), hn::Load(d, halves)), DF(), scales + r);
  }
}

/// Whole numbers below 2^53, so exact.
struct RowTotals {
  using D = hn::ScalableTag<double>;
  hn::Vec<D> lower, upper;  // rows

  static HWY_INLINE RowTotals of(Sums sums, double factor) {
    const D d;
    const hn::Half<D32> half;
    const auto factors = hn::Set(d, factor);
    return {hn::Mul(hn::PromoteTo(d, hn::LowerHalf(half, sums)), factors),
            hn::Mul(hn::PromoteTo(d, hn::UpperHalf(half, sums)), factors)};
  }
  static HWY_INLINE RowTotals load(const double* from) {
    return {hn::Load(D(), from), hn::Load(D(), from + kLaneRows / 2)};
  }
  HWY_INLINE void store(double* to) const {
    hn::Store(lower, D(), to);
    hn::Store(upper, D(), to + kLaneRows / 2);
  }
  HWY_INLINE RowTotals plus(const RowTotals& other) const {
    return {hn::Add(lower, other.lower), hn::Add(upper, other.upper)};
  }
  /// Stores what the job says of these rows of codes and vector `v`, up to the job's last row.
  HWY_INLINE void finish(const FixedProduct& job, std::size_t row, std::size_t v,
                         const float* scales) const {
    if (row >= job.last) return;
    const DF d;
    const hn::Rebind<float, D> narrow;
    const auto step = hn::Set(D(), job.w->step);
    const auto offset = hn::Set(D(), static_cast<double>(job.w->offset * job.scale[v].sum));
    const auto all = hn::Combine(d, hn::DemoteTo(narrow, hn::Add(hn::Mul(upper, step), offset)),
                                 hn::DemoteTo(narrow, hn::Add(hn::Mul(lower, step), offset)));
    const auto y = hn::Mul(all, hn::Mul(hn::Load(d, scales), hn::Set(d, job.scale[v].step)));
    float* out = job.y + v * job.y_stride + row;
    if (row + kLaneRows <= job.last) {
      hn::StoreU(y, d, out);
    } else {
      HWY_ALIGN float each[kLaneRows];
      hn::Store(y, d, each);
      std::copy_n(each, job.last - row, out);
    }
  }
};

#endif  // HWY_SCALAR, HWY_WASM

}  // namespace sb3lm::fast::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // SB3LM_SIMD_PANELS
