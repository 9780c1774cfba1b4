// Pieces that are tokens although their symbols merge to something else (Tokenizer::joined).
#pragma once

#include <vector>

#include "model/tokenizer.h"
#include "scratch/ir.h"
#include "scratch/script.h"

namespace sb3lm {

/// The ids that merging makes, by the first of them: `places` says where in `parts` those lie that
/// begin with the id in `starts`. There lie, for each, the number of ids, the others of them and
/// the token; a 0 ends them.
struct JoinedTables {
  std::vector<scratch::Scalar> starts, places, parts;
};
JoinedTables joined_tables(const Tokenizer& tokenizer);

/// _merge to token (before): what lies in `ids` after so many becomes one token if it should.
/// Declares the lists.
blocks::Proc<blocks::Num> emit_piece_joiner(blocks::Sprite& engine, const Tokenizer& tokenizer,
                                            const blocks::List<blocks::Num>& ids);

}  // namespace sb3lm
