#include "quant/codebook.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "quant/encoding.h"

namespace sb3lm {
namespace {

constexpr int kDigits = 16;
constexpr int kLongest = 15;  // bits of a deflate code
constexpr int kDescents = 24;

constexpr int kDearest = 255;

// The least n with count * 2^(n / 8) >= total. The roots are written out, because mathematical
// libraries differ in their last bits.
int cost_of(std::int64_t count, std::int64_t total) {
  constexpr double kRoots[] = {1.0,
                               1.0905077326652577,
                               1.189207115002721,
                               1.2968395546510096,
                               1.4142135623730951,
                               1.5422108254079407,
                               1.681792830507429,
                               1.8340080864093424};
  if (count == 0) return kDearest;
  int cost = 0;
  while (cost < kDearest && std::ldexp(static_cast<double>(count) * kRoots[cost % 8], cost / 8) <
                                static_cast<double>(total)) {
    ++cost;
  }
  return cost;
}

std::vector<int> costs_of(std::span<const std::int64_t> counts, const SymbolShape& shape) {
  std::vector<std::int64_t> of_code(static_cast<std::size_t>(shape.codes), 0);
  std::int64_t total = 0;
  for (std::size_t symbol = 0; symbol < counts.size(); ++symbol) {
    std::size_t rest = symbol;
    for (int k = 0; k < shape.weights; ++k) {
      of_code[rest % of_code.size()] += counts[symbol];
      total += counts[symbol];
      rest /= of_code.size();
    }
  }
  std::vector<int> costs;
  costs.reserve(of_code.size());
  for (const std::int64_t count : of_code) costs.push_back(cost_of(count, total));
  return costs;
}

// 0 .. count - 1 by the sum of the table's values of their digits to `base`, lower numbers first
// among equals. Each digit has a table of its own if `step` is not 0.
std::vector<int> by_digit_sums(int count, int base, const std::vector<int>& table, int step) {
  std::vector<int> sums;
  for (int number = 0; number < count; ++number) {
    int sum = 0;
    for (int rest = number, at = 0, left = count; left > 1; left /= base, at += step) {
      sum += table[static_cast<std::size_t>(at) + static_cast<std::size_t>(rest % base)];
      rest /= base;
    }
    sums.push_back(sum);
  }
  std::vector<int> order(sums.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return sums[static_cast<std::size_t>(a)] < sums[static_cast<std::size_t>(b)];
  });
  return order;
}

std::vector<int> symbols_in_order(const std::vector<int>& costs, const SymbolShape& shape) {
  return by_digit_sums(shape.symbols(), shape.codes, costs, 0);
}

// lengths[b]: how many of the 16 digits have codes of b bits.
using Profile = std::array<int, kLongest + 1>;

// Adds every complete code with `left` more leaves below `open` nodes of depth `depth`; one of the
// longest leaves is the end mark and is taken away.
void add_profiles(int left, int open, int depth, Profile& profile, std::vector<Profile>& all) {
  if (open == left) {
    Profile whole = profile;
    whole[static_cast<std::size_t>(depth)] += left - 1;
    all.push_back(whole);
  }
  if (depth == kLongest) return;
  for (int inner = 1; inner <= open && 2 * inner + (open - inner) <= left; ++inner) {
    profile[static_cast<std::size_t>(depth)] = open - inner;
    add_profiles(left - (open - inner), 2 * inner, depth + 1, profile, all);
  }
  profile[static_cast<std::size_t>(depth)] = 0;
}

const std::vector<Profile>& profiles() {
  static const std::vector<Profile> all = [] {
    std::vector<Profile> made;
    Profile profile{};
    add_profiles(kDigits + 1, 1, 0, profile, made);
    return made;
  }();
  return all;
}

// How many cells cost how many bits.
using Cells = std::vector<std::int64_t>;

Cells with_digit(const Cells& cells, const Profile& profile) {
  Cells sum(cells.size() + kLongest, 0);
  for (std::size_t a = 0; a < cells.size(); ++a) {
    if (cells[a] == 0) continue;
    for (std::size_t b = 1; b <= kLongest; ++b) sum[a + b] += cells[a] * profile[b];
  }
  return sum;
}

class Search {
 public:
  /// `symbols`: the order in which they take the cells.
  Search(std::span<const std::int64_t> counts, const std::vector<int>& symbols, int digits)
      : best_(static_cast<std::size_t>(digits)) {
    sums_.push_back(0);
    for (const int symbol : symbols) {
      sums_.push_back(sums_.back() + counts[static_cast<std::size_t>(symbol)]);
    }
    for (int start = 0; start < kDescents; ++start) descend(start);
  }

