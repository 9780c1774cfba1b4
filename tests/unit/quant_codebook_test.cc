// Codebooks: complete, deterministic and near the entropy; and the letters that files depend on.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "quant/codebook.h"
#include "quant/digits.h"

namespace {

using namespace sb3lm;

// Counts of pairs of independent weights whose levels have the density of a normal distribution.
std::vector<std::int64_t> normal_pairs(int levels, double step) {
  std::vector<std::int64_t> counts;
  const auto weight = [&](int level) {
    return std::exp(-std::pow((level - levels / 2) * step, 2) / 2);
  };
  for (int a = 0; a < levels; ++a) {
    for (int b = 0; b < levels; ++b) {
      counts.push_back(static_cast<std::int64_t>(1e6 * weight(a) * weight(b)));
    }
  }
  return counts;
}

double entropy_bits(const std::vector<std::int64_t>& counts) {
  double total = 0, bits = 0;
  for (const std::int64_t count : counts) total += static_cast<double>(count);
  for (const std::int64_t count : counts) {
    if (count > 0)
      bits += static_cast<double>(count) * std::log2(total / static_cast<double>(count));
  }
  return bits;
}

// Bits of the text with the best Huffman code for each digit alone.
std::int64_t huffman_bits(const std::vector<std::int64_t>& counts, const std::vector<int>& cells,
                          int digits) {
  std::int64_t bits = 0;
  for (int digit = 0; digit < digits; ++digit) {
    std::vector<std::int64_t> nodes(16, 0);
    for (std::size_t cell = 0; cell < cells.size(); ++cell) {
      if (cells[cell] == kNoSymbol) continue;
      nodes[cell >> (4 * digit) & 15] += counts[static_cast<std::size_t>(cells[cell])];
    }
    while (nodes.size() > 1) {
      std::sort(nodes.begin(), nodes.end(), std::greater<>());
      const std::int64_t joined = nodes[nodes.size() - 1] + nodes[nodes.size() - 2];
      nodes.pop_back();
      nodes.back() = joined;
      bits += joined;
    }
  }
  return bits;
}

void check_codebook(const std::vector<std::int64_t>& counts, const SymbolShape& shape) {
  const Codebook book = make_codebook(counts, shape);
  const std::vector<int> cells = codebook_cells(book, shape);
  CHECK(cells.size() == static_cast<std::size_t>(shape.cells()));
  std::vector<int> seen(counts.size(), 0);
  for (const int symbol : cells) {
    if (symbol != kNoSymbol) ++seen.at(static_cast<std::size_t>(symbol));
  }
  CHECK(std::all_of(seen.begin(), seen.end(), [](int times) { return times == 1; }));
  const std::string text = codebook_text(book);
  CHECK(static_cast<int>(text.size()) == codebook_letters(shape));
  CHECK(codebook_text(make_codebook(counts, shape)) == text);
  CHECK(codebook_cells(read_codebook(text, shape), shape) == cells);
  const std::int64_t bits = codebook_bits(book, shape, counts);
  CHECK(static_cast<double>(bits) >= entropy_bits(counts));
  // Lengths leave room for an end mark, so a code for the digits alone may be a little shorter.
  CHECK(huffman_bits(counts, cells, shape.digits) <= bits);
}

}  // namespace

TEST_CASE("a codebook holds each symbol once and is within a percent of the entropy") {
  for (const double step : {0.3, 0.45, 0.6}) {
    CAPTURE(step);
    const std::vector<std::int64_t> counts = normal_pairs(16, step);
    const SymbolShape shape{2, 16, 2};
    check_codebook(counts, shape);
    CHECK(static_cast<double>(codebook_bits(make_codebook(counts, shape), shape, counts)) <
          1.01 * entropy_bits(counts));
  }
}

TEST_CASE("codebooks of few, many, equal and absent symbols") {
  check_codebook({5}, {1, 1, 1});
  check_codebook({0, 0, 0}, {1, 3, 1});
  check_codebook(std::vector<std::int64_t>(16, 7), {1, 16, 1});
  check_codebook(std::vector<std::int64_t>(256, 1), {2, 16, 2});
  check_codebook(normal_pairs(32, 0.2), {2, 32, 3});
  check_codebook(normal_pairs(64, 0.1), {2, 64, 3});
}

TEST_CASE("digits: the commonest pair gets digits of its own") {
  CodedTensor tensor{.shape = {1, 16}, .format = CodeFormat::of_bits(4)};
  tensor.codes = {8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 3, 9, 1, 15};
  const std::vector<const CodedTensor*> all = {&tensor};
  const std::string codebook = digits_codebook(4, all);
  REQUIRE(codebook.size() == 64);
  std::vector<std::string> streams(2);
  digits_pack(tensor, codebook, streams);
  CHECK(streams[0].size() == 8);
  CHECK(streams[0].substr(0, 6) == std::string(6, streams[0][0]));
  const SymbolShape shape{2, 16, 2};
  const auto cell =
      static_cast<std::size_t>(16 * hex_digit(streams[0][0]) + hex_digit(streams[1][0]));
  CHECK(codebook_cells(read_codebook(codebook, shape), shape)[cell] == 16 * 8 + 8);
}

TEST_CASE("digits: how many letters each width takes") {
  const int streams[] = {0, 1, 2, 3, 2, 3, 3, 2, 2}, letters[] = {0, 2, 2, 2, 4, 4, 4, 8, 8};
  for (int bits = 1; bits <= 8; ++bits) {
    CAPTURE(bits);
    CHECK(digits_streams(bits) == streams[bits]);
    CHECK(digits_row_letters(bits, 3) == 3 * letters[bits]);
  }
  CHECK(digits_streams(0) == 0);
  CHECK(digits_streams(9) == 0);
}
