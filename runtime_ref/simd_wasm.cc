// WebAssembly has no products of bytes, so a vector's planes become 16-bit numbers again. Nibbles
// and bytes are multiplied where they lie in 16-bit lanes. Bits look up sums of four columns in
// tables, for 16 rows at a time.
#include "runtime_ref/simd_wasm.h"

#ifdef __wasm_simd128__
#include <hwy/base.h>
#include <wasm_simd128.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "runtime_ref/fast_kernels.h"

namespace sb3lm::fast {
namespace {

constexpr std::size_t kVector = sizeof(v128_t);

std::unique_ptr<v128_t[]> room_for(std::size_t vectors) {
  return std::unique_ptr<v128_t[]>(new v128_t[vectors]);
}

/// Columns at 16 places of a plane, the even places and the odd ones.
struct Pairs {
  v128_t even, odd;
};
inline Pairs load_pairs(const Planes& x, std::size_t place) {
  const v128_t high = wasm_v128_load(x.high + place), low = wasm_v128_load(x.low + place);
  const v128_t upper = wasm_i16x8_const_splat(-256);
  return {wasm_i16x8_add(wasm_i16x8_shl(high, 8), wasm_i16x8_shr(wasm_i16x8_shl(low, 8), 8)),
          wasm_i16x8_add(wasm_v128_and(high, upper), wasm_i16x8_shr(low, 8))};
}

/// Four whole numbers below 2^53, so exact.
struct Totals {
  v128_t first = wasm_f64x2_const_splat(0), second = first;
  void add(v128_t sums) {
    first = wasm_f64x2_add(first, wasm_f64x2_convert_low_i32x4(sums));
    const v128_t rest = wasm_i32x4_shuffle(sums, sums, 2, 3, 2, 3);
    second = wasm_f64x2_add(second, wasm_f64x2_convert_low_i32x4(rest));
  }
};

/// Finite binary16 to float.
inline v128_t load_scales(const PackedMatrix& w, std::size_t row, std::size_t count) {
  std::uint16_t halves[4] = {};
  std::memcpy(halves, w.scales.data() + 2 * row, count == 4 ? sizeof(halves) : 2 * count);
  const v128_t wide = wasm_u32x4_load16x4(halves);
  const v128_t size = wasm_i32x4_shl(wasm_v128_and(wide, wasm_i32x4_const_splat(0x7FFF)), 13);
  const v128_t sign = wasm_i32x4_shl(wasm_v128_and(wide, wasm_i32x4_const_splat(0x8000)), 16);
  return wasm_v128_or(wasm_f32x4_mul(size, wasm_f32x4_const_splat(0x1p112F)), sign);
}

/// Stores the products of rows `row` and up to three more, as far as `last`, with vector `v`.
inline void store(const FixedProduct& job, const Totals& totals, std::size_t row, std::size_t last,
                  std::size_t v) {
  if (row >= last) return;
  const std::size_t count = std::min<std::size_t>(4, last - row);
  const FixedScale& scale = job.scale[v];
  const v128_t step = wasm_f64x2_splat(job.w->step);
  const v128_t offset = wasm_f64x2_splat(static_cast<double>(job.w->offset * scale.sum));
  const auto whole = [&](v128_t sums) {
    return wasm_f32x4_demote_f64x2_zero(wasm_f64x2_add(wasm_f64x2_mul(sums, step), offset));
  };
  const v128_t all = wasm_i64x2_shuffle(whole(totals.first), whole(totals.second), 0, 2);
  const v128_t scales =
      wasm_f32x4_mul(load_scales(*job.w, row, count), wasm_f32x4_splat(scale.step));
  const v128_t y = wasm_f32x4_mul(all, scales);
  float* out = job.y + v * job.y_stride + row;
  if (count == 4) {
    wasm_v128_store(out, y);
  } else {
    float each[4];
    wasm_v128_store(each, y);
    std::copy_n(each, count, out);
  }
}

constexpr std::size_t kRows = 4;

inline v128_t dot(v128_t codes, v128_t columns) {
  return wasm_i32x4_dot_i16x8(codes, columns);
}

/// How kVector bytes of a row become products, which a lane's sum adds up. kFlipped: the matrix has
/// a flip, which takes one more instruction.
template <bool kFlipped>
struct Nibbles {
  static constexpr std::size_t kBytes = kBlock / 2;  // of a block
  static constexpr std::size_t kColumns = 4096;      // whose sums fit 32 bits
  static constexpr std::size_t kVectors = 4;         // of columns that kVector bytes meet
  static constexpr bool kTwice = true;               // whether a loop is faster so

