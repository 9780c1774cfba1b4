#include "quant/range_coder.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace sb3lm {
namespace {

// All of 0x20 to 0x7f but the two that JSON escapes.
constexpr int kFirst = 0x20, kQuote = '"', kBackslash = '\\';

int number_at(std::string_view codebook, std::size_t at) {
  const int high = range_value(codebook[at]), low = range_value(codebook[at + 1]);
  if (high < 0 || low < 0) fail(Fault::bad_input, "codebook: letter {} is none", at + 1);
  return high * kRangeLetters + low;
}

void put_number(std::string& text, int number) {
  text += range_letter(number / kRangeLetters);
  text += range_letter(number % kRangeLetters);
}

}  // namespace

char range_letter(int value) {
  int letter = kFirst + value;
  if (letter >= kQuote) ++letter;
  if (letter >= kBackslash) ++letter;
  return static_cast<char>(letter);
}

int range_value(char letter) {
  const int code = static_cast<unsigned char>(letter);
  if (code < kFirst || code > 0x7F || code == kQuote || code == kBackslash) return -1;
  return code - kFirst - (code > kQuote ? 1 : 0) - (code > kBackslash ? 1 : 0);
}

std::string range_codebook(std::span<const std::int64_t> counts, bool whole) {
  std::size_t first = 0, end = counts.size();
  if (!whole) {
    while (first < end && counts[first] == 0) ++first;
    while (end > first && counts[end - 1] == 0) --end;
  }
  const std::int64_t most =
      std::max<std::int64_t>(1, *std::max_element(counts.begin(), counts.end()));
  std::string text;
  put_number(text, static_cast<int>(first));
  for (std::size_t code = first; code < end; ++code) {
    const double share = static_cast<double>(counts[code]) / static_cast<double>(most);
    const int weight = static_cast<int>(std::lround(share * kRangeMaxWeight));
    put_number(text, counts[code] > 0 ? std::max(weight, 1) : 0);
  }
  return text;
}

RangeTable range_table(std::string_view codebook, int codes, int tuple) {
  if (codebook.size() < 4 || codebook.size() % 2 != 0) {
    fail(Fault::bad_input, "codebook: {} letters", codebook.size());
  }
  const int first = number_at(codebook, 0);
  const int count = static_cast<int>(codebook.size() / 2) - 1;
  if (first > codes || count > codes - first) {
    fail(Fault::bad_input, "codebook: codes {} to {} of {}", first, first + count - 1, codes);
  }
  std::vector<double> weights(static_cast<std::size_t>(codes), 0.0);
  double sum = 0;
  for (int k = 0; k < count; ++k) {
    const int weight = number_at(codebook, 2 + 2 * static_cast<std::size_t>(k));
    weights[static_cast<std::size_t>(first + k)] = weight;
    sum += weight;
  }
  if (sum == 0) fail(Fault::bad_input, "codebook: no code occurs");
  // In the order of operations that the blocks have, for the same bits.
  std::vector<double> shares = {1.0};
  for (int k = 0; k < tuple; ++k) {
    std::vector<double> longer;
    for (const double share : shares) {
      for (const double weight : weights) longer.push_back(share * weight / sum);
    }
    shares = std::move(longer);
  }
  RangeTable table{.codes = codes, .first = {}, .size = {}, .symbol = {}};
  for (std::size_t symbol = 0; symbol < shares.size(); ++symbol) {
    const double share = shares[symbol];
    const auto size = share > 0 ? std::max(1.0, std::floor(share * range_slots(tuple) + 0.5)) : 0.0;
    table.first.push_back(table.slots());
    table.size.push_back(static_cast<std::uint32_t>(size));
    table.symbol.insert(table.symbol.end(), table.size.back(), static_cast<std::uint32_t>(symbol));
  }
  return table;
}

void RangeWriter::put(std::uint32_t symbol) {
  check(table_.size.at(symbol) > 0, "a symbol that the codebook has not");
  steps_.push_back({table_.first[symbol], table_.size[symbol], table_.slots()});
}

void RangeWriter::put_byte(std::uint32_t byte) {
  steps_.push_back({byte, 1, 256});
}

std::string RangeWriter::letters() const {
  const std::uint64_t least = table_.slots() * kRangeStates;
  std::uint64_t state = least;
  std::string text;
  const auto put_letter = [&] {
    text += range_letter(static_cast<int>(state % kRangeLetters));
    state /= kRangeLetters;
  };
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    while (state >= kRangeLetters * (least / step->of) * step->size) put_letter();
    state = state / step->size * step->of + step->first + state % step->size;
  }
  while (state > 0) put_letter();
  std::reverse(text.begin(), text.end());
  return text;
}

RangeReader::RangeReader(std::string_view text, const RangeTable& table)
    : text_(text), table_(table), least_(table.slots() * kRangeStates) {
  fill();
}

void RangeReader::fill() {
  while (state_ < least_) {
    if (at_ == text_.size()) fail(Fault::bad_input, "weight text: it ends within a matrix");
    const int value = range_value(text_[at_++]);
    if (value < 0) {
      fail(Fault::bad_input, "weight text: letter '{}' is not in the alphabet", text_[at_ - 1]);
    }
    // Zeros in front would never end.
    if (state_ == 0 && value == 0) fail(Fault::bad_input, "weight text: it begins with a zero");
    state_ = state_ * kRangeLetters + static_cast<std::uint64_t>(value);
  }
}

std::uint32_t RangeReader::take() {
  const auto slot = static_cast<std::uint32_t>(state_ % table_.slots());
  const std::uint32_t symbol = table_.symbol[slot];
  state_ = table_.size[symbol] * (state_ / table_.slots()) + slot - table_.first[symbol];
  fill();
  return symbol;
}

std::uint32_t RangeReader::take_byte() {
  const auto byte = static_cast<std::uint32_t>(state_ % 256);
  state_ /= 256;
  fill();
  return byte;
}

std::size_t RangeReader::finish() const {
  if (state_ != least_) fail(Fault::bad_input, "weight text: its end does not fit");
  return at_;
}

}  // namespace sb3lm
