#include "quant/letters.h"

#include "base/error.h"
#include "quant/digits.h"
#include "quant/row_decoder.h"

namespace sb3lm {

using namespace blocks;

namespace {

// In the order in which Scratch compares texts, no letter in two cases, none that JSON escapes.
constexpr std::string_view kLetters =
    " !#$%&'()*+,-./0123456789:;<=>?@[]^_`abcdefghijklmnopqrstuvwxyz{|}~";
static_assert(kLetters.size() == 67);

// A letter's word.
struct Word {
  int bits = 0, value = 0;
};

constexpr Word word_of(std::size_t letter) {
  const int place = static_cast<int>(letter);
  if (place < 63) return {6, place};
  if (place == 63) return {7, 0b1111110};
  if (place == 64) return {8, 0b11111110};
  return {9, 0b111111110 + (place - 65)};
}

/// Bits in, letters out.
class LetterWriter {
 public:
  explicit LetterWriter(std::string& text) : text_(text) {}

  void put(int bit) {
    value_ = 2 * value_ + bit;
    ++bits_;
    // Six ones are the beginning of a longer word.
    if (bits_ == 6 && value_ < 63) {
      emit(static_cast<std::size_t>(value_));
    } else if ((bits_ == 7 || bits_ == 8) && value_ % 2 == 0) {
      emit(static_cast<std::size_t>(56 + bits_));
    } else if (bits_ == 9) {
      emit(static_cast<std::size_t>(65 + value_ % 2));
    }
  }
  /// Fills the last word up with zeros.
  void finish() {
    while (bits_ > 0) put(0);
  }

 private:
  void emit(std::size_t letter) {
    text_ += kLetters[letter];
    bits_ = value_ = 0;
  }

  std::string& text_;
  int bits_ = 0, value_ = 0;
};

}  // namespace

int letters_row_letters(int bits, int groups) {
  return bits > 1 ? digits_row_letters(bits, groups) : 0;
}

void letters_pack(const CodedTensor& tensor, std::string_view codebook,
                  std::span<std::string> streams) {
  if (tensor.format.bits > 1) return digits_pack(tensor, codebook, streams);
  LetterWriter out(streams[0]);
  for (int row = 0; row < tensor.shape.rows; ++row) {
    for (int col = 0; col < 8 * group_count(tensor.shape.cols); ++col) {
      out.put(padded_code(tensor, row, col));
    }
  }
  out.finish();
}

std::size_t letters_unpack(std::span<const std::string_view> streams, std::string_view codebook,
                           CodedTensor& tensor) {
  if (tensor.format.bits > 1) return digits_unpack(streams, codebook, tensor);
  const std::size_t rows = tensor.shape.rows, cols = tensor.shape.cols;
  const auto padded = 8 * static_cast<std::size_t>(group_count(tensor.shape.cols));
  const std::string_view text = streams[0];
  // A letter holds nine bits at most.
  if (text.size() < rows * padded / 9) {
    fail(Fault::bad_input, "weight text: {} letters for {} bits", text.size(), rows * padded);
  }
  tensor.codes.resize(rows * cols);
  std::size_t at = 0;
  Word word;
  for (std::size_t i = 0; i < rows * padded; ++i) {
    if (word.bits == 0) {
      if (at == text.size()) fail(Fault::bad_input, "weight text: it ends within a matrix");
      const std::size_t letter = kLetters.find(text[at++]);
      if (letter == std::string_view::npos) {
        fail(Fault::bad_input, "weight text: letter '{}' is not in the alphabet", text[at - 1]);
      }
      word = word_of(letter);
    }
    --word.bits;
    const std::size_t row = i / padded, col = i % padded;
    if (col < cols) {
      tensor.codes[row * cols + col] = static_cast<std::uint8_t>(word.value >> word.bits & 1);
    }
  }
  return at;
}

namespace {

class BitDecoder {
 public:
  BitDecoder(Sprite& engine, const DecodeLists& lists)
      : engine_(engine),
        lists_(lists),
        cursor_(engine, kName),
        unit_(local("unit")),
        value_(local("value")),
        power_(local("power")),
        now_(engine.var<Str>(std::string("_") + kName + " now", std::string())) {}

  DecodeProc emit() {
    const auto add_letter = engine_.define<>(std::string(kName) + " letter", {}, [&](Script& s) {
      s.set(now_, letter(cursor_.from + 0, lists_.text[cursor_.item + 0]));
      s.set(power_, 64);
      find_word(s, 0, kLetters.size());
      s.set(cursor_.acc, cursor_.acc * power_ + value_);
      s.set(unit_, unit_ * power_);
      s.change(cursor_.from, 1);
    });
    // acc holds bits that were read and not used yet, fewer than `unit` has.
    return emit_row_decoder(
        engine_, kName, cursor_, 1,
        [&](Script& s, Arg<Num>&, Arg<Num>& letter) {
          s.when(!(letter == 0), [&](Script& s) {
            s.set(cursor_.acc, 0);
            s.set(unit_, 1);
          });
          s.when(letter > 0, [&](Script& s) { s.set(cursor_.from, letter + 0); });
        },
        [&](Script& s, Arg<Num>&) {
          s.repeat_until(unit_ > 255, [&](Script& s) { s.call(add_letter); });
          s.set(unit_, unit_ / 256);
          s.set(value_, floor(cursor_.acc / unit_));
          s.replace(lists_.codes, cursor_.to + 0, value_ + cursor_.base);
          s.set(cursor_.acc, cursor_.acc - value_ * unit_);
        });
  }

 private:
  static constexpr const char* kName = "decode letters";

  Var<Num> local(const char* what) {
    return engine_.var<Num>(std::string("_") + kName + " " + what);
  }

  // The letter's word: halves of the alphabet, until one letter is left.
  void find_word(Script& s, std::size_t first, std::size_t count) {
    if (count == 1) {
      const Word word = word_of(first);
      s.set(value_, word.value);
      if (word.bits > 6) s.set(power_, 1 << word.bits);
      return;
    }
    const std::size_t half = count / 2;
    s.when_else(
        text_before(now_, std::string(1, kLetters[first + half])),
        [&](Script& s) { find_word(s, first, half); },
        [&](Script& s) { find_word(s, first + half, count - half); });
  }

  Sprite& engine_;
  const DecodeLists& lists_;
  DecodeCursor cursor_;
  Var<Num> unit_, value_, power_;
  Var<Str> now_;
};

}  // namespace

DecodeProc letters_emit_decode(Sprite& engine, const DecodeLists& lists, int bits) {
  return bits > 1 ? digits_emit_decode(engine, lists, bits) : BitDecoder(engine, lists).emit();
}

}  // namespace sb3lm
