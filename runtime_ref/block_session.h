// Drives a project of ours in the block evaluator through its public names (README.md, "Names
// inside the .sb3"), as a person or another project would.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "runtime_ref/block_eval.h"

namespace sb3lm {

struct BlockRequest {
  std::vector<int> tokens;   // for `generate`
  std::string user_message;  // for `chat`, if not empty; the tokens are left to the blocks then
  int max_new_tokens = 8;
  int record_logits = 0;
  double temperature = 0, top_k = 0, top_p = 1, repetition_penalty = 1, seed = 1;
};

struct BlockResult {
  std::string status, stop_reason;
  std::vector<int> tokens;
  std::vector<int> prompt_tokens;  // those that were run, as the project has them
  std::vector<double> logits;      // rows after each other
  std::string text;                // last item of `transcript`
  double seconds = 0;
  double seconds_per_token = 0;
};

/// The request's settings, by the names of the stage's variables.
std::vector<std::pair<const char*, double>> settings_of(const BlockRequest& request);

class BlockSession {
 public:
  /// Green flag, and steps until the model is ready. Throws mismatch if it never is.
  BlockSession(const scratch::Program& program, Progress& progress);

  BlockResult run(const BlockRequest& request, Progress& progress);

  /// What the blocks make of the first message of a new chat. The reply is stopped at once.
  std::vector<int> typed(const std::string& message, Progress& progress);

  BlockEvaluator& evaluator() { return evaluator_; }
  double seconds_loading() const { return seconds_loading_; }

 private:
  std::vector<int> ids(const char* list) const;
  std::string wait(const char* stage, Progress& progress);

  BlockEvaluator evaluator_;
  double seconds_loading_ = 0;
};

}  // namespace sb3lm
