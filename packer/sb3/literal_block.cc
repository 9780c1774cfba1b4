#include "sb3/literal_block.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "base/error.h"

namespace sb3lm {

void BitString::put(std::uint32_t value, unsigned count) {
  pending_ |= (value & ((std::uint64_t{1} << count) - 1)) << count_;
  for (count_ += count; count_ >= 8; count_ -= 8, pending_ >>= 8) {
    bytes_ += static_cast<char>(pending_ & 255);
  }
}

void BitString::put(std::string_view bytes, std::uint64_t count) {
  for (std::size_t i = 0; count > 0; ++i) {
    const auto now = static_cast<unsigned>(std::min<std::uint64_t>(count, 8));
    put(static_cast<unsigned char>(bytes[i]), now);
    count -= now;
  }
}

void BitString::set(std::uint64_t bit, bool value) {
  const unsigned place = bit % 8;
  if (bit / 8 < bytes_.size()) {
    auto byte = static_cast<unsigned char>(bytes_[bit / 8]);
    byte = static_cast<unsigned char>((byte & ~(1u << place)) | unsigned{value} << place);
    bytes_[bit / 8] = static_cast<char>(byte);
  } else {
    pending_ = (pending_ & ~(std::uint64_t{1} << place)) | std::uint64_t{value} << place;
  }
}

std::string BitString::take() {
  if (count_ > 0) put(0, 8 - count_);
  return std::move(bytes_);
}

namespace {

constexpr unsigned kEndOfBlock = 256;
constexpr std::size_t kLiterals = 257;
// Two distance codes of one bit, though no match uses them: some readers want a complete code.
constexpr std::size_t kDistances = 2;
constexpr std::size_t kCodeLengths = 19;
constexpr std::uint8_t kCodeLengthOrder[kCodeLengths] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                         11, 4,  12, 3, 13, 2, 14, 1, 15};

// Lengths of the best prefix code of at most `limit` bits (package-merge: Larmore and Hirschberg,
// 1990). Symbols that do not occur have length 0; a single one has length 1.
std::vector<std::uint8_t> code_lengths(std::span<const std::uint64_t> counts, unsigned limit) {
  struct Package {
    std::uint64_t weight = 0;
    std::vector<std::uint16_t> symbols;
  };
  const auto lighter = [](const Package& a, const Package& b) { return a.weight < b.weight; };
  std::vector<Package> leaves;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) leaves.push_back({counts[i], {static_cast<std::uint16_t>(i)}});
  }
  std::vector<std::uint8_t> lengths(counts.size(), 0);
  if (leaves.size() == 1) lengths[leaves[0].symbols[0]] = 1;
  if (leaves.size() < 2) return lengths;
  std::stable_sort(leaves.begin(), leaves.end(), lighter);
  std::vector<Package> row = leaves;
  for (unsigned level = 1; level < limit; ++level) {
    std::vector<Package> pairs;
    for (std::size_t i = 0; i + 1 < row.size(); i += 2) {
      Package pair = row[i];
      pair.weight += row[i + 1].weight;
      pair.symbols.insert(pair.symbols.end(), row[i + 1].symbols.begin(), row[i + 1].symbols.end());
      pairs.push_back(std::move(pair));
    }
    row.resize(leaves.size() + pairs.size());
    std::merge(leaves.begin(), leaves.end(), pairs.begin(), pairs.end(), row.begin(), lighter);
  }
  for (std::size_t i = 0; i < 2 * leaves.size() - 2; ++i) {
    for (const std::uint16_t symbol : row[i].symbols) ++lengths[symbol];
  }
  return lengths;
}

// The code of each symbol, first bit lowest (RFC 1951, 3.2.2).
std::vector<std::uint32_t> codes_of(std::span<const std::uint8_t> lengths) {
  std::array<std::uint32_t, 17> next{};
  for (const std::uint8_t length : lengths) next[length + 1u] += length != 0;
  for (std::size_t length = 1; length < next.size(); ++length) {
    next[length] = (next[length] + next[length - 1]) << 1;
  }
  std::vector<std::uint32_t> codes(lengths.size(), 0);
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    if (lengths[i] == 0) continue;
    const std::uint32_t code = next[lengths[i]]++;
    for (unsigned bit = 0; bit < lengths[i]; ++bit) {
      codes[i] |= (code >> bit & 1) << (lengths[i] - 1 - bit);
    }
  }
  return codes;
}

