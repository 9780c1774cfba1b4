#include "quant/base64.h"

#include "base/error.h"
#include "quant/digits.h"
#include "quant/row_decoder.h"

namespace sb3lm {

using namespace blocks;

namespace {

// In the order in which Scratch compares texts, no letter in two cases, none that JSON escapes.
constexpr std::string_view kLetters =
    "!#$%&'()*+,-./0123456789:;=?@[]^_`abcdefghijklmnopqrstuvwxyz{|}~";
static_assert(kLetters.size() == 64);

constexpr int kLetterBits = 6;
constexpr int kRunGroups = 3;  // of 8 weights: four letters

}  // namespace

int base64_row_letters(int bits, int groups) {
  if (bits > 1) return digits_row_letters(bits, groups);
  return (8 * groups + kLetterBits - 1) / kLetterBits;
}

void base64_pack(const CodedTensor& tensor, std::string_view codebook,
                 std::span<std::string> streams) {
  if (tensor.format.bits > 1) return digits_pack(tensor, codebook, streams);
  const int letters = base64_row_letters(1, group_count(tensor.shape.cols));
  for (int row = 0; row < tensor.shape.rows; ++row) {
    for (int col = 0; col < kLetterBits * letters; col += kLetterBits) {
      std::size_t value = 0;
      for (int k = 0; k < kLetterBits; ++k) value = 2 * value + padded_code(tensor, row, col + k);
      streams[0] += kLetters[value];
    }
  }
}

void base64_unpack(std::span<const std::string_view> streams, std::string_view codebook,
                   CodedTensor& tensor) {
  if (tensor.format.bits > 1) return digits_unpack(streams, codebook, tensor);
  const std::size_t rows = tensor.shape.rows, cols = tensor.shape.cols;
  const int letters = base64_row_letters(1, group_count(tensor.shape.cols));
  require_letters(streams, tensor.shape.rows, letters);
  tensor.codes.resize(rows * cols);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::string_view text = streams[0].substr(row * static_cast<std::size_t>(letters));
    for (std::size_t col = 0; col < cols; ++col) {
      const char letter = text[col / kLetterBits];
      const std::size_t value = kLetters.find(letter);
      if (value == std::string_view::npos) {
        fail(Fault::bad_input, "weight text: letter '{}' is not in the base 64 alphabet", letter);
      }
      tensor.codes[row * cols + col] =
          static_cast<std::uint8_t>(value >> (kLetterBits - 1 - col % kLetterBits) & 1);
    }
  }
}

namespace {

// digit = the place of `letter` in the alphabet: halves of it, six times.
void find_digit(Script& s, const Var<Str>& letter, const Var<Num>& digit, std::size_t first,
                std::size_t count) {
  if (count == 1) {
    s.set(digit, static_cast<double>(first));
    return;
  }
  const std::size_t half = count / 2;
  s.when_else(
      text_before(letter, std::string(1, kLetters[first + half])),
      [&](Script& s) { find_digit(s, letter, digit, first, half); },
      [&](Script& s) { find_digit(s, letter, digit, first + half, count - half); });
}

DecodeProc emit_bits(Sprite& engine, const DecodeLists& lists) {
  const std::string name = "decode base64";
  const DecodeCursor at(engine, name);
  const auto local = [&](const char* what) { return engine.var<Num>("_" + name + " " + what); };
  const auto run = local("run"), left = local("left"), digit = local("digit"),
             ahead = local("ahead");
  const auto letter_now = engine.var<Str>("_" + name + " now", std::string());
  const auto add_letter = engine.define<>(name + " letter", {}, [&](Script& s) {
    s.set(letter_now, letter(at.from + 0, lists.text[at.item + 0]));
    find_digit(s, letter_now, digit, 0, kLetters.size());
    s.set(run, run * 64 + digit);
    s.change(at.from, 1);
  });
  const auto read_run = [&](Script& s) {
    s.set(run, 0);
    s.call(add_letter);
    s.call(add_letter);
    // The last run of a row may be shorter: two letters hold one group, three hold two.
    for (int k = 1; k < kRunGroups; ++k) {
      s.when_else(
          ahead > k, [&](Script& s) { s.call(add_letter); },
          [&](Script& s) { s.set(run, run * 64); });
    }
    s.set(left, kRunGroups);
    s.change(ahead, -kRunGroups);
  };
  return emit_row_decoder(
      engine, name, at, 1, [](Script&, Arg<Num>&) {},
      [&](Script& s, Arg<Num>& groups) {
        s.set(left, 0);
        s.set(ahead, groups + 0);
      },
      [&](Script& s, Arg<Num>&) {
        s.when(left == 0, read_run);
        s.set(at.acc, floor(run / 65536));
        s.replace(lists.codes, at.to + 0, at.acc + at.base);
        s.set(run, (run - at.acc * 65536) * 256);
        s.change(left, -1);
      });
}

}  // namespace

DecodeProc base64_emit_decode(Sprite& engine, const DecodeLists& lists, int bits) {
  return bits > 1 ? digits_emit_decode(engine, lists, bits) : emit_bits(engine, lists);
}

}  // namespace sb3lm
