// A deflate decoder that keeps lengths and forgets bytes. Codes that are incomplete are accepted
// as long as no unassigned one occurs; oversubscribed ones are not.
#include "sb3/deflate_cost.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/error.h"

namespace sb3lm {
namespace {

constexpr int kMaxCodeBits = 15;
// Bits times bytes must fit 64 bits.
constexpr std::size_t kMaxBytes = std::size_t{1} << 30;

enum class Kind : std::uint8_t { unassigned, literal, length, end, distance };

/// What a code means: a number from `base` on, told apart by `extra` further bits.
struct Symbol {
  std::uint16_t base = 0;
  std::uint8_t extra = 0;
  Kind kind = Kind::unassigned;
};

constexpr int kLiterals = 286, kDistances = 30, kCodeLengths = 19;

constexpr std::array<Symbol, kLiterals> literal_symbols() {
  std::array<Symbol, kLiterals> symbols{};
  for (int i = 0; i < 256; ++i) symbols[i] = {1, 0, Kind::literal};
  symbols[256] = {0, 0, Kind::end};
  int base = 3;
  for (int i = 257; i < 285; ++i) {
    const int extra = i < 265 ? 0 : (i - 261) / 4;
    symbols[i] = {static_cast<std::uint16_t>(base), static_cast<std::uint8_t>(extra), Kind::length};
    base += 1 << extra;
  }
  symbols[285] = {258, 0, Kind::length};
  return symbols;
}

constexpr std::array<Symbol, kDistances> distance_symbols() {
  std::array<Symbol, kDistances> symbols{};
  int base = 1;
  for (int i = 0; i < kDistances; ++i) {
    const int extra = i < 4 ? 0 : i / 2 - 1;
    symbols[i] = {static_cast<std::uint16_t>(base), static_cast<std::uint8_t>(extra),
                  Kind::distance};
    base += 1 << extra;
  }
  return symbols;
}

constexpr std::array<Symbol, kCodeLengths> code_length_symbols() {
  std::array<Symbol, kCodeLengths> symbols{};
  for (int i = 0; i < kCodeLengths; ++i) {
    symbols[i] = {static_cast<std::uint16_t>(i), 0, Kind::literal};
  }
  return symbols;
}

constexpr auto kLiteralSymbols = literal_symbols();
constexpr auto kDistanceSymbols = distance_symbols();
constexpr auto kCodeLengthSymbols = code_length_symbols();
// The order in which a dynamic block lists the lengths of its code length code.
constexpr std::uint8_t kCodeLengthOrder[kCodeLengths] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                         11, 4,  12, 3, 13, 2, 14, 1, 15};

/// Little-endian bits. Past the end it gives zeros; callers check `position` against the size.
class BitReader {
 public:
  BitReader(const std::string& file, Bytes bytes) : file_(file), bytes_(bytes) {}

  std::uint64_t position() const { return next_ * 8 - count_; }

  /// At least 56 bits, unused ones above them.
  std::uint64_t peek() {
    if (bytes_.size() >= 8 && next_ <= bytes_.size() - 8) {
      static_assert(std::endian::native == std::endian::little);
      std::uint64_t word;
      std::memcpy(&word, bytes_.data() + next_, sizeof word);
      buffer_ |= word << count_;
      next_ += (63 - count_) >> 3;
      count_ |= 56;
      return buffer_;
    }
    for (; count_ < 56; count_ += 8, ++next_) {
      if (next_ < bytes_.size()) buffer_ |= std::uint64_t{bytes_[next_]} << count_;
    }
    return buffer_;
  }
  void skip(unsigned bits) {
    buffer_ >>= bits;
    count_ -= bits;
  }
  unsigned take(unsigned bits) {
    const auto value = static_cast<unsigned>(peek() & ((std::uint64_t{1} << bits) - 1));
    skip(bits);
    return value;
  }

  /// Goes to the byte `size` after the next whole one.
  void skip_bytes(std::size_t size) {
    next_ = static_cast<std::size_t>((position() + 7) / 8) + size;
    buffer_ = 0;
    count_ = 0;
  }

  void check_end() const {
    if (position() > bytes_.size() * std::uint64_t{8}) fail("it is cut off");
  }
  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    sb3lm::fail(Fault::bad_input, "{}: compressed data: byte {}: {}", file_,
                std::min<std::uint64_t>(position() / 8, bytes_.size()),
                fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  const std::string& file_;
  Bytes bytes_;
  std::size_t next_ = 0;  // byte that enters the buffer next
  std::uint64_t buffer_ = 0;
  unsigned count_ = 0;  // bits in the buffer
};

/// A prefix code as a table over its longest code.
class CodeTable {
 public:
  struct Entry {
    Symbol symbol;
    std::uint8_t bits = 0;
  };