  static void spread(const Planes& x, std::size_t block, std::size_t byte, v128_t* out) {
    const Pairs low = load_pairs(x, block + byte), high = load_pairs(x, block + kBlock / 2 + byte);
    out[0] = low.even;
    out[1] = high.even;
    out[2] = low.odd;
    out[3] = high.odd;
  }

  v128_t flips;
  explicit Nibbles(unsigned flip) : flips(wasm_i8x16_splat(static_cast<std::int8_t>(17 * flip))) {}
  v128_t products(v128_t bytes, const v128_t* x) const {
    if constexpr (kFlipped) bytes = wasm_v128_xor(bytes, flips);
    const v128_t low = wasm_i16x8_const_splat(15);
    const v128_t even = wasm_i32x4_add(dot(wasm_v128_and(bytes, low), x[0]),
                                       dot(wasm_v128_and(wasm_u16x8_shr(bytes, 4), low), x[1]));
    const v128_t odd = wasm_i32x4_add(dot(wasm_v128_and(wasm_u16x8_shr(bytes, 8), low), x[2]),
                                      dot(wasm_u16x8_shr(bytes, 12), x[3]));
    return wasm_i32x4_add(even, odd);
  }
};

template <bool kFlipped>
struct WholeBytes {
  static constexpr std::size_t kBytes = kBlock;
  static constexpr std::size_t kColumns = 256;
  static constexpr std::size_t kVectors = 2;
  static constexpr bool kTwice = false;

  static void spread(const Planes& x, std::size_t block, std::size_t byte, v128_t* out) {
    const Pairs pairs = load_pairs(x, block + byte);
    out[0] = pairs.even;
    out[1] = pairs.odd;
  }

