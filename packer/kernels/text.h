// Text to token ids and back, in blocks. Tested against model/tokenizer.h's encode and decode.
#pragma once

#include <optional>
#include <string>

#include "kernels/letter_reader.h"
#include "model/tokenizer.h"
#include "model/typed_letters.h"
#include "scratch/script.h"

namespace sb3lm {

/// What of a tokenizer the blocks below cannot do, in words; empty: nothing.
std::string lacks_in_blocks(const Tokenizer& tokenizer);

/// The merges and token texts that the blocks below look up. In a project they lie as the pairs
/// that each token was merged from (MergePairs); fill makes the lists of them, once, and empty
/// undoes it.
struct TokenTableBlocks {
  blocks::Proc<> fill;
  blocks::Proc<> empty;
};
/// Declares the lists. None where they cannot be made of pairs: then they are there from the start.
std::optional<TokenTableBlocks> emit_token_tables(blocks::Sprite& engine,
                                                  const Tokenizer& tokenizer);

/// encode(text): appends the ids of plain text to the list `ids` (no bos; the prefix space rules of
/// the tokenizer apply, the text being at the start if `ids` is empty). As apply_template does, a
/// template encodes everything between two special tokens as one text: join the parts first.
struct TokenizeBlocks {
  blocks::Proc<blocks::Str> encode;
  std::optional<LetterSpan> lowered;  // read as small letters: small_letters of model/unicode.h
};
/// Adds the procedures, the letters' tables (lists starting with "_") and, on the engine's own
/// target, one costume per capital. Letters that are not among `letters` become U+FFFD's tokens.
/// `lowers`: there is a span of letters that are read as small ones.
TokenizeBlocks emit_tokenize(blocks::Sprite& engine, const Tokenizer& tokenizer,
                             const TypedLetters& letters, const blocks::List<blocks::Num>& ids,
                             bool lowers = false);

/// begin: forgets the state before a new reply. print(id): appends what the token prints to the
/// variable `text`; bytes of unfinished UTF-8 sequences wait for the next token.
struct DetokenizeBlocks {
  blocks::Proc<> begin;
  blocks::Proc<blocks::Num> print;
};
/// Letters that are made of bytes are printed by emit_tokenize's tables, so that goes first; those
/// that are not among `letters` are U+FFFD.
DetokenizeBlocks emit_detokenize(blocks::Sprite& engine, const Tokenizer& tokenizer,
                                 const TypedLetters& letters, const blocks::Var<blocks::Str>& text);

}  // namespace sb3lm
