// What the importers of this folder offer to import.cc.
#pragma once

#include "import/container.h"
#include "import/import.h"
#include "model/model.h"

namespace sb3lm {

/// llama2.c's versions 0, which has no magic number, 1 and 2.
Container read_llama2c(const CheckpointFiles& files);
bool looks_like_llama2c(Bytes bytes);
bool looks_like_later_llama2c(Bytes bytes);

/// GGUF, versions 2 and 3 (gguf/).
Container read_gguf(const CheckpointFiles& files);

/// PyTorch's zip of a pickle and storages, or such a zip compressed (torch/).
Container read_torch(const CheckpointFiles& files);
/// How relatives begin that are not read: those of before PyTorch 1.6, one pickle after the other,
/// and those whose bytes were moved for brotli.
inline constexpr std::string_view kOldTorch = "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9";
inline constexpr std::string_view kShuffled = "BSHF";

/// A Hugging Face tokenizer.json: BPE with byte fallback, or byte-level BPE. Throws unsupported
/// with the name of the piece that we do not handle.
Tokenizer read_tokenizer_json(const NamedBytes& file);

/// vocab.json and merges.txt of GPT-2's or Qwen2's kind; `config`: tokenizer_config.json, if there
/// is one. Throws unsupported for another kind.
Tokenizer read_vocab_merges(const NamedBytes& vocabulary, const NamedBytes& merges,
                            const NamedBytes* config);

/// llama2.c's tokenizer.bin; the file does not say how many tokens it holds.
Tokenizer read_tokenizer_bin(const NamedBytes& file, int vocabulary);

/// SentencePiece's .model: BPE, or a vocabulary of letters. Throws unsupported with the name of
/// what we do not handle.
Tokenizer read_sentencepiece(const NamedBytes& file);
/// By its bytes, or else by its name.
bool looks_like_sentencepiece(const NamedBytes& file);

/// The text form of a chat template: lines "first: TEMPLATE", "next: TEMPLATE", "stop: NAME NAME";
/// in templates \n is a line feed, {user} the user's text, and names of special tokens are tokens.
/// Empty lines and lines that start with # are skipped.
ChatTemplate read_chat_template(const std::string& file, std::string_view text,
                                const Tokenizer& tokenizer);

}  // namespace sb3lm
