// The same small models in the machines that not everyone installs: SpiderMonkey's and
// JavaScriptCore's numbers, and those of the current scratch-vm, must be the block evaluator's too.
#include <doctest/doctest.h>

#include "support/vm_models.h"

using namespace sb3lm::test;

TEST_CASE("scratch-vm 15 gives the block evaluator's bits") {
  check_tiny_models(SB3LM_SOURCE_DIR, "scratch15", "--scratch15");
}

TEST_CASE("TurboWarp in Firefox gives the block evaluator's bits") {
  check_tiny_models(SB3LM_SOURCE_DIR, "firefox", "--firefox");
}

TEST_CASE("TurboWarp in WebKit gives the block evaluator's bits") {
  check_tiny_models(SB3LM_SOURCE_DIR, "webkit", "--webkit");
}