  std::vector<int> lengths() const {
    std::vector<int> lengths;
    for (auto profile = best_.rbegin(); profile != best_.rend(); ++profile) {
      for (int length = 1; length <= kLongest; ++length) {
        const int digits = profiles()[*profile][static_cast<std::size_t>(length)];
        lengths.insert(lengths.end(), static_cast<std::size_t>(digits), length);
      }
    }
    return lengths;
  }

 private:
  // Bits of the text if the first symbols take the cheapest cells.
  std::int64_t price(const Cells& cells) const {
    std::int64_t bits = 0;
    std::size_t done = 0;
    for (std::size_t cost = 0; cost < cells.size() && done + 1 < sums_.size(); ++cost) {
      const std::size_t end =
          std::min(sums_.size() - 1, done + static_cast<std::size_t>(cells[cost]));
      bits += static_cast<std::int64_t>(cost) * (sums_[end] - sums_[done]);
      done = end;
    }
    return bits;
  }

  // From one start, spread over all profiles, until no digit's profile can be bettered.
  void descend(int start) {
    const std::size_t count = profiles().size();
    std::vector<std::size_t> chosen(best_.size());
    for (std::size_t digit = 0; digit < chosen.size(); ++digit) {
      chosen[digit] = (static_cast<std::size_t>(start) * (digit + 1) * count / kDescents) % count;
    }
    std::int64_t bits = -1;
    for (bool better = true; better;) {
      better = false;
      for (std::size_t digit = 0; digit < chosen.size(); ++digit) {
        Cells others = {1};
        for (std::size_t other = 0; other < chosen.size(); ++other) {
          if (other != digit) others = with_digit(others, profiles()[chosen[other]]);
        }
        for (std::size_t profile = 0; profile < count; ++profile) {
          const std::int64_t now = price(with_digit(others, profiles()[profile]));
          if (bits >= 0 && now >= bits) continue;
          bits = now;
          chosen[digit] = profile;
          better = true;
        }
      }
    }
    if (best_bits_ >= 0 && bits >= best_bits_) return;
    best_bits_ = bits;
    best_ = chosen;
  }

  std::vector<std::int64_t> sums_;  // of the counts of the first i symbols
  std::vector<std::size_t> best_;   // profile of each digit
  std::int64_t best_bits_ = -1;
};

}  // namespace

int SymbolShape::symbols() const {
  int count = 1;
  for (int k = 0; k < weights; ++k) count *= codes;
  return count;
}

Codebook make_codebook(std::span<const std::int64_t> counts, const SymbolShape& shape) {
  check(static_cast<int>(counts.size()) == shape.symbols() && shape.symbols() <= shape.cells(),
        "a codebook for another number of symbols");
  Codebook book{.costs = costs_of(counts, shape), .lengths = {}};
  book.lengths = Search(counts, symbols_in_order(book.costs, shape), shape.digits).lengths();
  return book;
}

std::vector<int> codebook_cells(const Codebook& book, const SymbolShape& shape) {
  const std::vector<int> order = by_digit_sums(shape.cells(), kDigits, book.lengths, kDigits);
  std::vector<int> cells(order.size(), kNoSymbol);
  std::size_t next = 0;
  for (const int symbol : symbols_in_order(book.costs, shape)) {
    cells[static_cast<std::size_t>(order[next++])] = symbol;
  }
  return cells;
}

std::int64_t codebook_bits(const Codebook& book, const SymbolShape& shape,
                           std::span<const std::int64_t> counts) {
  const std::vector<int> cells = codebook_cells(book, shape);
  std::int64_t bits = 0;
  for (std::size_t cell = 0; cell < cells.size(); ++cell) {
    if (cells[cell] == kNoSymbol) continue;
    std::int64_t length = 0;
    std::size_t rest = cell;
    for (std::size_t at = 0; at < book.lengths.size(); at += kDigits, rest /= kDigits) {
      length += book.lengths[at + rest % kDigits];
    }
    bits += length * counts[static_cast<std::size_t>(cells[cell])];
  }
  return bits;
}

std::string codebook_text(const Codebook& book) {
  std::string text;
  for (const int cost : book.costs) {
    text += kHexDigits[cost >> 4];
    text += kHexDigits[cost & 15];
  }
  for (const int length : book.lengths) text += kHexDigits[length];
  return text;
}

int codebook_letters(const SymbolShape& shape) {
  return 2 * shape.codes + kDigits * shape.digits;
}

Codebook read_codebook(std::string_view text, const SymbolShape& shape) {
  if (static_cast<int>(text.size()) != codebook_letters(shape)) {
    fail(Fault::bad_input, "codebook of {} codes: {} letters", shape.codes, text.size());
  }
  Codebook book;
  std::size_t at = 0;
  for (int code = 0; code < shape.codes; ++code, at += 2) {
    book.costs.push_back(16 * hex_digit(text[at]) + hex_digit(text[at + 1]));
  }
  while (at < text.size()) book.lengths.push_back(hex_digit(text[at++]));
  return book;
}

}  // namespace sb3lm
