// Products of bits with many vectors where bytes can be looked up among 64: four columns of a row
// are one number below 16, and what each of the 16 sums to is computed once for all rows. A lookup
// gives sixteen rows' sums of sixteen columns at a time, one of three bytes of them: three lookups
// and three byte products for what takes eight byte products without.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime_ref/simd_bits.cc"
#include "runtime_ref/simd.h"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include "runtime_ref/simd_panels-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sb3lm::fast::HWY_NAMESPACE {

#if HWY_TARGET == HWY_AVX3_DL

namespace {

constexpr std::size_t kStepColumns = 16;
constexpr std::size_t kMostSteps = std::size_t{kMostBitColumns} / kStepColumns;
constexpr std::size_t kPanelRows = 2 * kLaneRows;
constexpr std::size_t kIndexBytes = 160 * 1024;  // of rows that share a vector's tables
constexpr std::size_t kMostRows = 1024;
constexpr int kBias = 1 << 17;  // so that sums of four columns are positive

/// Bytes of the sums of a vector's columns: byte 4 i + g of a step is of columns 4 g to 4 g + 3 of
/// its sixteen, those whose bits i has.
struct Tables {
  alignas(64) std::uint8_t low[kMostSteps][kLanes8];
  alignas(64) std::uint8_t middle[kMostSteps][kLanes8];
  alignas(64) std::uint8_t high[kMostSteps][kLanes8];
};

struct Scratch {
  alignas(64) std::uint8_t index[kIndexBytes];  // [panels][steps][2][kLanes8]
  Tables tables[2];
  alignas(64) float scales[kMostRows];
};

/// Sums of four columns for all 16 choices of them.
HWY_INLINE Sums sums_of_four(Bytes8 choices, const Planes& x, std::size_t at) {
  Sums sums = add_products(hn::Set(D32(), kBias >> 8), choices, lane_columns(x.high + at));
  return add_products(hn::ShiftLeft<8>(sums), choices, lane_columns(x.low + at));
}

HWY_INLINE Sums upper_halves(Sums upper, Sums lower) {
  return hn::IfVecThenElse(hn::Set(D32(), std::int32_t(0xFFFF0000u)), upper, lower);
}
HWY_INLINE Sums odd_bytes(Sums odd, Sums even) {
  return hn::IfVecThenElse(hn::Set(D32(), std::int32_t(0xFF00FF00u)), odd, even);
}

void fill_tables(const Planes& x, std::size_t steps, Tables& tables) {
  HWY_ALIGN std::uint8_t bits[kLanes8];
  for (std::size_t i = 0; i < kLanes8; ++i) bits[i] = i / 4 >> i % 4 & 1;
  const D8 d;
  const auto choices = hn::Load(d, bits);
  for (std::size_t step = 0; step < steps; ++step) {
    const auto sums = [&](std::size_t four)
                          HWY_ATTR { return sums_of_four(choices, x, step * kStepColumns + four); };
    // Bytes of the four change places: each of the three planes gets one of every sum.
    const Sums a = sums(0), b = sums(4), c = sums(8), e = sums(12);
    const Sums ab_even = odd_bytes(hn::ShiftLeft<8>(b), a),
               ab_odd = odd_bytes(b, hn::ShiftRight<8>(a));
    const Sums ce_even = odd_bytes(hn::ShiftLeft<8>(e), c),
               ce_odd = odd_bytes(e, hn::ShiftRight<8>(c));
    const auto low = upper_halves(hn::ShiftLeft<16>(ce_even), ab_even);
    const auto middle = upper_halves(hn::ShiftLeft<16>(ce_odd), ab_odd);
    const auto high = upper_halves(ce_even, hn::ShiftRight<16>(ab_even));
    hn::Store(hn::BitCast(d, low), d, tables.low[step]);
    hn::Store(hn::BitCast(d, middle), d, tables.middle[step]);
    hn::Store(hn::BitCast(d, high), d, tables.high[step]);
  }
}

/// Where the tables have what a row's bits choose.
void fill_index(const FixedProduct& job, std::size_t row, std::size_t steps, std::uint8_t* index) {
  HWY_ALIGN std::uint8_t first_bits[kLanes8], groups[kLanes8];
  for (std::size_t i = 0; i < kLanes8; ++i) {
    groups[i] = i % 4;
    // Of each pair of lanes, two bits before the group's, which stand for 4 i.
    first_bits[i] = (i / 4 % 2 * 32 + i % 4 * 4 + 62) % 64;
  }
  const D8 d;
  const auto places = hn::Load(d, first_bits), group = hn::Load(d, groups);
  for (std::size_t reg = 0; reg < 2; ++reg) {
    each_lane(row_starts(job, row + reg * kLaneRows), job.w->row_bytes(), 0,
              steps * kStepColumns / 8, [&](Bytes8 bits, std::size_t at) HWY_ATTR {
                for (const std::size_t half : {0, 1}) {
                  const auto from =
                      hn::Add(places, hn::Set(d, static_cast<std::uint8_t>(16 * half)));
                  const Bytes8 fours{_mm512_multishift_epi64_epi8(from.raw, bits.raw)};
                  const std::size_t step = at * 8 / kStepColumns + half;
                  hn::Store(hn::Or(hn::And(fours, hn::Set(d, 0x3C)), group), d,
                            index + (2 * step + reg) * kLanes8);
                }
              });
  }
}

/// Sums of kLaneRows rows, a byte of them at a time.
struct ByteSums {
  Sums low, middle, high;
  static HWY_INLINE ByteSums zero() {
    const auto zero = hn::Zero(D32());
    return {zero, zero, zero};
  }
  HWY_INLINE void add(Bytes8 index, const Tables& tables, std::size_t step) {
    low = add_looked_up(low, index, tables.low[step]);
    middle = add_looked_up(middle, index, tables.middle[step]);
    high = add_looked_up(high, index, tables.high[step]);
  }
  HWY_INLINE void finish(const FixedProduct& job, std::size_t row, std::size_t v, std::size_t steps,
                         const float* scales) const {
    const D32 d;
    const auto all = hn::Add(hn::Add(low, hn::ShiftLeft<8>(middle)), hn::ShiftLeft<16>(high));
    const auto bias = hn::Set(d, static_cast<std::int32_t>(steps) * 4 * kBias);
    RowTotals::of(hn::Sub(all, bias), 1).finish(job, row, v, scales);
  }