  void build(std::span<const std::uint8_t> lengths, std::span<const Symbol> symbols,
             const BitReader& in) {
    std::array<std::uint32_t, kMaxCodeBits + 2> next{};
    for (const std::uint8_t length : lengths) next[length + 1] += length != 0;
    table_bits_ = kMaxCodeBits;
    while (table_bits_ > 1 && next[table_bits_ + 1] == 0) --table_bits_;
    // First code of each length (RFC 1951, 3.2.2).
    std::uint32_t code = 0;
    for (int length = 1; length <= kMaxCodeBits; ++length) {
      code = (code + next[length]) << 1;
      if (code + next[length + 1] > std::uint32_t{1} << length) in.fail("more codes than fit");
      next[length] = code;
    }
    entries_.assign(std::size_t{1} << table_bits_, Entry{});
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      if (lengths[i] == 0) continue;
      put(next[lengths[i]]++, lengths[i], i < symbols.size() ? symbols[i] : Symbol{});
    }
  }

  const Entry& at(std::uint64_t bits) const { return entries_[bits & (entries_.size() - 1)]; }

 private:
  // Codes come most significant bit first, the stream's bits least significant first.
  void put(std::uint32_t code, unsigned length, Symbol symbol) {
    std::size_t reversed = 0;
    for (unsigned i = 0; i < length; ++i) reversed |= (code >> i & 1) << (length - 1 - i);
    for (std::size_t at = reversed; at < entries_.size(); at += std::size_t{1} << length) {
      entries_[at] = {symbol, static_cast<std::uint8_t>(length)};
    }
  }

  std::vector<Entry> entries_;
  int table_bits_ = 1;
};

/// The running sums: where in the output we are, and in which range.
class Ranges {
 public:
  explicit Ranges(std::span<const std::size_t> ends) : ends_(ends), bits_(ends.size(), 0) {}

  std::size_t at() const { return at_; }
  std::size_t room() const { return ends_.back() - at_; }

  /// `bits` that produce the next `bytes` (at least one, at most room()).
  void add(std::uint64_t bits, std::size_t bytes) {
    while (ends_[range_] <= at_) ++range_;
    if (bytes <= ends_[range_] - at_) {
      bits_[range_] += bits;
    } else {
      split(bits, {range_, at_, at_ + bytes});
    }
    at_ += bytes;
    given_ += bits;
  }
  /// All bits that were added so far.
  std::uint64_t given() const { return given_; }

  struct Stretch {
    std::size_t range, from, to;  // `from` lies in `range`
  };
  /// An empty stretch from here on.
  Stretch start() const { return {range_, at_, at_}; }

  /// Shares `bits` over the bytes of a stretch; rounding never loses one.
  void split(std::uint64_t bits, Stretch stretch) {
    const std::uint64_t size = stretch.to - stretch.from;
    std::uint64_t given = 0;
    for (std::size_t range = stretch.range; given < bits; ++range) {
      if (ends_[range] <= stretch.from) continue;
      const std::uint64_t done = std::min(ends_[range], stretch.to) - stretch.from;
      const std::uint64_t due = bits * done / size;
      bits_[range] += due - given;
      given = due;
    }
  }
  void add_to_last(std::uint64_t bits) { bits_.back() += bits; }
  std::vector<std::uint64_t> take() { return std::move(bits_); }

 private:
  std::span<const std::size_t> ends_;
  std::vector<std::uint64_t> bits_;
  std::size_t range_ = 0;
  std::size_t at_ = 0;
  std::uint64_t given_ = 0;
};

class CostCounter {
 public:
  CostCounter(const std::string& file, Bytes stream, std::span<const std::size_t> ends)
      : in_(file, stream), size_(stream.size()), out_size_(ends.back()), ranges_(ends) {}

  std::vector<std::uint64_t> run() {
    walk();
    ranges_.add_to_last(carried_ + size_ * std::uint64_t{8} - in_.position());
    return ranges_.take();
  }

  DeflateShape shape() {
    walk();
    shape_.bits = in_.position();
    return shape_;
  }

 private:
  void walk() {
    while (!block()) continue;
    if (ranges_.room() != 0) in_.fail("{} bytes instead of {}", ranges_.at(), out_size_);
    if ((in_.position() + 7) / 8 != size_) in_.fail("it ends before byte {}", size_);
  }

  // One block; true if it was the last.
  bool block() {
    const std::uint64_t first_bit = in_.position(), given = ranges_.given();
    Ranges::Stretch stretch = ranges_.start();
    const bool last = in_.take(1) != 0;
    const unsigned type = in_.take(2);
    if (type == 3) in_.fail("a block of unknown type");
    shape_.last_block = first_bit;
    if (type == 0) {
      shape_.has_stored = true;
      stored();
    } else {
      type == 1 ? fixed_codes() : dynamic_codes();
      symbols();
    }
    in_.check_end();
    stretch.to = ranges_.at();
    carried_ += in_.position() - first_bit - (ranges_.given() - given);
    if (stretch.to > stretch.from) {
      ranges_.split(carried_, stretch);
      carried_ = 0;
    }
    return last;
  }

  void stored() {
    in_.skip_bytes(0);
    const unsigned size = in_.take(16);
    if ((in_.take(16) ^ size) != 0xffff) in_.fail("a stored block with two different sizes");
    if (size == 0) return;
    make(8 * std::uint64_t{size}, size);
    in_.skip_bytes(size);
  }

