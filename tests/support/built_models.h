// Every small synthetic model as a finished .sb3, with what it is judged by.
#pragma once

#include <string>
#include <vector>

#include "kernels/workspace.h"
#include "model/model.h"
#include "runtime_ref/block_session.h"
#include "scratch/ir.h"

namespace sb3lm::test {

struct BuiltModel {
  std::string name;
  Model model;
  std::string sb3;  // bytes
};

/// `bits` as --bits, for models with float weights.
BuiltModel build_tiny(const std::string& preset, const std::string& bits, int context,
                      Tune tune = Tune::both);
/// One layer, and nothing on the stage: for tests about scripts, many requests of which run soon.
BuiltModel build_smallest(int context, Tune tune = Tune::both);
/// The same as for Scratch's website.
BuiltModel build_tiny_site(const std::string& preset, const std::string& bits, int context);
/// One of each preset, the dense ones with 4, 8 and float bits, and some for
/// the website.
std::vector<BuiltModel> build_all_tiny();
/// One whose codes fill several lists, which vanilla Scratch cannot load.
BuiltModel build_in_lists();

/// The sprite with the model, wherever it stands.
const scratch::Target& engine_of(const scratch::Program& program);

/// Twelve prompt tokens from all over the vocabulary, 8 generated ones, every position recorded.
BlockRequest comparison_request(const Model& model);

}  // namespace sb3lm::test
