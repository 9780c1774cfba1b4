#include "lower/passes/tables.h"

namespace sb3lm {
namespace {

// Experts' ways down, whose outlets they are themselves, multiply another vector than the step's.
bool reads_input(const TensorKey& key, const Step& step) {
  return step.op != StepOp::experts || about(key.role).outlet != key.role;
}

const TensorPlace* coded_reader(const Layout& layout, const Step& step) {
  for (const TensorKey& key : step.tensors) {
    const TensorPlace& place = layout.at(key);
    if (reads_input(key, step) && place.storage == Storage::codes) return &place;
  }
  return nullptr;
}

}  // namespace

std::vector<const TensorPlace*> tables_before(const Layout& layout, const Part& part) {
  const std::vector<int> first = first_readers(part);
  std::vector<const TensorPlace*> before(part.steps.size(), nullptr);
  for (std::size_t i = 0; i < part.steps.size(); ++i) {
    if (first[i] < 0) continue;
    const TensorPlace*& reader = before[static_cast<std::size_t>(first[i])];
    if (reader == nullptr) reader = coded_reader(layout, part.steps[i]);
  }
  return before;
}

}  // namespace sb3lm