  void fixed_codes() {
    std::array<std::uint8_t, 288> lengths;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    }
    literals_.build(lengths, kLiteralSymbols, in_);
    const std::array<std::uint8_t, 32> five = [] {
      std::array<std::uint8_t, 32> all;
      all.fill(5);
      return all;
    }();
    distances_.build(five, kDistanceSymbols, in_);
  }

  void dynamic_codes() {
    const unsigned literals = in_.take(5) + 257, distances = in_.take(5) + 1,
                   listed = in_.take(4) + 4;
    std::array<std::uint8_t, kCodeLengths> of_lengths{};
    for (unsigned i = 0; i < listed; ++i) {
      of_lengths[kCodeLengthOrder[i]] = static_cast<std::uint8_t>(in_.take(3));
    }
    lengths_.build(of_lengths, kCodeLengthSymbols, in_);
    std::array<std::uint8_t, 288 + 32> lengths{};
    const std::span<std::uint8_t> all = std::span(lengths).first(literals + distances);
    read_lengths(all);
    literals_.build(all.first(literals), kLiteralSymbols, in_);
    distances_.build(all.subspan(literals), kDistanceSymbols, in_);
  }

  // Both codes' lengths in one run-length coded list.
  void read_lengths(std::span<std::uint8_t> lengths) {
    for (std::size_t at = 0; at < lengths.size();) {
      const CodeTable::Entry entry = lengths_.at(in_.peek());
      if (entry.symbol.kind == Kind::unassigned) in_.fail("an unassigned code");
      in_.skip(entry.bits);
      const unsigned symbol = entry.symbol.base;
      if (symbol < 16) {
        lengths[at++] = static_cast<std::uint8_t>(symbol);
        continue;
      }
      if (symbol == 16 && at == 0) in_.fail("a repeated length without a first");
      const std::uint8_t value = symbol == 16 ? lengths[at - 1] : 0;
      const unsigned times = symbol == 16   ? 3 + in_.take(2)
                             : symbol == 17 ? 3 + in_.take(3)
                                            : 11 + in_.take(7);
      if (times > lengths.size() - at) in_.fail("more code lengths than codes");
      std::fill_n(lengths.begin() + static_cast<std::ptrdiff_t>(at), times, value);
      at += times;
    }
  }

  // Nearly all time is spent in this little function.
  void symbols() {
    for (;;) {
      const std::uint64_t bits = in_.peek();
      const CodeTable::Entry& entry = literals_.at(bits);
      switch (entry.symbol.kind) {
        case Kind::literal:
          in_.skip(entry.bits);
          make(entry.bits, 1);
          break;
        case Kind::length:
          match(bits, entry);
          break;
        case Kind::end:
          in_.skip(entry.bits);
          return;
        default:
          in_.fail("an unassigned code");
      }
    }
  }

  // At most 48 bits: one peek is enough.
  void match(std::uint64_t bits, const CodeTable::Entry& length) {
    bits >>= length.bits;
    const std::size_t bytes = number(length.symbol, bits);
    bits >>= length.symbol.extra;
    const CodeTable::Entry& distance = distances_.at(bits);
    if (distance.symbol.kind == Kind::unassigned) in_.fail("an unassigned code");
    if (number(distance.symbol, bits >> distance.bits) > ranges_.at()) {
      in_.fail("a match from before the start");
    }
    const unsigned cost = length.bits + length.symbol.extra + distance.bits + distance.symbol.extra;
    in_.skip(cost);
    make(cost, bytes);
  }

  static std::size_t number(Symbol symbol, std::uint64_t bits) {
    return symbol.base + (bits & ((std::uint64_t{1} << symbol.extra) - 1));
  }

  void make(std::uint64_t bits, std::size_t bytes) {
    if (bytes > ranges_.room()) in_.fail("more than {} bytes", out_size_);
    ranges_.add(bits, bytes);
  }

  BitReader in_;
  std::size_t size_, out_size_;
  Ranges ranges_;
  CodeTable lengths_, literals_, distances_;
  DeflateShape shape_;
  std::uint64_t carried_ = 0;  // of blocks without output, for the next block that has some
};

}  // namespace

std::vector<std::uint64_t> deflate_cost(const std::string& file, Bytes stream,
                                        std::span<const std::size_t> ends) {
  check(!ends.empty() && std::is_sorted(ends.begin(), ends.end()), "ranges are out of order");
  if (stream.size() > kMaxBytes || ends.back() > kMaxBytes) {
    fail(Fault::unsupported, "{}: compressed data over {} bytes", file, kMaxBytes);
  }
  return CostCounter(file, stream, ends).run();
}

DeflateShape deflate_shape(const std::string& file, Bytes stream, std::size_t size) {
  if (stream.size() > kMaxBytes || size > kMaxBytes) {
    fail(Fault::unsupported, "{}: compressed data over {} bytes", file, kMaxBytes);
  }
  const std::size_t ends[] = {size};
  return CostCounter(file, stream, ends).shape();
}

}  // namespace sb3lm
