#include "quant/digits.h"

#include <optional>

#include "base/error.h"
#include "quant/codebook.h"
#include "quant/codebook_blocks.h"
#include "quant/hex.h"
#include "quant/row_decoder.h"

namespace sb3lm {

using namespace blocks;

namespace {

struct Symbols {
  int weights = 0, digits = 0;  // of a symbol; weights divide 8
  int bits = 0;

  // As many weights as 12 bits hold, and as few digits as hold the symbols.
  static Symbols of(int bits) {
    const int weights = bits <= 3 ? 4 : bits <= 6 ? 2 : 1;
    return {weights, bits == 4 ? 2 : (weights * bits + 3) / 4, bits};
  }
  SymbolShape shape() const { return {weights, 1 << bits, digits}; }
  int cells() const { return 1 << (4 * digits); }
  int parts() const { return bits <= 4 ? 1 : 2; }  // items of a cell in the decoder's table
  int per_group() const { return 8 / weights; }
};

int symbol_at(const CodedTensor& tensor, const Symbols& symbols, int row, int col) {
  int symbol = 0;
  for (int k = 0; k < symbols.weights; ++k) {
    symbol = (symbol << symbols.bits) + padded_code(tensor, row, col + k);
  }
  return symbol;
}

// The symbol of each cell, or kNoSymbol.
std::vector<int> read_cells(std::string_view codebook, const Symbols& symbols) {
  return codebook_cells(read_codebook(codebook, symbols.shape()), symbols.shape());
}

}  // namespace

int digits_streams(int bits) {
  return bits < 2 ? hex_streams(bits) : bits > 8 ? 0 : Symbols::of(bits).digits;
}

int digits_row_letters(int bits, int groups) {
  return bits == 1 ? hex_row_letters(bits, groups) : Symbols::of(bits).per_group() * groups;
}

int digits_codebook_letters(int bits) {
  return bits == 1 ? 0 : codebook_letters(Symbols::of(bits).shape());
}

std::string digits_codebook(int bits, std::span<const CodedTensor* const> tensors) {
  if (bits == 1) return {};
  const Symbols symbols = Symbols::of(bits);
  std::vector<std::int64_t> counts(static_cast<std::size_t>(symbols.shape().symbols()), 0);
  for (const CodedTensor* tensor : tensors) {
    for (int row = 0; row < tensor->shape.rows; ++row) {
      for (int col = 0; col < 8 * group_count(tensor->shape.cols); col += symbols.weights) {
        ++counts[static_cast<std::size_t>(symbol_at(*tensor, symbols, row, col))];
      }
    }
  }
  return codebook_text(make_codebook(counts, symbols.shape()));
}

void digits_pack(const CodedTensor& tensor, std::string_view codebook,
                 std::span<std::string> streams) {
  const int bits = tensor.format.bits;
  if (bits == 1) return hex_pack(tensor, codebook, streams);
  const Symbols symbols = Symbols::of(bits);
  const std::vector<int> cells = read_cells(codebook, symbols);
  std::vector<std::size_t> cell_of(static_cast<std::size_t>(symbols.shape().symbols()));
  for (std::size_t cell = 0; cell < cells.size(); ++cell) {
    if (cells[cell] != kNoSymbol) cell_of[static_cast<std::size_t>(cells[cell])] = cell;
  }
  for (int row = 0; row < tensor.shape.rows; ++row) {
    for (int col = 0; col < 8 * group_count(tensor.shape.cols); col += symbols.weights) {
      const std::size_t cell =
          cell_of[static_cast<std::size_t>(symbol_at(tensor, symbols, row, col))];
      for (int digit = 0; digit < symbols.digits; ++digit) {
        streams[static_cast<std::size_t>(digit)] +=
            kHexDigits[cell >> (4 * (symbols.digits - 1 - digit)) & 15];
      }
    }
  }
}

std::size_t digits_unpack(std::span<const std::string_view> streams, std::string_view codebook,
                          CodedTensor& tensor) {
  const int bits = tensor.format.bits;
  if (bits == 1) return hex_unpack(streams, codebook, tensor);
  const Symbols symbols = Symbols::of(bits);
  const std::vector<int> cells = read_cells(codebook, symbols);
  const int letters = digits_row_letters(bits, group_count(tensor.shape.cols));
  require_letters(streams, tensor.shape.rows, letters);
  tensor.codes.assign(
      static_cast<std::size_t>(tensor.shape.rows) * static_cast<std::size_t>(tensor.shape.cols), 0);
  for (int row = 0; row < tensor.shape.rows; ++row) {
    for (int letter = 0; letter < letters; ++letter) {
      std::size_t cell = 0;
      for (const std::string_view stream : streams) {
        const auto at = static_cast<std::size_t>(row) * static_cast<std::size_t>(letters) +
                        static_cast<std::size_t>(letter);
        cell = 16 * cell + static_cast<std::size_t>(hex_digit(stream[at]));
      }
      const int symbol = cells[cell];
      if (symbol == kNoSymbol) fail(Fault::bad_input, "weight text: digits without a symbol");
      for (int k = 0; k < symbols.weights; ++k) {
        const int col = letter * symbols.weights + k;
        if (col >= tensor.shape.cols) break;
        tensor.codes[static_cast<std::size_t>(row) * static_cast<std::size_t>(tensor.shape.cols) +
                     static_cast<std::size_t>(col)] =
            static_cast<std::uint8_t>(symbol >> ((symbols.weights - 1 - k) * bits) &
                                      ((1 << bits) - 1));
      }
    }
  }
  return static_cast<std::size_t>(tensor.shape.rows) * static_cast<std::size_t>(letters);
}

namespace {

class Decoder {
 public:
  Decoder(Sprite& engine, const DecodeLists& lists, int bits)
      : engine_(engine),
        lists_(lists),
        symbols_(Symbols::of(bits)),
        name_(fmt::format("decode digits {}", bits)),
        table_(engine.list<Num>(fmt::format("_digits {}", bits))),
        codebook_(local("codebook")),
        cursor_(engine, name_) {}

