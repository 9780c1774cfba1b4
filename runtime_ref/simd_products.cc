// Products of packed and of float matrices with vectors, for every instruction set that Highway
// compiles. Compiled once per target: HWY_NAMESPACE differs each time.
//
// Rows go four at a time, so that a vector's bytes are loaded once for all of them, and a few
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

#include "runtime_ref/simd_panels-inl.h"
#include "runtime_ref/simd_wasm.h"

HWY_BEFORE_NAMESPACE();
namespace sb3lm::fast::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_WASM

constexpr std::size_t kRows = 4;
constexpr std::size_t kAhead = 8 * kRows;
// So that 256 * high + low fits 32 bits: columns * 15 * 32,640 < 2^31.
constexpr std::size_t kSegment = 4096;

// The parts below are structs with a name for each register: arrays would live in memory, because
// the compiler takes them apart before it unrolls the loops over them.

/// Pointers to four rows, or to the same place in each.
struct Rows {
  const std::uint8_t *a, *b, *c, *e;
  HWY_INLINE Rows at(std::size_t byte) const { return {a + byte, b + byte, c + byte, e + byte}; }
};

/// A byte of at most 15 for each of some columns of four rows.
struct Codes {
  Bytes8 a, b, c, e;
};

/// Sums of four rows' products with one vector, for its high and its low bytes.
struct RowSums {
  Sums a, b, c, e;
  // No default: on Arm, what a compiler makes up by itself lacks the target's attributes.
  static HWY_INLINE RowSums zero() {
    const D32 d;
    return {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  }
  HWY_INLINE void add(const Codes& w, hn::Vec<DI8> x) {
    a = add_products(a, w.a, x);
    b = add_products(b, w.b, x);
    c = add_products(c, w.c, x);
    e = add_products(e, w.e, x);
  }
};
struct VectorSums {
  RowSums high, low;
  static HWY_INLINE VectorSums zero() { return {RowSums::zero(), RowSums::zero()}; }
  HWY_INLINE void add(const Codes& w, const Planes& x, std::size_t at) {
    const DI8 d;
    high.add(w, hn::LoadU(d, x.high + at));
    low.add(w, hn::LoadU(d, x.low + at));
  }
};

/// How kBlock columns of four rows become codes: calls use(codes, first column's place in a plane).
struct Bits {
  static constexpr std::size_t kBytes = kBlock / 8;
  template <class Use>
  static HWY_INLINE void each(Rows rows, unsigned, Use use) {
    for (std::size_t col = 0; col < kBlock; col += kLanes8) {
      const Rows here = rows.at(col / 8);
      use(Codes{ones(here.a), ones(here.b), ones(here.c), ones(here.e)}, col);
    }
  }

