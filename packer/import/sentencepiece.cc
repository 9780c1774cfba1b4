// SentencePiece's .model: a protocol buffer of pieces with scores and types, what the trainer was
// told, and the normaliser. BPE and vocabularies of single letters are read; what else the file may
// say is refused by name.
#include "import/sentencepiece.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_map>

#include "base/error.h"
#include "import/charsmap.h"
#include "import/file_errors.h"
#include "import/formats.h"
#include "import/pieces.h"
#include "import/protobuf.h"
#include "model/unicode.h"

namespace sb3lm {
namespace {

constexpr std::size_t kMaxPieces = 1 << 20, kMaxPieceBytes = 512;
constexpr float kLowestScore = -1e30F;

using Piece = SentencePiece;
using Settings = SentencePieceSettings;
using ModelFile = SentencePieceModel;

class FileReader {
 public:
  explicit FileReader(const NamedBytes& file) : file_(file) {}

  ModelFile read() {
    WireReader in(file_.file, file_.bytes, "SentencePiece model");
    while (!in.done()) {
      const WireField field = in.next();
      if (field.number == 1) read_piece(message(in, field, "piece"));
      if (field.number == 2) read_trainer(message(in, field, "trainer_spec"));
      if (field.number == 3) read_normaliser(message(in, field, "normalizer_spec"));
      if (field.number == 5) read_denormaliser(message(in, field, "denormalizer_spec"));
    }
    return std::move(out_);
  }

 private:
  WireReader message(const WireReader& in, const WireField& field, std::string what) const {
    if (what == "piece") what += fmt::format(" {}", out_.pieces.size());
    if (field.kind != WireField::Kind::bytes) in.fail("{} is no message", what);
    const auto first = static_cast<std::size_t>(field.bytes.data() - file_.bytes.data());
    return {file_.file, field.bytes, std::move(what), first};
  }

  static std::string text_of(const WireReader& in, const WireField& field) {
    if (field.kind != WireField::Kind::bytes) in.fail("field {} is no text", field.number);
    std::string text(as_text(field.bytes));
    if (invalid_byte(text) != text.npos) in.fail("field {} is not UTF-8", field.number);
    return text;
  }

  static std::uint64_t count_of(const WireReader& in, const WireField& field) {
    if (field.kind != WireField::Kind::count) in.fail("field {} is no number", field.number);
    return field.count;
  }

  void read_piece(WireReader in) {
    if (out_.pieces.size() == kMaxPieces) in.fail("more than {} pieces", kMaxPieces);
    Piece piece;
    while (!in.done()) {
      const WireField field = in.next();
      if (field.number == 1) {
        piece.text = text_of(in, field);
      } else if (field.number == 2) {
        if (field.kind != WireField::Kind::four_bytes) in.fail("its score is no float");
        piece.score = std::bit_cast<float>(static_cast<std::uint32_t>(field.count));
        if (!(piece.score > kLowestScore && std::isfinite(piece.score))) {
          in.fail("its score is not finite");
        }
      } else if (field.number == 3) {
        const std::uint64_t type = count_of(in, field);
        if (type < 1 || type > 6) in.fail("its type {} is outside 1..6", type);
        piece.type = static_cast<Piece::Type>(type);
      }
    }
    if (piece.text.empty()) in.fail("it is empty");
    if (piece.text.size() > kMaxPieceBytes) {
      in.fail("{} bytes, at most {} are possible", piece.text.size(), kMaxPieceBytes);
    }
    out_.pieces.push_back(std::move(piece));
  }

  void read_trainer(WireReader in) {
    Settings& to = out_.settings;
    while (!in.done()) {
      const WireField field = in.next();
      if (field.number == 3) to.model = count_of(in, field);
      if (field.number == 24) to.suffix_spaces = count_of(in, field) != 0;
      if (field.number == 35) to.byte_fallback = count_of(in, field) != 0;
      if (field.number == 44) to.unknown_prints = text_of(in, field);
      if (field.number == 46) to.begin = text_of(in, field);
      if (field.number == 47) to.end = text_of(in, field);
    }
  }

