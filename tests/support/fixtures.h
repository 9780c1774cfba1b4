// Checkpoints of tests/fixtures with the logits that another program has computed for them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/model.h"

namespace sb3lm::test {

struct Fixture {
  std::map<std::string, std::string> conventions;
  std::vector<int> tokens;
  std::vector<std::vector<double>> logits;  // of the last positions, a row each
  std::string about() const;                // the conventions, for messages
};

/// The cases of NAME.json.
std::vector<Fixture> fixture_cases(const std::string& name);

/// The checkpoint NAME, whose ending may be any, with NAME.config.json if it is there.
Model fixture_model(const std::string& name, const Fixture& fixture);

/// The engine: the largest |difference| over the largest |logit|, where the fixture has logits.
double fixture_error(const Model& model, const Fixture& fixture);

/// The blocks, read back from the bytes of the packed model, against the engine, as check_blocks
/// has it; and the largest |difference| from the fixture's logits.
double fixture_block_error(const Model& model, const Fixture& fixture);

}  // namespace sb3lm::test