 private:
  static HWY_INLINE Sums add_looked_up(Sums sums, Bytes8 index, const std::uint8_t* table) {
    const Bytes8 bytes{_mm512_permutexvar_epi8(index.raw, hn::Load(D8(), table).raw)};
    return add_products(sums, bytes, hn::Set(DI8(), 1));
  }
};

/// kPanelRows rows with one vector, or with two.
template <bool kTwo>
void multiply_panel(const FixedProduct& job, std::size_t row, std::size_t v,
                    const std::uint8_t* index, std::size_t steps, const Scratch& scratch,
                    const float* scales) {
  const D8 d;
  ByteSums a = ByteSums::zero(), b = a, more_a = a, more_b = a;
  for (std::size_t step = 0; step < steps; ++step) {
    const auto rows = hn::Load(d, index + 2 * step * kLanes8);
    const auto more_rows = hn::Load(d, index + (2 * step + 1) * kLanes8);
    a.add(rows, scratch.tables[0], step);
    more_a.add(more_rows, scratch.tables[0], step);
    if constexpr (kTwo) {
      b.add(rows, scratch.tables[1], step);
      more_b.add(more_rows, scratch.tables[1], step);
    }
  }
  a.finish(job, row, v, steps, scales);
  more_a.finish(job, row + kLaneRows, v, steps, scales + kLaneRows);
  if constexpr (kTwo) {
    b.finish(job, row, v + 1, steps, scales);
    more_b.finish(job, row + kLaneRows, v + 1, steps, scales + kLaneRows);
  }
}

template <bool kTwo>
void multiply_rows(const FixedProduct& job, std::size_t v, std::size_t steps, Scratch& scratch) {
  fill_tables(job.x[v], steps, scratch.tables[0]);
  if constexpr (kTwo) fill_tables(job.x[v + 1], steps, scratch.tables[1]);
  const std::uint8_t* index = scratch.index;
  const float* scales = scratch.scales;
  for (std::size_t row = job.first; row < job.last; row += kPanelRows) {
    multiply_panel<kTwo>(job, row, v, index, steps, scratch, scales);
    index += 2 * steps * kLanes8;
    scales += kPanelRows;
  }
}

}  // namespace

void multiply_bits(const FixedProduct& job) {
  Scratch scratch;
  const std::size_t cols = padded_to(static_cast<std::size_t>(job.w->shape.cols), kBlock);
  const std::size_t steps = cols / kStepColumns, panel_bytes = 2 * steps * kLanes8;
  const std::size_t most = std::min(kIndexBytes / panel_bytes * kPanelRows, kMostRows);
  FixedProduct some = job;
  for (some.first = job.first; some.first < job.last; some.first += most) {
    some.last = std::min(some.first + most, job.last);
    load_scales(some, some.first, some.last - some.first, scratch.scales);
    std::uint8_t* index = scratch.index;
    for (std::size_t row = some.first; row < some.last; row += kPanelRows, index += panel_bytes) {
      fill_index(some, row, steps, index);
    }
    std::size_t v = 0;
    for (; v + 2 <= job.vectors; v += 2) multiply_rows<true>(some, v, steps, scratch);
    if (v < job.vectors) multiply_rows<false>(some, v, steps, scratch);
  }
}

#endif  // HWY_AVX3_DL

}  // namespace sb3lm::fast::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