  void read_normaliser(WireReader in) {
    Settings& to = out_.settings;
    while (!in.done()) {
      const WireField field = in.next();
      if (field.number == 1) to.normaliser = text_of(in, field);
      if (field.number == 2) to.table = bytes_of(in, field);
      if (field.number == 3) to.dummy_prefix = count_of(in, field) != 0;
      if (field.number == 4) to.collapse_spaces = count_of(in, field) != 0;
      if (field.number == 5) to.marks_spaces = count_of(in, field) != 0;
    }
  }

  void read_denormaliser(WireReader in) {
    while (!in.done()) {
      const WireField field = in.next();
      if (field.number == 2) out_.settings.table_back = bytes_of(in, field);
    }
  }

  static Bytes bytes_of(const WireReader& in, const WireField& field) {
    if (field.kind != WireField::Kind::bytes) in.fail("field {} is no table", field.number);
    return field.bytes;
  }

  const NamedBytes& file_;
  ModelFile out_;
};

class ModelReader : FileErrors {
 public:
  ModelReader(const std::string& file, ModelFile model) : FileErrors(file), in_(std::move(model)) {}

  Tokenizer read() {
    check_settings();
    out_.kind = TokenizerKind::spaced_bpe;
    out_.byte_token.fill(-1);
    for (std::size_t id = 0; id < in_.pieces.size(); ++id) add_piece(static_cast<int>(id));
    check_bytes();
    if (out_.unknown < 0) fail("no piece has the type 'unknown'");
    check_names();
    if (in_.settings.model == static_cast<std::uint64_t>(Settings::Model::bpe)) add_merges();
    find_ends();
    const Settings& settings = in_.settings;
    out_.fuse_unknown = true;
    out_.prefix_space = settings.dummy_prefix;
    out_.strip_leading_space = settings.dummy_prefix || settings.collapse_spaces;
    out_.strip_each_space = settings.collapse_spaces;
    out_.rules.present = true;
    out_.rules.collapse_spaces = settings.collapse_spaces;
    read_charsmap(file_, settings.normaliser, settings.table, out_.rules);
    return std::move(out_);
  }

 private:
  void check_settings() const {
    using Model = Settings::Model;
    const Settings& settings = in_.settings;
    switch (static_cast<Model>(settings.model)) {
      case Model::bpe:
      case Model::characters:
        break;
      case Model::unigram:
        refuse("model_type 'unigram'");
      case Model::word:
        refuse("model_type 'word'");
      default:
        fail("trainer_spec: model_type {} is outside 1..4", settings.model);
    }
    if (settings.suffix_spaces) refuse("treat_whitespace_as_suffix");
    if (!settings.marks_spaces) refuse("a normaliser without escape_whitespaces");
    if (!settings.table_back.empty()) refuse("a denormalizer_spec with a table");
  }

  void add_piece(int id) {
    const Piece& piece = in_.pieces[static_cast<std::size_t>(id)];
    const std::string text = with_spaces(piece.text);
    const auto add = [&](std::string printed, TokenType type) {
      out_.tokens.push_back({std::move(printed), type});
    };
    using Type = Piece::Type;
    switch (piece.type) {
      case Type::normal:
      case Type::unused:
        if (piece.text.find(' ') != piece.text.npos) refuse("piece '{}' with a space", piece.text);
        add(text, piece.type == Type::normal ? TokenType::normal : TokenType::unused);
        if (is_one_character(text)) add_letter(text, id);
        break;
      case Type::user_defined:
        if (piece.text.find(' ') != piece.text.npos) {
          refuse("user-defined piece '{}' with a space", piece.text);
        }
        add(text, TokenType::whole);
        out_.whole.emplace(text, id);
        break;
      case Type::control:
        add(piece.text, TokenType::special);
        break;
      case Type::unknown:
        if (out_.unknown >= 0) fail("pieces {} and {} are both 'unknown'", out_.unknown, id);
        add(in_.settings.unknown_prints, TokenType::unknown);
        out_.unknown = id;
        break;
      case Type::byte:
        add_byte(piece.text, id);
        break;
    }
  }

  static std::string with_spaces(std::string text) {
    const std::string mark = utf8(kSpaceMark);
    for (std::size_t at = 0; (at = text.find(mark, at)) != text.npos; ++at) {
      text.replace(at, mark.size(), " ");
    }
    return text;
  }

