#include "quant/codebook.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace sb3lm {
namespace {

constexpr int kDigits = 16;
constexpr int kLongest = 15;  // bits of a deflate code
constexpr int kDescents = 24;

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
  Search(std::span<const std::int64_t> counts, int digits)
      : symbols_(counts.size()), best_(static_cast<std::size_t>(digits)) {
    std::iota(symbols_.begin(), symbols_.end(), 0);
    std::stable_sort(symbols_.begin(), symbols_.end(), [&](int a, int b) {
      return counts[static_cast<std::size_t>(a)] > counts[static_cast<std::size_t>(b)];
    });
    sums_.push_back(0);
    for (const int symbol : symbols_) {
      sums_.push_back(sums_.back() + counts[static_cast<std::size_t>(symbol)]);
    }
    for (int start = 0; start < kDescents; ++start) descend(start);
  }

  std::int64_t bits() const { return best_bits_; }

  std::vector<int> cells() const {
    std::vector<int> costs = {0};
    for (const std::size_t profile : best_) {
      std::vector<int> longer;
      for (const int cost : costs) {
        for (int length = 1; length <= kLongest; ++length) {
          longer.insert(
              longer.end(),
              static_cast<std::size_t>(profiles()[profile][static_cast<std::size_t>(length)]),
              cost + length);
        }
      }
      costs = std::move(longer);
    }
    std::vector<std::size_t> order(costs.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return costs[a] < costs[b]; });
    std::vector<int> cells(costs.size(), kNoSymbol);
    for (std::size_t i = 0; i < symbols_.size(); ++i) cells[order[i]] = symbols_[i];
    return cells;
  }

 private:
  // Bits of the text if the commonest symbols take the cheapest cells.
  std::int64_t price(const Cells& cells) const {
    std::int64_t bits = 0;
    std::size_t done = 0;
    for (std::size_t cost = 0; cost < cells.size() && done < symbols_.size(); ++cost) {
      const std::size_t end =
          std::min(symbols_.size(), done + static_cast<std::size_t>(cells[cost]));
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

  std::vector<int> symbols_;        // by falling count
  std::vector<std::int64_t> sums_;  // of the counts of the first i symbols
  std::vector<std::size_t> best_;   // profile of each digit
  std::int64_t best_bits_ = -1;
};

}  // namespace

Codebook make_codebook(std::span<const std::int64_t> counts, int digits) {
  const Search search(counts, digits);
  return {search.cells(), search.bits()};
}

}  // namespace sb3lm