  v128_t flips;
  explicit WholeBytes(unsigned flip) : flips(wasm_i8x16_splat(static_cast<std::int8_t>(flip))) {}
  v128_t products(v128_t bytes, const v128_t* x) const {
    if constexpr (kFlipped) bytes = wasm_v128_xor(bytes, flips);
    return wasm_i32x4_add(dot(wasm_v128_and(bytes, wasm_i16x8_const_splat(0xFF)), x[0]),
                          dot(wasm_u16x8_shr(bytes, 8), x[1]));
  }
};

/// Sums of kRows rows: with a name for each, for arrays may live in memory.
struct RowSums {
  v128_t a = wasm_i32x4_const_splat(0), b = a, c = a, e = a;
  template <class Code, class Load>
  void add(const Code& code, Load load, const v128_t* x) {
    a = wasm_i32x4_add(a, code.products(load(0), x));
    b = wasm_i32x4_add(b, code.products(load(1), x));
    c = wasm_i32x4_add(c, code.products(load(2), x));
    e = wasm_i32x4_add(e, code.products(load(3), x));
  }
  v128_t lanes() const {
    const auto pairs = [](v128_t x, v128_t y) {
      return wasm_i32x4_add(wasm_i32x4_shuffle(x, y, 0, 4, 1, 5),
                            wasm_i32x4_shuffle(x, y, 2, 6, 3, 7));
    };
    return pairs(pairs(a, c), pairs(b, e));
  }
};

/// kRows rows from `row` on, as far as `last`, with the columns x of vector v.
template <class Code>
void multiply_tile(const FixedProduct& job, std::size_t row, std::size_t last, const v128_t* x,
                   std::size_t v) {
  const PackedMatrix& w = *job.w;
  const std::size_t row_bytes = w.row_bytes();
  const std::uint8_t* rows[kRows];
  for (std::size_t r = 0; r < kRows; ++r) {
    // Past the end the last row again, whose products are not stored.
    rows[r] = w.data.data() + std::min(row + r, last - 1) * row_bytes;
  }
  const Code code(w.flip);
  constexpr std::size_t kSegment = Code::kColumns / kBlock * Code::kBytes;
  Totals totals;
  for (std::size_t first = 0; first < row_bytes; first += kSegment) {
    const std::size_t end = std::min(first + kSegment, row_bytes);
    RowSums sums;
    std::size_t byte = first;
    const auto whole = [&](std::size_t ahead) {
      const auto load = [&](std::size_t r) { return wasm_v128_load(rows[r] + byte + ahead); };
      sums.add(code, load, x + ahead / kVector * Code::kVectors);
    };
    for (; Code::kTwice && byte + 2 * kVector <= end;
         byte += 2 * kVector, x += 2 * Code::kVectors) {
      whole(0);
      whole(kVector);
    }
    for (; byte + kVector <= end; byte += kVector, x += Code::kVectors) whole(0);
    if (byte < end) {
      const auto rest = [&](std::size_t r) {
        std::uint8_t copy[kVector] = {};
        std::memcpy(copy, rows[r] + byte, end - byte);
        return wasm_v128_load(copy);
      };
      sums.add(code, rest, x);
    }
    totals.add(sums.lanes());
  }
  store(job, totals, row, last, v);
}

template <class Code>
void multiply_codes(const FixedProduct& job) {
  // So many rows stay in the nearest cache while all vectors pass over them.
  constexpr std::size_t kTogether = 32;
  const std::size_t padded = padded_to(static_cast<std::size_t>(job.w->shape.cols), kBlock);
  const std::size_t vectors = padded / kBlock * (Code::kBytes / kVector) * Code::kVectors;
  const auto columns = room_for(vectors * job.vectors);
  v128_t* out = columns.get();
  for (std::size_t v = 0; v < job.vectors; ++v) {
    for (std::size_t block = 0; block < padded; block += kBlock) {
      for (std::size_t byte = 0; byte < Code::kBytes; byte += kVector, out += Code::kVectors) {
        Code::spread(job.x[v], block, byte, out);
      }
    }
  }
  for (std::size_t first = job.first; first < job.last; first += kTogether) {
    const std::size_t last = std::min(first + kTogether, job.last);
    for (std::size_t v = 0; v < job.vectors; ++v) {
      for (std::size_t row = first; row < last; row += kRows) {
        multiply_tile<Code>(job, row, last, columns.get() + v * vectors, v);
      }
    }
  }
}

// Bits: a table has the sums that any four columns can have, 18 bits each in three digits of 6
// bits, so that four digits add up within a byte.
constexpr std::size_t kTileRows = 16;
constexpr std::size_t kTableColumns = 2048;  // whose tables stay in the nearest cache
constexpr std::int32_t kBias = 1 << 17;      // makes sums positive

struct Table {
  v128_t digits[3];
};

/// `low` and `high` have two columns each, in every lane.
inline Table make_table(v128_t low, v128_t high) {
  const v128_t kLow = wasm_i16x8_const(0, 0, 1, 0, 0, 1, 1, 1);
  const v128_t s0 = wasm_i32x4_add(wasm_i32x4_dot_i16x8(low, kLow), wasm_i32x4_const_splat(kBias));
  const v128_t s1 = wasm_i32x4_add(s0, wasm_i32x4_dot_i16x8(high, wasm_i32x4_const_splat(1)));
  const v128_t s2 = wasm_i32x4_add(s0, wasm_i32x4_dot_i16x8(high, wasm_i32x4_const_splat(1 << 16)));
  const v128_t s3 =
      wasm_i32x4_add(s0, wasm_i32x4_dot_i16x8(high, wasm_i32x4_const_splat((1 << 16) + 1)));
  const auto lower = [](v128_t a, v128_t b) {
    const v128_t mask = wasm_i32x4_const_splat(0xFFF);
    return wasm_u16x8_narrow_i32x4(wasm_v128_and(a, mask), wasm_v128_and(b, mask));
  };
  const auto upper = [](v128_t a, v128_t b) {
    return wasm_u16x8_narrow_i32x4(wasm_u32x4_shr(a, 12), wasm_u32x4_shr(b, 12));
  };
  const v128_t a = lower(s0, s1), b = lower(s2, s3), mask = wasm_i16x8_const_splat(63);
  return {{wasm_u8x16_narrow_i16x8(wasm_v128_and(a, mask), wasm_v128_and(b, mask)),
           wasm_u8x16_narrow_i16x8(wasm_u16x8_shr(a, 6), wasm_u16x8_shr(b, 6)),
           wasm_u8x16_narrow_i16x8(upper(s0, s1), upper(s2, s3))}};
}

void make_tables(const Planes& x, std::size_t first, std::size_t last, Table* out) {
  for (std::size_t at = first; at < last; at += kVector, out += kVector / 4) {
    const Pairs pairs = load_pairs(x, at);
    const v128_t a = wasm_i16x8_shuffle(pairs.even, pairs.odd, 0, 8, 1, 9, 2, 10, 3, 11);
    const v128_t b = wasm_i16x8_shuffle(pairs.even, pairs.odd, 4, 12, 5, 13, 6, 14, 7, 15);
    out[0] = make_table(wasm_i32x4_shuffle(a, a, 0, 0, 0, 0), wasm_i32x4_shuffle(a, a, 1, 1, 1, 1));
    out[1] = make_table(wasm_i32x4_shuffle(a, a, 2, 2, 2, 2), wasm_i32x4_shuffle(a, a, 3, 3, 3, 3));
    out[2] = make_table(wasm_i32x4_shuffle(b, b, 0, 0, 0, 0), wasm_i32x4_shuffle(b, b, 1, 1, 1, 1));
    out[3] = make_table(wasm_i32x4_shuffle(b, b, 2, 2, 2, 2), wasm_i32x4_shuffle(b, b, 3, 3, 3, 3));
  }
}

inline v128_t zip_low(v128_t a, v128_t b) {
  return wasm_i8x16_shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
inline v128_t zip_high(v128_t a, v128_t b) {
  return wasm_i8x16_shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/// Eight bytes of 16 rows: out[i] has byte i of each.
void transpose(const std::uint8_t* const* rows, std::size_t byte, v128_t* out) {
  v128_t a[8], b[8];
  for (std::size_t r = 0; r < 8; ++r) {
    a[r] =
        zip_low(wasm_v128_load64_zero(rows[r] + byte), wasm_v128_load64_zero(rows[r + 8] + byte));
  }
  for (std::size_t r = 0; r < 4; ++r) {
    b[2 * r] = zip_low(a[r], a[r + 4]);
    b[2 * r + 1] = zip_high(a[r], a[r + 4]);
  }
  for (std::size_t r = 0; r < 4; ++r) {
    a[2 * r] = zip_low(b[r], b[r + 4]);
    a[2 * r + 1] = zip_high(b[r], b[r + 4]);
  }
  for (std::size_t r = 0; r < 4; ++r) {
    out[2 * r] = zip_low(a[r], a[r + 4]);
    out[2 * r + 1] = zip_high(a[r], a[r + 4]);
  }
}

/// Sums of one digit for 16 rows.
struct DigitSums {
  v128_t both = wasm_i16x8_const_splat(0);  // 256 * odd rows + even rows, modulo 2^16
  v128_t odd = both;
  void add(v128_t bytes) {
    both = wasm_i16x8_add(both, bytes);
    odd = wasm_i16x8_add(odd, wasm_u16x8_shr(bytes, 8));
  }
  /// Rows 0 to 7, or 8 to 15.
  v128_t rows(bool upper) const {
    const v128_t even = wasm_i16x8_sub(both, wasm_i16x8_shl(odd, 8));
    return upper ? wasm_i16x8_shuffle(even, odd, 4, 12, 5, 13, 6, 14, 7, 15)
                 : wasm_i16x8_shuffle(even, odd, 0, 8, 1, 9, 2, 10, 3, 11);
  }
};

/// Tables that are loaded before they are needed would go from registers to memory and back; no
/// compiler moves a load over a store.
HWY_INLINE void load_no_earlier() {
  [[maybe_unused]] volatile std::uint8_t fence = 0;
}

/// With a name for each, for arrays would live in memory.
struct TileSums {
  DigitSums low, middle, high;
  /// With 64 columns of 16 rows.
  HWY_INLINE void add(const std::uint8_t* const* rows, std::size_t byte, const Table* tables) {
    const v128_t mask = wasm_i8x16_const_splat(15);
    v128_t bytes[8];
    transpose(rows, byte, bytes);
#pragma clang loop unroll(disable)
    for (std::size_t i = 0; i < 8; i += 2, tables += 4) {
      const v128_t a = wasm_v128_and(bytes[i], mask);
      const v128_t b = wasm_v128_and(wasm_u16x8_shr(bytes[i], 4), mask);
      const v128_t c = wasm_v128_and(bytes[i + 1], mask);
      const v128_t e = wasm_v128_and(wasm_u16x8_shr(bytes[i + 1], 4), mask);
      const auto found = [&](std::size_t d) {
        return wasm_i8x16_add(wasm_i8x16_add(wasm_i8x16_swizzle(tables[0].digits[d], a),
                                             wasm_i8x16_swizzle(tables[1].digits[d], b)),
                              wasm_i8x16_add(wasm_i8x16_swizzle(tables[2].digits[d], c),
                                             wasm_i8x16_swizzle(tables[3].digits[d], e)));
      };
      low.add(found(0));
      load_no_earlier();
      middle.add(found(1));
      load_no_earlier();
      high.add(found(2));
    }
  }
  /// Adds the sums of all rows.
  void add_to(std::int32_t* sums, std::int32_t bias) const {
    for (std::size_t half = 0; half < 2; ++half) {
      const v128_t a = low.rows(half != 0), b = middle.rows(half != 0), c = high.rows(half != 0);
      const auto four = [&](auto widen, std::int32_t* to) {
        const v128_t sum =
            wasm_i32x4_add(wasm_i32x4_add(widen(a), wasm_i32x4_shl(widen(b), 6)),
                           wasm_i32x4_sub(wasm_i32x4_shl(widen(c), 12), wasm_i32x4_splat(bias)));
        wasm_v128_store(to, wasm_i32x4_add(wasm_v128_load(to), sum));
      };
      four([](v128_t x) { return wasm_u32x4_extend_low_u16x8(x); }, sums + 8 * half);
      four([](v128_t x) { return wasm_u32x4_extend_high_u16x8(x); }, sums + 8 * half + 4);
    }
  }
};

/// Adds products of 16 rows with columns [first, last) to `sums`.
HWY_NOINLINE void add_bits(const PackedMatrix& w, const std::uint8_t* const* rows,
                           std::size_t first, std::size_t last, const Table* tables,
                           std::int32_t* sums) {
  constexpr std::size_t kStep = 8;  // bytes
  const std::size_t end = std::min(last / 8, w.row_bytes());
  TileSums tile;
  std::size_t byte = first / 8;
  for (; byte + kStep <= end; byte += kStep, tables += 2 * kStep) tile.add(rows, byte, tables);
  if (byte < end) {
    std::uint8_t copy[kTileRows][kStep] = {};
    const std::uint8_t* ends[kTileRows];
    for (std::size_t r = 0; r < kTileRows; ++r) {
      ends[r] = copy[r];
      std::memcpy(copy[r], rows[r] + byte, end - byte);
    }
    tile.add(ends, 0, tables);
    byte += kStep;
  }
  tile.add_to(sums, static_cast<std::int32_t>(byte - first / 8) * 2 * kBias);
}

void multiply_bits(const FixedProduct& job) {
  const PackedMatrix& w = *job.w;
  const std::size_t row_bytes = w.row_bytes();
  const std::size_t padded = padded_to(static_cast<std::size_t>(w.shape.cols), kBlock);
  const auto tables = std::unique_ptr<Table[]>(new Table[std::min(padded, kTableColumns) / 4]);
  const std::size_t tiled = padded_to(job.last - job.first, kTileRows);
  const auto sums = std::unique_ptr<std::int32_t[]>(new std::int32_t[tiled]);
  for (std::size_t v = 0; v < job.vectors; ++v) {
    std::fill_n(sums.get(), tiled, 0);
    for (std::size_t first = 0; first < padded; first += kTableColumns) {
      const std::size_t last = std::min(first + kTableColumns, padded);
      make_tables(job.x[v], first, last, tables.get());
      const auto add = [&](std::size_t row, auto start) {
        const std::uint8_t* rows[kTileRows];
        for (std::size_t r = 0; r < kTileRows; ++r) rows[r] = start(row + r);
        add_bits(w, rows, first, last, tables.get(), sums.get() + (row - job.first));
      };
      std::size_t row = job.first;
      const auto start = [&](std::size_t r) { return w.data.data() + r * row_bytes; };
      for (; row + kTileRows <= job.last; row += kTileRows) add(row, start);
      if (row < job.last) add(row, [&](std::size_t r) { return start(std::min(r, job.last - 1)); });
    }
    for (std::size_t row = job.first; row < job.last; row += 4) {
      Totals totals;
      totals.add(wasm_v128_load(sums.get() + (row - job.first)));
      store(job, totals, row, job.last, v);
    }
  }
}

}  // namespace

void multiply_wasm(const FixedProduct& job) {
  const bool flipped = job.w->flip != 0;
  switch (job.w->storage) {
    case PackedStorage::bits:
      return multiply_bits(job);
    case PackedStorage::nibbles:
      return flipped ? multiply_codes<Nibbles<true>>(job) : multiply_codes<Nibbles<false>>(job);
    default:
      return flipped ? multiply_codes<WholeBytes<true>>(job)
                     : multiply_codes<WholeBytes<false>>(job);
  }
}

}  // namespace sb3lm::fast

#endif
