// Products of packed matrices with many vectors, for every instruction set that Highway compiles.
//
// A panel is some rows' codes, unpacked once for all vectors: a byte each, and a lane of a register
// holds four columns of its row. So rows need no adding of lanes, which for short rows takes as
// long as the products, and a vector's columns go to all lanes alike.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime_ref/simd_panels.cc"
#include "runtime_ref/simd.h"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include "runtime_ref/simd_panels-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sb3lm::fast::HWY_NAMESPACE {
namespace {

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_WASM

constexpr std::size_t kRegisters = kLanes8 == 64 ? 2 : 1;  // of rows; two need 32 registers
constexpr std::size_t kPanelRows = kRegisters * kLaneRows;
constexpr std::size_t kPanelColumns = 2048;
constexpr std::size_t kVectors = 4;      // that pass over a panel together
constexpr std::size_t kMostTotals = 64;  // vectors
static_assert(kPanelColumns % kBlock == 0);

/// Columns [first, first + size) of kPanelRows rows; of bytes one nibble.
struct Part {
  std::size_t row, first, size;     // size is padded to kBlock
  bool high = false;                // nibbles of bytes
  bool starts = true, ends = true;  // the rows: no part comes before it, none behind it
  double factor() const { return high ? 16 : 1; }
};

struct Panel {
  alignas(64) std::uint8_t codes[kPanelColumns / kLaneColumns][kRegisters][kLanes8];
  alignas(64) float scales[kPanelRows];
  alignas(64) double totals[kMostTotals][kPanelRows];  // of the parts that are done
};

/// Calls use(four bytes of each row, place of the first of them, put) for all bytes of a part;
/// put(codes, column) takes what becomes of them.
template <class Use>
HWY_INLINE void fill(const FixedProduct& job, const Part& part, std::size_t codes_per_byte,
                     Panel& panel, Use use) {
  for (std::size_t reg = 0; reg < kRegisters; ++reg) {
    const auto put = [&](Bytes8 codes, std::size_t column) HWY_ATTR {
      hn::Store(codes, D8(), panel.codes[column / kLaneColumns][reg]);
    };
    each_lane(row_starts(job, part.row + reg * kLaneRows), job.w->row_bytes(),
              part.first / codes_per_byte, part.size / codes_per_byte,
              [&](Bytes8 bytes, std::size_t at) HWY_ATTR { use(bytes, at, put); });
  }
}

void fill_with_nibbles(const FixedProduct& job, const Part& part, Panel& panel) {
  const auto flips = hn::Set(D8(), job.w->flip);
  // A plane has the columns of low nibbles in the first half of each block.
  constexpr std::size_t kHalf = kBlock / 2;
  fill(job, part, 2, panel, [&](Bytes8 both, std::size_t at, auto put) HWY_ATTR {
    const std::size_t column = at / kHalf * kBlock + at % kHalf;
    put(hn::Xor(low_nibbles(both), flips), column);
    put(hn::Xor(high_nibbles(both), flips), column + kHalf);
  });
}

void fill_with_bytes(const FixedProduct& job, const Part& part, Panel& panel) {
  const auto flips = hn::Set(D8(), job.w->flip);
  fill(job, part, 1, panel, [&](Bytes8 bytes, std::size_t at, auto put) HWY_ATTR {
    const auto codes = hn::Xor(bytes, flips);
    put(part.high ? high_nibbles(codes) : low_nibbles(codes), at);
  });
}

void fill_with_bits(const FixedProduct& job, const Part& part, Panel& panel) {
  const D8 d;
  const auto first_four = hn::BitCast(d, hn::Set(D32(), 0x08040201));
  const auto last_four = hn::ShiftLeft<4>(first_four);
  HWY_ALIGN static constexpr std::uint8_t kFirstByte[16] = {0, 0, 0, 0, 4,  4,  4,  4,
                                                            8, 8, 8, 8, 12, 12, 12, 12};
  const auto first_byte = hn::LoadDup128(d, kFirstByte);
  fill(job, part, 8, panel, [&](Bytes8 bits, std::size_t at, auto put) HWY_ATTR {
    for (std::size_t i = 0; i < kLaneColumns; ++i) {
      const auto byte = hn::Add(first_byte, hn::Set(d, static_cast<std::uint8_t>(i)));
      const auto eight = hn::TableLookupBytes(bits, byte);
      const std::size_t column = 8 * (at + i);
      put(hn::Min(hn::And(eight, first_four), hn::Set(d, 1)), column);
      put(hn::Min(hn::And(eight, last_four), hn::Set(d, 1)), column + 4);
    }
  });
}

// The parts below are structs with a name for each register: arrays would live in memory, because
// the compiler takes them apart before it unrolls the loops over them.

/// Adds kLaneRows sums to the totals, or stores the products if the part was the last one.
HWY_INLINE void end(const FixedProduct& job, const Part& part, Panel& panel, std::size_t v,
                    std::size_t reg, Sums sums) {
  double* totals = panel.totals[v % kMostTotals] + reg * kLaneRows;
  auto all = RowTotals::of(sums, part.factor());
  if (!part.starts) all = all.plus(RowTotals::load(totals));
  if (part.ends) {
    all.finish(job, part.row + reg * kLaneRows, v, panel.scales + reg * kLaneRows);
  } else {
    all.store(totals);
  }
}

/// A panel's products with one vector; `more` is of the second register of rows.
struct VectorSums {
  Sums high, low, more_high, more_low;
  static HWY_INLINE VectorSums zero() {
    const auto zero = hn::Zero(D32());
    return {zero, zero, zero, zero};
  }
  HWY_INLINE void add(Bytes8 w, Bytes8 more_w, const Planes& x, std::size_t at) {
    const auto high_x = lane_columns(x.high + at), low_x = lane_columns(x.low + at);
    high = add_products(high, w, high_x);
    low = add_products(low, w, low_x);
    if constexpr (kRegisters == 2) {
      more_high = add_products(more_high, more_w, high_x);
      more_low = add_products(more_low, more_w, low_x);
    }
  }
  HWY_INLINE void finish(const FixedProduct& job, const Part& part, Panel& panel,
                         std::size_t v) const {
    end(job, part, panel, v, 0, hn::Add(hn::ShiftLeft<8>(high), low));
    if constexpr (kRegisters == 2) {
      end(job, part, panel, v, 1, hn::Add(hn::ShiftLeft<8>(more_high), more_low));
    }
  }
};

/// Of kCount vectors.
template <std::size_t kCount>
struct TileSums {
  VectorSums first;
  TileSums<kCount - 1> others;
  static HWY_INLINE TileSums zero() { return {VectorSums::zero(), TileSums<kCount - 1>::zero()}; }
  HWY_INLINE void add(Bytes8 w, Bytes8 more_w, const Planes* x, std::size_t at) {
    first.add(w, more_w, *x, at);
    others.add(w, more_w, x + 1, at);
  }
  HWY_INLINE void finish(const FixedProduct& job, const Part& part, Panel& panel,
                         std::size_t v) const {
    first.finish(job, part, panel, v);
    others.finish(job, part, panel, v + 1);
  }
};
template <>
struct TileSums<0> {
  static HWY_INLINE TileSums zero() { return {}; }
  HWY_INLINE void add(Bytes8, Bytes8, const Planes*, std::size_t) {}
  HWY_INLINE void finish(const FixedProduct&, const Part&, Panel&, std::size_t) const {}
};

template <std::size_t kCount>
void multiply_tile(const FixedProduct& job, const Part& part, Panel& panel, std::size_t v) {
  const D8 d;
  TileSums<kCount> sums = TileSums<kCount>::zero();
  for (std::size_t at = 0; at < part.size; at += kLaneColumns) {
    const auto& codes = panel.codes[at / kLaneColumns];
    sums.add(hn::Load(d, codes[0]), hn::Load(d, codes[kRegisters - 1]), job.x + v, part.first + at);
  }
  sums.finish(job, part, panel, v);
}

void multiply_part(const FixedProduct& job, const Part& part, Panel& panel) {
  if (job.w->storage == PackedStorage::bits) {
    fill_with_bits(job, part, panel);
  } else if (job.w->storage == PackedStorage::nibbles) {
    fill_with_nibbles(job, part, panel);
  } else {
    fill_with_bytes(job, part, panel);
  }
  fetch_ahead(*job.w, part.row + kPanelRows, kPanelRows);
  std::size_t v = 0;
  for (; v + kVectors <= job.vectors; v += kVectors) {
    multiply_tile<kVectors>(job, part, panel, v);
  }
  if (job.vectors - v == 3) multiply_tile<3>(job, part, panel, v);
  if (job.vectors - v == 2) multiply_tile<2>(job, part, panel, v);
  if (job.vectors - v == 1) multiply_tile<1>(job, part, panel, v);
}

void multiply_panels(const FixedProduct& job, Panel& panel) {
  const std::size_t cols = padded_to(static_cast<std::size_t>(job.w->shape.cols), kBlock);
  const bool bytes = job.w->storage == PackedStorage::bytes;
  for (std::size_t row = job.first; row < job.last; row += kPanelRows) {
    load_scales(job, row, std::min(kPanelRows, job.last - row), panel.scales);
    for (std::size_t first = 0; first < cols; first += kPanelColumns) {
      Part part{.row = row, .first = first, .size = std::min(kPanelColumns, cols - first)};
      part.starts = first == 0;
      if (bytes) {
        part.high = true;
        part.ends = false;
        multiply_part(job, part, panel);
        part.high = part.starts = false;
      }
      part.ends = first + part.size == cols;
      multiply_part(job, part, panel);
    }
  }
}

#endif  // HWY_SCALAR, HWY_WASM

}  // namespace

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_WASM

void multiply_many(const FixedProduct& job) {
  if constexpr (kHasMultiplyBits) {
    if (job.w->storage == PackedStorage::bits && job.w->shape.cols <= kMostBitColumns) {
      return multiply_bits(job);
    }
  }
  Panel panel;
  FixedProduct some = job;
  for (std::size_t v = 0; v < job.vectors; v += kMostTotals) {
    some.x = job.x + v;
    some.scale = job.scale + v;
    some.y = job.y + v * job.y_stride;
    some.vectors = std::min(kMostTotals, job.vectors - v);
    multiply_panels(some, panel);
  }
}

#endif  // HWY_SCALAR, HWY_WASM

}  // namespace sb3lm::fast::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
