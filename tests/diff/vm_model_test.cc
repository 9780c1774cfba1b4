// The same small models in real virtual machines: scratch-vm and TurboWarp must give the very bits
// of the block evaluator, and Scratch's own parser must take every file.
#include <doctest/doctest.h>

#include "support/skip.h"
#include "support/vm_models.h"

using namespace sb3lm::test;

TEST_CASE("scratch-vm gives the block evaluator's bits") {
  check_tiny_models(SB3LM_SOURCE_DIR, "scratch", "");
}

TEST_CASE("TurboWarp gives the block evaluator's bits") {
  check_tiny_models(SB3LM_SOURCE_DIR, "turbowarp", "");
}

TEST_CASE("Scratch's own parser takes every project") {
  const auto complaints = parser_complaints(SB3LM_SOURCE_DIR, tiny_model_jobs());
  if (!complaints) return skip_without("scratch-parser");
  CHECK(*complaints == "");
}
