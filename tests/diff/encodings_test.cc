// Every text encoding of codes in the registry, and halves: native pack and unpack are inverse, and
// the decoding blocks give exactly the table indices and numbers that the weights ask for.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/error.h"
#include "base/half.h"
#include "quant/encoding.h"
#include "support/block_rig.h"
#include "support/random_model.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::blocks;
using namespace sb3lm::test;

constexpr double kJunk = 0.125;  // no index and no scale of these tests

CodedTensor uniform(Shape shape, int bits, auto code_at) {
  CodedTensor tensor{.shape = shape, .format = CodeFormat::of_bits(bits)};
  for (int row = 0; row < shape.rows; ++row) {
    for (int col = 0; col < shape.cols; ++col) {
      tensor.codes.push_back(static_cast<std::uint8_t>(code_at(row, col)));
    }
  }
  tensor.row_scale.resize(static_cast<std::size_t>(shape.rows));
  return tensor;
}

// Eight columns. One bit: all 256 bytes. Two to four: every pair of codes in every place of two
// neighbours. More: every code in every column, next to ever different ones.
CodedTensor all_codes(int bits) {
  const int count = 1 << bits;
  if (bits == 1) {
    return uniform({256, 8}, 1, [](int row, int col) { return row >> (7 - col) & 1; });
  }
  if (bits <= 4) {
    const int pairs = count * count;
    return uniform({pairs, 8}, bits, [&](int row, int col) {
      const int pair = (row + col / 2 * 37) % pairs;
      return col % 2 == 0 ? pair / count : pair % count;
    });
  }
  return uniform({4 * count, 8}, bits,
                 [&](int row, int col) { return (row * (2 * col + 1) + row / count * 7) % count; });
}

struct Packed {
  std::string codebook;
  std::vector<std::string> streams;
  std::size_t first_letter;  // from 0
};

// The tensor's letters after those of another one, as tensors share items.
Packed pack_after_other(const CodeEncoding& encoding, const CodedTensor& tensor) {
  const int bits = tensor.format.bits;
  const CodedTensor other = uniform({1, 11}, bits, [](int, int) { return 1; });
  const std::vector<const CodedTensor*> all = {&other, &tensor};
  Packed packed{encoding.codebook(bits, all),
                std::vector<std::string>(static_cast<std::size_t>(encoding.streams(bits))), 0};
  CHECK(static_cast<int>(packed.codebook.size()) == encoding.codebook_letters(bits));
  encoding.pack(other, packed.codebook, packed.streams);
  packed.first_letter = packed.streams[0].size();
  encoding.pack(tensor, packed.codebook, packed.streams);
  const auto letters = static_cast<std::size_t>(
      encoding.row_letters(bits, group_count(tensor.shape.cols)) * tensor.shape.rows);
  for (const std::string& stream : packed.streams) {
    if (letters > 0) CHECK(stream.size() == packed.first_letter + letters);
    CHECK(stream.size() == packed.streams[0].size());
  }
  return packed;
}

void check_native(const CodeEncoding& encoding, const CodedTensor& tensor, const Packed& packed) {
  std::vector<std::string_view> letters;
  for (const std::string& stream : packed.streams) {
    letters.push_back(std::string_view(stream).substr(packed.first_letter));
  }
  CodedTensor read{.shape = tensor.shape, .format = tensor.format};
  const std::size_t used = encoding.unpack(letters, packed.codebook, read);
  CHECK(used == packed.streams[0].size() - packed.first_letter);
  CHECK(read.codes == tensor.codes);
}

// Decodes rows [first, first + count) of the tensor as one call.
struct Call {
  int first = 0, count = 0;
};

void check_blocks(const CodeEncoding& encoding, const CodedTensor& tensor, const Packed& packed,
                  const std::vector<Call>& calls) {
  const int bits = tensor.format.bits, groups = group_count(tensor.shape.cols);
  constexpr int kItem = 3, kAt = 4;
  std::vector<scratch::Scalar> text = {std::string("zz"), packed.codebook};
  text.insert(text.end(), packed.streams.begin(), packed.streams.end());
  text.emplace_back(std::string("zz"));

  BlockRig rig;
  const DecodeLists lists{.text = rig.engine.list<Str>("text", text),
                          .codes = rig.w.codes,
                          .scales = rig.w.scales,
                          .spread = rig.engine.list<Num>("spread", spread_table())};
  const DecodeProc decode = encoding.emit_decode(rig.engine, lists, bits);
  const int letters = encoding.row_letters(bits, groups);
  const int first_letter = static_cast<int>(packed.first_letter) + 1;
  rig.on("go", [&](Script& s) {
    for (const Call& call : calls) {
      // Letter 0 goes on where rows have no fixed number of letters.
      const bool go_on = letters == 0 && call.first > 0;
      s.call(decode, kItem, go_on ? 0 : first_letter + call.first * letters, call.count,
             kAt + call.first * groups * bits, groups);
    }
  });
  std::vector<double> expected(kAt - 1, kJunk);
  for (const double index : table_indices(tensor)) expected.push_back(index);
  expected.insert(expected.end(), 5, kJunk);
  rig.fill("_codes", std::vector<double>(expected.size(), kJunk));
  rig.run("go");
  const std::vector<double> got = rig.numbers("_codes");
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    REQUIRE(got[i] == expected[i]);
  }
}

