// SentencePiece's precompiled table of what texts are normalised to.
#pragma once

#include <string>

#include "base/file.h"
#include "model/text_rules.h"

namespace sb3lm {

/// Fills `letters`, `pairs` and `hangul`. The table is a u32 with the size of a double-array trie,
/// the trie, whose values are places in the rest, and there texts that end with a zero byte; the
/// longest entry that a text begins with counts. `name` is the normaliser's. Throws bad_input where
/// it is broken, unsupported where it is no table of letters and of pairs that join.
void read_charsmap(const std::string& file, const std::string& name, Bytes table, TextRules& rules);

}  // namespace sb3lm