  DecodeProc emit() {
    const auto fill = emit_fill_table(engine_, lists_, symbols_.shape(), name_ + " table", table_);
    std::vector<Var<Num>> index;
    index.reserve(static_cast<std::size_t>(symbols_.per_group()));
    for (int k = 0; k < symbols_.per_group(); ++k) index.push_back(local(fmt::format("{}", k)));
    return emit_row_decoder(
        engine_, name_, cursor_, symbols_.bits,
        [&](Script& s, Arg<Num>& item, Arg<Num>& letter) {
          // Unloading empties the table.
          s.when(!(codebook_ == item) || table_.length() == 0, [&](Script& s) {
            s.set(codebook_, item + 0);
            s.clear(table_);
            s.call(fill, item - 1);
          });
          s.set(cursor_.from, letter + 0);
        },
        [&](Script& s, Arg<Num>& groups) {
          one_group(s, index, groups);
          s.change(cursor_.from, symbols_.per_group());
        });
  }

 private:
  Var<Num> local(const std::string& what) { return engine_.var<Num>("_" + name_ + " " + what); }

  Expr<Str> letter_of(int stream, int offset) {
    return letter(cursor_.from + offset, lists_.text[cursor_.item + stream]);
  }

  Expr<Num> cell(int k) {
    std::optional<Expr<Str>> digits;
    for (int stream = symbols_.digits - 1; stream >= 0; --stream) {
      digits = digits ? join(letter_of(stream, k), std::move(*digits)) : letter_of(stream, k);
    }
    return to_num(join("0x", std::move(*digits))) + 1;
  }

  void one_group(Script& s, const std::vector<Var<Num>>& index, Arg<Num>& groups) {
    const int planes = symbols_.bits;
    if (symbols_.parts() == 1) {
      set_planes(s, 0, planes, groups, [&](int k) { return cell(k); });
      return;
    }
    const auto at = [&](int k) -> const Var<Num>& { return index[static_cast<std::size_t>(k)]; };
    for (int k = 0; k < symbols_.per_group(); ++k) s.set(at(k), cell(k));
    set_planes(s, 0, planes - 4, groups, [&](int k) { return at(k) + 0; });
    set_planes(s, planes - 4, 4, groups, [&](int k) { return at(k) + symbols_.cells(); });
  }

  // Bytes of `planes` planes from the table's items at `place(k)`, k counting symbols.
  template <class Place>
  void set_planes(Script& s, int first, int planes, Arg<Num>& groups, Place place) {
    auto sum = table_[place(0)] + 0;
    for (int k = 1; k < symbols_.per_group(); ++k) {
      sum = std::move(sum) * static_cast<double>(1 << symbols_.weights) + table_[place(k)];
    }
    s.set(cursor_.acc, std::move(sum));
    put_plane_bytes(s, lists_, cursor_, first, planes, groups);
  }

  Sprite& engine_;
  const DecodeLists& lists_;
  Symbols symbols_;
  std::string name_;
  List<Num> table_;
  Var<Num> codebook_;  // the text item whose codebook the table is of
  DecodeCursor cursor_;
};

}  // namespace

DecodeProc digits_emit_decode(Sprite& engine, const DecodeLists& lists, int bits) {
  return bits == 1 ? hex_emit_decode(engine, lists, bits) : Decoder(engine, lists, bits).emit();
}

}  // namespace sb3lm
