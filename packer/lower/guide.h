// What people find who look inside: a tidy workspace, comments on the main blocks, and notes on the
// model. Texts stand in guide.def.
#pragma once

#include <string>
#include <string_view>

#include "model/model.h"
#include "scratch/ir.h"

namespace sb3lm {

struct Notes {
  std::string title;
  std::string parameters;  // "27.5 million parameters"
  std::string version;     // of this program
  int context = 0;
};

/// Gives each script and procedure of `engine` its column and, where guide.def has one, its
/// comment; of several that match a row (one per layer) the first gets it. Adds the notes.
void add_guide(scratch::Target& engine, const Model& model, const Notes& notes);

/// The name in guide.def's row for a procedure or script, empty if it has none.
std::string_view guide_row(const scratch::Procedure& procedure);
std::string_view guide_row(const scratch::Script& script);

}  // namespace sb3lm
