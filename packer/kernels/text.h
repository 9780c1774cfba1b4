// Text to token ids and back, in blocks. Tested against model/tokenizer.h's encode and decode.
#pragma once

#include "model/tokenizer.h"
#include "scratch/script.h"

namespace sb3lm {

/// encode(text): appends the ids of plain text to the list `ids` (no bos; the prefix space rule of
/// the tokenizer applies, as each text of a template is encoded on its own).
struct TokenizeBlocks {
  blocks::Proc<blocks::Str> encode;
};
/// Adds the procedures, the tables (lists starting with "_") and, on the engine's own target, one
/// costume per letter: Scratch compares text ignoring case, but finds costumes by exact name.
/// Letters outside the costumes become U+FFFD's tokens.
TokenizeBlocks emit_tokenize(blocks::Sprite& engine, const Tokenizer& tokenizer,
                             const blocks::List<blocks::Num>& ids);

/// begin: forgets the state before a new reply. print(id): appends what the token prints to the
/// variable `text`; bytes of unfinished UTF-8 sequences wait for the next token.
struct DetokenizeBlocks {
  blocks::Proc<> begin;
  blocks::Proc<blocks::Num> print;
};
DetokenizeBlocks emit_detokenize(blocks::Sprite& engine, const Tokenizer& tokenizer,
                                 const blocks::Var<blocks::Str>& text);

}  // namespace sb3lm