 private:
  static HWY_INLINE Bytes8 ones(const std::uint8_t* bits) {
    const D8 d;
    if constexpr (kLanes8 == 64) {
      return hn::IfThenElseZero(hn::LoadMaskBits(d, bits), hn::Set(d, 1));
    } else {  // Highway may read 8 bytes wherever it needs fewer
      std::uint8_t copy[8] = {};
      std::memcpy(copy, bits, kLanes8 / 8);
      return hn::IfThenElseZero(hn::LoadMaskBits(d, copy), hn::Set(d, 1));
    }
  }
};

HWY_INLINE Codes load(Rows rows) {
  const D8 d;
  return {hn::LoadU(d, rows.a), hn::LoadU(d, rows.b), hn::LoadU(d, rows.c), hn::LoadU(d, rows.e)};
}
HWY_INLINE Codes low_nibbles(const Codes& w) {
  return {low_nibbles(w.a), low_nibbles(w.b), low_nibbles(w.c), low_nibbles(w.e)};
}
HWY_INLINE Codes high_nibbles(const Codes& w) {
  return {high_nibbles(w.a), high_nibbles(w.b), high_nibbles(w.c), high_nibbles(w.e)};
}

struct Nibbles {
  static constexpr std::size_t kBytes = kBlock / 2;
  template <class Use>
  static HWY_INLINE void each(Rows rows, unsigned flip, Use use) {
    const auto flips = hn::Set(D8(), static_cast<std::uint8_t>(flip));
    const auto flipped = [&](const Codes& w) HWY_ATTR {
      return Codes{hn::Xor(w.a, flips), hn::Xor(w.b, flips), hn::Xor(w.c, flips),
                   hn::Xor(w.e, flips)};
    };
    for (std::size_t byte = 0; byte < kBytes; byte += kLanes8) {
      const Codes both = load(rows.at(byte));
      use(flipped(low_nibbles(both)), byte);
      use(flipped(high_nibbles(both)), kBlock / 2 + byte);
    }
  }
};

/// Bytes go in two rounds, high nibbles and low ones.
template <bool kHigh, bool kFlipped>
struct HalfBytes {
  static constexpr std::size_t kBytes = kBlock;
  template <class Use>
  static HWY_INLINE void each(Rows rows, unsigned flip, Use use) {
    const auto flips = hn::Set(D8(), static_cast<std::uint8_t>(flip));
    for (std::size_t byte = 0; byte < kBytes; byte += kLanes8) {
      Codes both = load(rows.at(byte));
      if constexpr (kFlipped) {
        both = {hn::Xor(both.a, flips), hn::Xor(both.b, flips), hn::Xor(both.c, flips),
                hn::Xor(both.e, flips)};
      }
      use(kHigh ? high_nibbles(both) : low_nibbles(both), byte);
    }
  }
};

using Four = hn::Full128<std::int32_t>;  // a number per row
using FourFloats = hn::Full128<float>;

template <class D, class V>
HWY_INLINE hn::Vec<Four> add_blocks(D d, V v) {
  if constexpr (hn::MaxLanes(d) > kRows) {
    const hn::Half<D> half;
    return add_blocks(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  } else {
    return v;
  }
}

/// Lane sums of the four rows, 256 * high + low.
HWY_INLINE hn::Vec<Four> sum_lanes(const VectorSums& s) {
  const D32 d;
  const auto both = [](Sums high, Sums low)
                        HWY_ATTR { return hn::Add(hn::ShiftLeft<8>(high), low); };
  const Sums a = both(s.high.a, s.low.a), b = both(s.high.b, s.low.b);
  const Sums c = both(s.high.c, s.low.c), e = both(s.high.e, s.low.e);
  const auto ac = hn::Add(hn::InterleaveLower(d, a, c), hn::InterleaveUpper(d, a, c));
  const auto be = hn::Add(hn::InterleaveLower(d, b, e), hn::InterleaveUpper(d, b, e));
  // Now four lanes hold parts of the four sums, and so do the next four.
  return add_blocks(d, hn::Add(hn::InterleaveLower(d, ac, be), hn::InterleaveUpper(d, ac, be)));
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

/// What a tile is: four rows and a vector, or twice as much of one of them.
enum class Twice { nothing, rows, vectors };

struct Tile {
  Rows rows, more_rows;
  Planes x, more_x;
  Totals totals, more_totals;  // of the second half
};

template <class Code, Twice kTwice>
HWY_INLINE void add_block(const Tile& tile, std::size_t byte, std::size_t at, unsigned flip,
                          VectorSums& sums, VectorSums& more) {
  Code::each(tile.rows.at(byte), flip, [&](const Codes& w, std::size_t place) HWY_ATTR {
    sums.add(w, tile.x, at + place);
    if constexpr (kTwice == Twice::vectors) more.add(w, tile.more_x, at + place);
  });
  if constexpr (kTwice == Twice::rows) {
    Code::each(tile.more_rows.at(byte), flip, [&](const Codes& w, std::size_t place) HWY_ATTR {
      more.add(w, tile.x, at + place);
    });
  }
}

/// A block at the end of rows that do not fill it.
template <class Code>
struct LastBlock {
  std::uint8_t bytes[4][Code::kBytes] = {};
  HWY_INLINE Rows copy(Rows rows, std::size_t size) {
    std::memcpy(bytes[0], rows.a, size);
    std::memcpy(bytes[1], rows.b, size);
    std::memcpy(bytes[2], rows.c, size);
    std::memcpy(bytes[3], rows.e, size);
    return {bytes[0], bytes[1], bytes[2], bytes[3]};
  }
};

/// Adds w * q over all columns to the totals.
template <class Code, Twice kTwice>
HWY_INLINE void add_columns(const PackedMatrix& w, Tile& tile) {
  const auto cols = static_cast<std::size_t>(w.shape.cols);
  for (std::size_t first = 0; first < cols; first += kSegment) {
    const std::size_t last = std::min(first + kSegment, cols);
    VectorSums sums = VectorSums::zero(), more = VectorSums::zero();
    std::size_t at = first, byte = first / kBlock * Code::kBytes;
    for (; at + kBlock <= last; at += kBlock, byte += Code::kBytes) {
      add_block<Code, kTwice>(tile, byte, at, w.flip, sums, more);
    }
    if (at < last) {
      LastBlock<Code> block, more_block;
      Tile end = tile;
      end.rows = block.copy(tile.rows.at(byte), w.row_bytes() - byte);
      if constexpr (kTwice == Twice::rows) {
        end.more_rows = more_block.copy(tile.more_rows.at(byte), w.row_bytes() - byte);
      }
      add_block<Code, kTwice>(end, 0, at, w.flip, sums, more);
    }
    tile.totals.add(sum_lanes(sums));
    if constexpr (kTwice != Twice::nothing) tile.more_totals.add(sum_lanes(more));
  }
}

template <bool kFlipped, Twice kTwice>
HWY_INLINE void add_bytes(const PackedMatrix& w, Tile& tile) {
  add_columns<HalfBytes<true, kFlipped>, kTwice>(w, tile);
  tile.totals.times(16);
  tile.more_totals.times(16);
  add_columns<HalfBytes<false, kFlipped>, kTwice>(w, tile);
}

template <Twice kTwice>
HWY_INLINE void add_all(const PackedMatrix& w, Tile& tile) {
  tile.totals.clear();
  tile.more_totals.clear();
  if (w.storage == PackedStorage::bits) {
    add_columns<Bits, kTwice>(w, tile);
  } else if (w.storage == PackedStorage::nibbles) {
    add_columns<Nibbles, kTwice>(w, tile);
  } else if (w.flip == 0) {
    add_bytes<false, kTwice>(w, tile);
  } else {
    add_bytes<true, kTwice>(w, tile);
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

/// Stores the products of rows `row` and up to three more, as far as `last`, with vector `v`.
HWY_INLINE void store(const FixedProduct& job, Totals totals, std::size_t row, std::size_t last,
                      std::size_t v) {
  const FixedScale& scale = job.scale[v];
  const std::size_t count = std::min(kRows, last - row);
  totals.times(job.w->step);
  const auto all = totals.plus(static_cast<double>(job.w->offset * scale.sum));
  const auto scales = hn::Mul(load_scales(*job.w, row, count), hn::Set(FourFloats(), scale.step));
  const auto y = hn::Mul(all, scales);
  float* out = job.y + v * job.y_stride + row;
  if (count == kRows) {
    hn::StoreU(y, FourFloats(), out);
  } else {
    HWY_ALIGN float each[kRows];
    hn::Store(y, FourFloats(), each);
    std::copy_n(each, count, out);
  }
}

/// Rows [first, last) with vector `v`, and the next one if the tile has two.
template <Twice kTwice>
void multiply_some(const FixedProduct& job, std::size_t first, std::size_t last, std::size_t v) {
  const PackedMatrix& w = *job.w;
  const std::size_t row_bytes = w.row_bytes();
  const auto four = [&](std::size_t row) HWY_ATTR {
    // Past the end the last row again, whose products are not stored.
    const auto start = [&](std::size_t r) HWY_ATTR {
      return w.data.data() + std::min(row + r, last - 1) * row_bytes;
    };
    return Rows{start(0), start(1), start(2), start(3)};
  };
  constexpr std::size_t kStep = kTwice == Twice::rows ? 2 * kRows : kRows;
  for (std::size_t row = first; row < last; row += kStep) {
    Tile tile;
    tile.rows = four(row);
    if constexpr (kTwice == Twice::rows) tile.more_rows = four(row + kRows);
    tile.x = job.x[v];
    if constexpr (kTwice == Twice::vectors) tile.more_x = job.x[v + 1];
    if constexpr (kTwice != Twice::vectors) fetch_ahead(w, row + kAhead, kStep);
    add_all<kTwice>(w, tile);
    store(job, tile.totals, row, last, v);
    if constexpr (kTwice == Twice::vectors) store(job, tile.more_totals, row, last, v + 1);
    if (kTwice == Twice::rows && row + kRows < last) {
      store(job, tile.more_totals, row + kRows, last, v);
    }
  }
}

/// Whether the vectors are enough to pay for unpacking rows for all of them.
bool are_many(const FixedProduct& job) {
  constexpr std::size_t kMany = 8;
  if (job.w->storage == PackedStorage::bits) return job.vectors >= (kHasMultiplyBits ? 3 : kMany);
  return job.vectors >= kMany && kLanes8 > 16;  // short registers never pay
}

void multiply(const FixedProduct& job) {
  if (are_many(job)) return multiply_many(job);
  // So many rows stay in the nearest cache while all vectors pass over them.
  constexpr std::size_t kTogether = 32;
  // A double tile needs 32 registers.
  constexpr bool kDouble = kLanes8 == 64;
  for (std::size_t first = job.first; first < job.last; first += kTogether) {
    const std::size_t last = std::min(first + kTogether, job.last);
    std::size_t v = 0;
    for (; kDouble && v + 2 <= job.vectors; v += 2) {
      multiply_some<Twice::vectors>(job, first, last, v);
    }
    for (; v < job.vectors; ++v) {
      multiply_some<kDouble ? Twice::rows : Twice::nothing>(job, first, last, v);
    }
  }
}

#endif  // HWY_SCALAR, HWY_WASM

#if HWY_TARGET != HWY_SCALAR

float dot(const float* a, const float* b, std::size_t size) {
  const hn::ScalableTag<float> d;
  constexpr std::size_t kLanes = HWY_LANES(float);
  constexpr std::size_t kChains = 4;
  hn::Vec<hn::ScalableTag<float>> sums[kChains] = {hn::Zero(d), hn::Zero(d), hn::Zero(d),
                                                   hn::Zero(d)};
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
#if HWY_TARGET == HWY_WASM
  kernels.multiply = multiply_wasm;
#else
  kernels.multiply = multiply;
#endif
  kernels.multiply_floats = multiply_floats;
#else
  static_cast<void>(kernels);
#endif
}

}  // namespace sb3lm::fast::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sb3lm::fast {
SimdVersions simd_products() {
  return SB3LM_SIMD_VERSIONS(set_products);
}
}  // namespace sb3lm::fast
#endif
