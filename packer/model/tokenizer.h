// A BPE tokenizer in one canonical form, whatever file it came from. The native encode and decode
// here are what the blocks (kernels/tokenize.cc, kernels/detokenize.cc) are tested against.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/cut_pattern.h"
#include "model/normal_form.h"
#include "model/text_rules.h"

namespace sb3lm {

enum class TokenizerKind {
  none,        // the model is driven by token ids
  spaced_bpe,  // symbols are code points, U+2581 stands for a space, unknown ones fall back to
               // bytes (SentencePiece's .model, tokenizer.json with Metaspace, llama2.c's .bin)
  byte_bpe,    // symbols are bytes, text is first cut by a pattern (byte-level tokenizer.json)
};

enum class TokenType : std::uint8_t {
  normal,
  byte,     // <0xHH> of a spaced_bpe vocabulary
  special,  // never produced from user text, prints nothing
  whole,    // stands for its text wherever that occurs, before anything merges
  unknown,  // Tokenizer::unknown where it prints something
  unused,   // taken apart again after merging (Tokenizer::undone)
};

/// Longer ones are refused where texts are made of others.
inline constexpr std::size_t kMaxTokenBytes = 4096;

struct Token {
  std::string text;  // the bytes that it prints: U+2581 is a space here, <0x0A> a line feed;
                     // for special tokens their name ("<bos>")
  TokenType type = TokenType::normal;
};

/// `left` directly followed by `right` may become `result`. Of all pairs present the lowest `rank`
/// merges first, the leftmost one among equals.
struct Merge {
  int left = 0;
  int right = 0;
  int result = 0;
  int rank = 0;
};

/// Where text is cut before merging (merges never cross a cut).
enum class WordSplit {
  none,          // one piece
  before_space,  // a new word starts at every space (Metaspace with split)
  gpt2,          // GPT-2's pattern
  steps,         // Tokenizer::cuts
};

/// How a token of type `whole` is found, where rules (TextRules) do not say it.
struct WholeFlags {
  bool normalized = false;   // in the text after its normal form and the space in front
  bool strip_left = false;   // it takes white space before it along ...
  bool strip_right = false;  // ... and after it
  bool single_word = false;  // not beside letters, digits and the like

  bool operator==(const WholeFlags&) const = default;
};

struct Tokenizer {
  TokenizerKind kind = TokenizerKind::none;
  std::vector<Token> tokens;              // by id; size is the vocabulary
  std::vector<Merge> merges;              // sorted by (left, right)
  std::map<std::string, int> alphabet;    // spaced_bpe: one code point (space for U+2581) -> id
  std::array<int, 256> byte_token{};      // id of each byte, -1 if there is none
  int unknown = -1;                       // for what neither alphabet nor bytes cover; -1: dropped
  bool fuse_unknown = false;              // one for several in a row
  TextRules rules;                        // what becomes of a text first
  std::map<std::string, int> whole;       // tokens of that type: text -> id
  std::map<int, WholeFlags> whole_flags;  // of those for which one is set
  NormalForm form = NormalForm::none;     // of a text, before anything else
  bool mark_is_space = false;             // a typed U+2581 is as good as a space
  std::map<int, std::pair<int, int>> undone;  // unused tokens that merges make: of which pair
  /// What merging makes of pieces that are tokens all the same (ignore_merges) -> these tokens.
  std::map<std::vector<int>, int> joined;
  WordSplit split = WordSplit::none;
  std::vector<CutStep> cuts;
  bool prefix_space = false;          // a space is put in front of non-empty text ...
  bool prefix_unless_space = false;   // ... only if the text does not start with one
  bool prefix_only_at_start = false;  // ... and only where no token comes before (templates)
  bool strip_leading_space = false;   // decoding drops the first printed space
  bool strip_each_space = false;      // ... and that of each next token while nothing is printed
  bool strip_every_token = false;     // decoding drops the first space of each token
  int bos = -1;                       // start of text, -1 if unknown
  bool add_bos = false;               // `--prompt` puts bos in front
  std::vector<int> stop_ids;          // end generation (eos, end of turn), not printed

  bool present() const { return kind != TokenizerKind::none; }
};

/// Ids of plain text. Special tokens are never recognised in it. `with_bos` puts bos in front where
/// the tokenizer asks for it.
std::vector<int> encode(const Tokenizer& tokenizer, std::string_view text, bool with_bos);

/// What the symbols of one piece of text merge to.
std::vector<int> merged_ids(const Tokenizer& tokenizer, std::string_view piece);

/// Tokenizer::joined of a tokenizer whose pieces are tokens wherever they can. Throws unsupported
/// if a byte is no token.
std::map<std::vector<int>, int> joined_pieces(const std::string& file, const Tokenizer& tokenizer);

/// Makes the vocabulary so large: with tokens that no text has and that print nothing, or without
/// the last ones. False where merging needs one of these.
bool fit_vocabulary(Tokenizer& tokenizer, std::size_t size);

/// Appends the token, or those that it is taken apart into if it is unused.
void append_undone(const Tokenizer& tokenizer, int id, std::vector<int>& ids);

/// Marks, by id, every token that a piece which nothing cuts becomes or makes on its way: its
/// symbols and the result of each merge.
void mark_made(const Tokenizer& tokenizer, std::string_view piece, std::vector<bool>& marks);

/// What a token adds to a text's bytes where bits per byte are counted as parameter-golf does.
struct TokenBytes {
  int bytes = 0;                   // without the space that it begins with
  bool begins_with_space = false;  // one more byte, unless the token before is a boundary
  bool boundary = false;           // special, unknown or unused: no text
};
TokenBytes token_bytes(const Tokenizer& tokenizer, int id);

/// The bytes that the ids print, invalid UTF-8 left as it is.
std::string decode(const Tokenizer& tokenizer, const std::vector<int>& ids);

/// The id of a special token by its name, -1 if there is none.
int special_id(const Tokenizer& tokenizer, std::string_view name);

/// How a chat turn becomes tokens (docs/chat-template.md). `user` marks where the user's text goes,
/// as it is or in small letters; special tokens are ids; the text between two of them, the user's
/// included, is encoded as one.
struct TemplatePart {
  enum class Kind { token, text, user } kind = Kind::text;
  int token = -1;
  std::string text;
  bool lower = false;  // of a user: see small_letters
};
struct ChatTemplate {
  std::vector<TemplatePart> first;  // opens the conversation; empty: the user's text continues
  std::vector<TemplatePart> next;   // every later turn, after the token that ended the reply
  std::vector<int> stop_ids;        // the first one ends a reply that was cut
  bool present() const { return !first.empty(); }
};
/// A token that ends replies and that `next` begins with belongs to the reply, as the model writes
/// it itself: it is taken from `next`, and becomes the first of the stops.
void leave_end_to_reply(ChatTemplate& chat);
/// Whether a turn has the user's text in small letters.
bool lowers_user(const ChatTemplate& chat);

/// Where the user's text goes in a written turn, as it is or in small letters.
inline constexpr std::string_view kUserMark = "{user}", kSmallUserMark = "{user|lower}";
/// Parses "<bos><|user|>\n{user}<|eot|>\n<|assistant|>\n": names of special tokens, {user} or
/// {user|lower}, text.
std::vector<TemplatePart> parse_template(const Tokenizer& tokenizer, std::string_view text);
/// The ids of one turn; all text between two special tokens is encoded together. `at_start`: no
/// token comes before (see prefix_only_at_start).
std::vector<int> apply_template(const Tokenizer& tokenizer, const std::vector<TemplatePart>& parts,
                                std::string_view user, bool at_start = true);

}  // namespace sb3lm