  void add_letter(const std::string& text, int id) {
    out_.alphabet.emplace(text, id);
    if (text == " ") out_.alphabet.emplace(utf8(kSpaceMark), id);
  }

  void add_byte(const std::string& text, int id) {
    const int byte = fallback_byte(text);
    if (!in_.settings.byte_fallback) fail("piece '{}' is a byte without byte_fallback", text);
    if (byte < 0) fail("piece '{}' is no byte", text);
    int& place = out_.byte_token[static_cast<std::size_t>(byte)];
    if (place >= 0) fail("pieces {} and {} are the same byte", place, id);
    place = id;
    out_.tokens.push_back({std::string(1, static_cast<char>(byte)), TokenType::byte});
  }

  void check_bytes() const {
    if (!in_.settings.byte_fallback) return;
    const auto bytes = std::count_if(out_.byte_token.begin(), out_.byte_token.end(),
                                     [](int id) { return id >= 0; });
    if (bytes != 256) fail("byte_fallback with {} of 256 bytes", bytes);
  }

  /// A text names one piece: the original would look some up in vain.
  void check_names() const {
    std::unordered_map<std::string_view, std::size_t> names;
    for (std::size_t id = 0; id < in_.pieces.size(); ++id) {
      const Piece& piece = in_.pieces[id];
      const auto [other, fresh] = names.emplace(piece.text, id);
      if (!fresh) fail("pieces {} and {} are both '{}'", other->second, id, piece.text);
      if (piece.type == Piece::Type::control && text_chars(piece.text).size() == 1) {
        refuse("control piece '{}' of one letter", piece.text);
      }
    }
  }

  void add_merges() {
    std::vector<ScoredPiece> parts;
    for (std::size_t id = 0; id < in_.pieces.size(); ++id) {
      const Token& token = out_.tokens[id];
      if (token.type != TokenType::normal && token.type != TokenType::unused) continue;
      parts.push_back({token.text, in_.pieces[id].score, static_cast<int>(id)});
      if (!is_one_character(token.text)) check_letters(in_.pieces[id].text, token.text);
    }
    out_.merges = merges_by_score(parts);
    for (const Merge& merge : out_.merges) {
      if (out_.tokens[static_cast<std::size_t>(merge.result)].type != TokenType::unused) continue;
      const auto [place, fresh] =
          out_.undone.emplace(merge.result, std::pair(merge.left, merge.right));
      if (!fresh) {
        refuse("unused piece '{}', which several pairs make,",
               in_.pieces[static_cast<std::size_t>(merge.result)].text);
      }
    }
  }

  /// The original would merge letters that are no pieces into one that is.
  void check_letters(const std::string& name, const std::string& text) const {
    for (const TextChar& c : text_chars(text)) {
      const std::string letter = text.substr(c.offset, c.size);
      if (out_.alphabet.contains(letter) || out_.whole.contains(letter)) continue;
      refuse("piece '{}', whose letter '{}' is no piece,", name, letter);
    }
  }

  void find_ends() {
    out_.bos = special_id(out_, in_.settings.begin);
    out_.add_bos = out_.bos >= 0;
    const int end = special_id(out_, in_.settings.end);
    for (const int id : {out_.bos, end}) {
      if (id >= 0) out_.stop_ids.push_back(id);
    }
    std::sort(out_.stop_ids.begin(), out_.stop_ids.end());
  }

  ModelFile in_;
  Tokenizer out_;
};

}  // namespace

bool looks_like_sentencepiece(const NamedBytes& file) {
  // The first field is a piece, whose first field is a text. llama2.c's tokenizer.bin may begin
  // with the same byte, as the length of its longest token, and its next is 0 or 1.
  const Bytes bytes = file.bytes;
  if (bytes.size() > 3 && bytes[0] == 0x0A && bytes[1] > 1 && bytes[2] == 0x0A) return true;
  return file.file.ends_with(".model");
}

Tokenizer tokenizer_of(const std::string& file, SentencePieceModel model) {
  return ModelReader(file, std::move(model)).read();
}

Tokenizer read_sentencepiece(const NamedBytes& file) {
  return ModelReader(file.file, FileReader(file).read()).read();
}

}  // namespace sb3lm
