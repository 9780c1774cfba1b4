// What the stage's conversation shows, read back from the glyphs that are drawn.
#pragma once

#include <string>
#include <vector>

#include "runtime_ref/block_eval.h"

namespace sb3lm::test {

/// The lines from the oldest on, without the spaces at their ends.
std::vector<std::string> shown_lines(const BlockEvaluator& evaluator);

/// Whether the project's font has this letter, capitals told apart.
bool shows_letter(BlockEvaluator& evaluator, char32_t letter);

}  // namespace sb3lm::test
