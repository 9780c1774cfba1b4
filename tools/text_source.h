// The text that eval and probe judge a model by, as token ids.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "model/model.h"
#include "model/sense.h"
#include "options.h"

namespace sb3lm {

/// Read once, encoded by whichever model asks.
struct SourceText {
  std::string name;       // for messages: the file, "standard input", "samples/english.txt"
  std::string text = {};  // valid UTF-8, not empty unless there are `ids`
  std::vector<int> ids = {};
  bool is_shard = false;  // the file holds ids (packer/import/token_shard.h)
};

/// `files`, and the one that the text is read from, if any.
std::vector<std::filesystem::path> with_text_file(std::vector<std::filesystem::path> files,
                                                  const TextOptions& options);

/// Throws bad_input: no such file, a broken shard of ids; or empty, not UTF-8, longer than 16 MiB.
SourceText read_source_text(const TextOptions& options);

/// The ids, with the start token where the tokenizer puts one in front of a plain text. Throws
/// usage if there is a text but no tokenizer, bad_input if there are fewer than 2 tokens.
std::vector<int> source_tokens(const Model& model, const SourceText& text);

/// Of the built-in text, as runtime_ref/sense.h measures it. A model's weights are used up.
std::optional<double> nats_of_sample(Model model, Progress& progress);
std::optional<Sense> sense_of_sample(Model model, std::optional<double> before, Progress& progress);

/// Bytes of text that the `predicted` tokens after the first stand for; nothing for ids without a
/// tokenizer.
std::optional<std::size_t> predicted_bytes(const Model& model, const SourceText& text,
                                           const std::vector<int>& tokens, std::size_t predicted);

/// Ids from all over the vocabulary, for models without a tokenizer.
std::vector<int> spread_ids(const Model& model, int count);

/// The first tokens of the built-in text, or, for a model without a tokenizer, ids from all over
/// the vocabulary, in both models.
ModelChange change_on_sample(const Model& before, const Model& after, int tokens);

}  // namespace sb3lm
