#include "runtime_ref/fast/vectors.h"

#include <algorithm>
#include <numeric>

namespace sb3lm::fast {

Vectors::Vectors(const ForwardSteps& forward) {
  for (const Slot& slot : forward.slots) {
    Store& store = stores_.emplace_back();
    store.size = size_of(slot.size);
    store.copies = size_of(slot.copies);
  }
  find_those_before_the_end(forward);
}

void Vectors::find_those_before_the_end(const ForwardSteps& forward) {
  for (const Part& part : forward.parts) {
    if (part.kind == PartKind::end) continue;
    for (const Step& step : part.steps) {
      const auto used = [&](SlotId slot) { stores_[size_of(slot)].at_the_end = false; };
      std::for_each(step.in.begin(), step.in.end(), used);
      std::for_each(step.between.begin(), step.between.end(), used);
      if (step.out != kNoSlot) used(step.out);
    }
  }
}

void Vectors::serve(SlotId slot, const PackedMatrix& reader) {
  stores_[size_of(slot)].readers.push_back(&reader);
}

void Vectors::widen(SlotId slot, int copies) {
  Store& store = stores_[size_of(slot)];
  store.copies = std::max(store.copies, size_of(copies));
}

void Vectors::make_room(std::size_t tokens) {
  if (tokens <= room_) return;
  room_ = tokens;
  std::size_t most = 0;
  for (Store& store : stores_) {
    make_room(store, tokens);
    most = std::max(most, tokens * store.copies);
  }
  numbers_.resize(most);
  std::iota(numbers_.begin(), numbers_.end(), std::size_t{0});
}

void Vectors::keep_one() {
  if (room_ <= 1) return;
  for (Store& store : stores_) {
    store.values = {};
    store.inputs.reset();
  }
  room_ = 0;
  make_room(1);
}

void Vectors::make_room(Store& store, std::size_t tokens) {
  const std::size_t count = tokens * store.copies;
  if (!store.readers.empty()) {
    store.inputs.emplace(store.size, count);
    for (const PackedMatrix* reader : store.readers) store.inputs->serve(*reader);
    store.first = store.inputs->row(0);
    store.stride = store.inputs->stride();
    return;
  }
  store.stride = store.at_the_end ? 0 : store.size;
  store.values.resize(store.at_the_end ? store.size : count * store.size);
  store.first = store.values.data();
}

}  // namespace sb3lm::fast