// An item of the run-length coded list of code lengths.
struct Run {
  std::uint8_t symbol = 0, extra = 0, extra_bits = 0;
};

std::vector<Run> runs_of(std::span<const std::uint8_t> lengths) {
  std::vector<Run> runs;
  for (std::size_t at = 0; at < lengths.size();) {
    std::size_t end = at + 1;
    while (end < lengths.size() && lengths[end] == lengths[at]) ++end;
    std::size_t left = end - at;
    if (lengths[at] != 0) {
      runs.push_back({lengths[at]});
      --left;
    }
    while (left >= 3) {
      const bool zeros = lengths[at] == 0;
      const std::size_t now = std::min<std::size_t>(left, zeros ? 138 : 6);
      if (!zeros) {
        runs.push_back({16, static_cast<std::uint8_t>(now - 3), 2});
      } else if (now <= 10) {
        runs.push_back({17, static_cast<std::uint8_t>(now - 3), 3});
      } else {
        runs.push_back({18, static_cast<std::uint8_t>(now - 11), 7});
      }
      left -= now;
    }
    for (; left > 0; --left) runs.push_back({lengths[at]});
    at = end;
  }
  return runs;
}

void put_code_lengths(BitString& out, const std::vector<std::uint8_t>& literal_lengths) {
  std::vector<std::uint8_t> all = literal_lengths;
  all.resize(kLiterals + kDistances, 1);
  const std::vector<Run> runs = runs_of(all);
  std::vector<std::uint64_t> counts(kCodeLengths, 0);
  for (const Run& run : runs) ++counts[run.symbol];
  const std::vector<std::uint8_t> lengths = code_lengths(counts, 7);
  const std::vector<std::uint32_t> codes = codes_of(lengths);
  std::size_t listed = kCodeLengths;
  while (listed > 4 && lengths[kCodeLengthOrder[listed - 1]] == 0) --listed;
  out.put(kLiterals - 257, 5);
  out.put(kDistances - 1, 5);
  out.put(static_cast<std::uint32_t>(listed - 4), 4);
  for (std::size_t i = 0; i < listed; ++i) out.put(lengths[kCodeLengthOrder[i]], 3);
  for (const Run& run : runs) {
    out.put(codes[run.symbol], lengths[run.symbol]);
    out.put(run.extra, run.extra_bits);
  }
}

void put_literals(BitString& out, std::string_view text, std::span<const std::uint8_t> lengths) {
  const std::vector<std::uint32_t> codes = codes_of(lengths);
  for (const char letter : text) {
    const auto symbol = static_cast<unsigned char>(letter);
    out.put(codes[symbol], lengths[symbol]);
  }
  out.put(codes[kEndOfBlock], lengths[kEndOfBlock]);
}

}  // namespace

void put_literal_block(BitString& out, std::string_view text) {
  std::vector<std::uint64_t> counts(kLiterals, 0);
  for (const char letter : text) ++counts[static_cast<unsigned char>(letter)];
  counts[kEndOfBlock] = 1;
  const std::vector<std::uint8_t> lengths = code_lengths(counts, 15);
  constexpr std::uint32_t kDynamic = 2;
  out.put(kDynamic << 1, 3);
  put_code_lengths(out, lengths);
  put_literals(out, text, lengths);
}

void put_fixed_block(BitString& out, std::string_view text) {
  std::array<std::uint8_t, 288> lengths;  // RFC 1951, 3.2.6
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
  }
  constexpr std::uint32_t kFixed = 1;
  out.put(kFixed << 1, 3);
  put_literals(out, text, lengths);
}

}  // namespace sb3lm
