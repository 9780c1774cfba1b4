// A stage and an engine sprite with a workspace, to run single kernels in the block evaluator:
// declare lists, emit kernels, give scripts under messages; then fill lists and run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/workspace.h"
#include "runtime_ref/block_eval.h"
#include "scratch/script.h"

namespace sb3lm::test {

class BlockRig {
 public:
  explicit BlockRig(WorkspaceSizes sizes = {});
  BlockRig(const BlockRig&) = delete;
  BlockRig& operator=(const BlockRig&) = delete;

  template <class Body>
  void on(const std::string& message, Body body) {
    engine.when_received(message, body);
  }
  /// Runs the scripts of `message` to their end. The first call writes the program to an .sb3 and
  /// reads it back; nothing may be added afterwards.
  void run(const std::string& message);

  void fill(const std::string& list, const std::vector<double>& items);
  std::vector<double> numbers(const std::string& list);
  BlockEvaluator& evaluator();

 private:
  scratch::Program program_;
  std::unique_ptr<BlockEvaluator> evaluator_;

 public:
  blocks::Sprite engine;
  Workspace w;
};

}  // namespace sb3lm::test
