// The tokenizer in blocks against the native one: a project that encodes texts and prints tokens
// when its flag is clicked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/tokenizer.h"
#include "model/typed_letters.h"

namespace sb3lm::test {

struct TextCase {
  std::string name;
  Tokenizer tokenizer;
  std::vector<std::string> texts;
  std::vector<std::vector<int>> samples;
  LetterLevel level = LetterLevel::usual;
  bool lowers = false;  // all but two of Scratch's letters at each end of a text are read as small
};

/// Token sequences, each ended by a token that shows what waits for its last byte.
std::vector<std::vector<int>> token_samples(const Tokenizer& tokenizer, std::uint32_t seed);

/// Checks the ids of all texts and what all samples print, and that the project can be saved.
void check_in_evaluator(const TextCase& test);

/// The same in a virtual machine, all cases in one go; a skip if the machine is missing. `source`
/// is the folder of the sources.
void check_in_vm(const std::string& source, const std::vector<TextCase>& cases,
                 const std::string& vm);

}  // namespace sb3lm::test
