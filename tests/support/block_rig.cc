#include "support/block_rig.h"

#include "base/progress.h"
#include "sb3/sb3.h"

namespace sb3lm::test {
namespace {

scratch::Program two_targets() {
  scratch::Program program;
  program.targets.push_back({.name = "Stage", .is_stage = true});
  program.targets.push_back({.name = "engine", .layer = 1});
  return program;
}

}  // namespace

BlockRig::BlockRig(WorkspaceSizes sizes)
    : program_(two_targets()), engine(program_, 1), w(make_workspace(engine, std::move(sizes))) {}

void BlockRig::run(const std::string& message) {
  evaluator().broadcast(message);
  while (evaluator().step()) {
  }
}

void BlockRig::fill(const std::string& list, const std::vector<double>& items) {
  evaluator().set_list(list, {items.begin(), items.end()});
}

std::vector<double> BlockRig::numbers(const std::string& list) {
  return evaluator().list_numbers(list);
}

BlockEvaluator& BlockRig::evaluator() {
  if (!evaluator_) {
    SilentProgress silent;
    const std::string bytes = write_sb3(program_, 1, silent);
    evaluator_ = std::make_unique<BlockEvaluator>(read_sb3("rig.sb3", as_bytes(bytes)));
  }
  return *evaluator_;
}

}  // namespace sb3lm::test