void check_tensor(const CodeEncoding& encoding, const CodedTensor& tensor) {
  const Packed packed = pack_after_other(encoding, tensor);
  check_native(encoding, tensor, packed);
  const int rows = tensor.shape.rows, cut = rows / 3;
  check_blocks(encoding, tensor, packed, {{0, rows}});
  // As the loader does, in chunks; and backwards, where no chunk may need the one before.
  check_blocks(encoding, tensor, packed, {{0, cut}, {cut, rows - cut}});
  if (encoding.row_letters(tensor.format.bits, 1) > 0) {
    check_blocks(encoding, tensor, packed, {{cut, rows - cut}, {0, cut}});
  }
}

}  // namespace

TEST_CASE("every encoding holds every width that it says it holds") {
  REQUIRE(!code_encodings().empty());
  for (const CodeEncoding& encoding : code_encodings()) {
    CAPTURE(std::string(encoding.name));
    CHECK(&code_encoding(encoding.name) == &encoding);
    CHECK(encoding.streams(0) == 0);
    CHECK(encoding.streams(9) == 0);
    int widths = 0;
    for (int bits = 1; bits <= 8; ++bits) {
      if (encoding.streams(bits) == 0) continue;
      ++widths;
      CAPTURE(bits);
      check_tensor(encoding, all_codes(bits));
    }
    CHECK(widths > 0);
  }
}

TEST_CASE("both encodings of the build levels hold all widths") {
  for (const char* name : {"hex", "digits"}) {
    for (int bits = 1; bits <= 8; ++bits) CHECK(code_encoding(name).streams(bits) > 0);
  }
}

TEST_CASE("widths that are no multiple of 8") {
  for (const CodeEncoding& encoding : code_encodings()) {
    CAPTURE(std::string(encoding.name));
    for (int bits = 1; bits <= 8; ++bits) {
      if (encoding.streams(bits) == 0) continue;
      for (const int cols : {1, 2, 5, 8, 9, 15, 20, 33}) {
        CAPTURE(bits);
        CAPTURE(cols);
        Random random(static_cast<std::uint64_t>(64 * cols + bits));
        check_tensor(encoding, random_codes(random, {7, cols}, bits));
      }
    }
  }
}

TEST_CASE("letters outside the alphabet and too few letters are refused") {
  for (const CodeEncoding& encoding : code_encodings()) {
    CAPTURE(std::string(encoding.name));
    for (int bits = 1; bits <= 8; ++bits) {
      if (encoding.streams(bits) == 0) continue;
      Random random(3);
      CodedTensor tensor = random_codes(random, {3, 9}, bits);
      std::vector<std::string> streams(static_cast<std::size_t>(encoding.streams(bits)));
      const std::vector<const CodedTensor*> all = {&tensor};
      const std::string codebook = encoding.codebook(bits, all);
      encoding.pack(tensor, codebook, streams);
      for (std::size_t broken = 0; broken < streams.size(); ++broken) {
        const std::string whole = streams[broken];
        const std::vector<std::string> bad = {"", whole.substr(0, whole.size() - 1),
                                              "\x01" + whole.substr(1)};
        for (const std::string& text : bad) {
          streams[broken] = text;
          const std::vector<std::string_view> views(streams.begin(), streams.end());
          CHECK_THROWS_AS(encoding.unpack(views, codebook, tensor), Error);
        }
        streams[broken] = whole;
      }
      if (codebook.empty()) continue;
      const std::vector<std::string_view> views(streams.begin(), streams.end());
      for (const std::string& bad :
           {std::string(), codebook.substr(1), codebook + "0", std::string(codebook.size(), '-'),
            std::string(codebook.size(), 'z')}) {
        CHECK_THROWS_AS(encoding.unpack(views, bad, tensor), Error);
      }
    }
  }
  CHECK_THROWS_AS(code_encoding("morse"), Error);
}

namespace {

void check_halves(const std::vector<std::uint16_t>& halves, double factor, int base) {
  CAPTURE(factor);
  CAPTURE(base);
  std::vector<std::string> streams(kHalfStreams, "00");  // something else in front
  pack_halves(halves, base, streams);
  std::vector<scratch::Scalar> text = {std::string("q")};
  text.insert(text.end(), streams.begin(), streams.end());

  BlockRig rig;
  const DecodeLists lists{.text = rig.engine.list<Str>("text", text),
                          .codes = rig.w.codes,
                          .scales = rig.w.scales,
                          .spread = rig.engine.list<Num>("spread")};
  const HalvesProc decode = emit_decode_halves(rig.engine, lists);
  const auto count = static_cast<double>(halves.size());
  rig.on("go", [&](Script& s) { s.call(decode, 2, 3, count, 2, factor, base); });
  rig.fill("_scales", std::vector<double>(halves.size() + 2, kJunk));
  rig.run("go");
  const std::vector<double> got = rig.numbers("_scales");
  CHECK(got.front() == kJunk);
  CHECK(got.back() == kJunk);
  for (std::size_t i = 0; i < halves.size(); ++i) {
    CAPTURE(halves[i]);
    const double expected = half_to_double(halves[i]) * factor;
    REQUIRE(std::bit_cast<std::uint64_t>(got[i + 1]) == std::bit_cast<std::uint64_t>(expected));
  }
}

}  // namespace

TEST_CASE("halves: all finite bit patterns, exactly, -0 included") {
  std::vector<std::uint16_t> halves;
  for (int bits = 0; bits < 65536; ++bits) {
    if ((bits >> 10 & 31) != 31) halves.push_back(static_cast<std::uint16_t>(bits));
  }
  REQUIRE(halves.size() == 63488);
  check_halves(halves, 1, 0);
  check_halves(halves, 2, 0);
  check_halves({halves.begin() + 1000, halves.end()}, 1, 1000);
  check_halves({halves.begin(), halves.begin() + 1000}, 1, -2000);
}
