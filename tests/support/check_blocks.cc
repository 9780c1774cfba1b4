#include "support/check_blocks.h"

#include <doctest/doctest.h>

#include "runtime_ref/verify.h"
#include "support/built_models.h"

namespace sb3lm::test {

std::vector<int> check_blocks(const Model& model, const scratch::Program& program) {
  SilentProgress silent;
  BlockSession session(program, silent);
  const BlockRequest request = comparison_request(model);
  const BlockResult result = session.run(request, silent);
  CHECK(result.status == "ready");
  Engine engine(model);
  const Agreement agreement =
      check_against_engine(engine, request.tokens, result.tokens, result.logits);
  INFO(agreement.first_difference);
  CHECK(agreement.ok);
  CHECK(agreement.max_rel_error < kUsualError);
  std::vector<int> tokens = request.tokens;
  tokens.insert(tokens.end(), result.tokens.begin(), result.tokens.end());
  tokens.resize(agreement.positions);
  return tokens;
}

}  // namespace sb3lm::test
