// The slots of the steps for many tokens: vector t of a slot is token t's. There is room for the
// tokens that run together only.
#pragma once

#include <optional>
#include <vector>

#include "runtime_ref/fast/op.h"
#include "runtime_ref/fast_inputs.h"

namespace sb3lm::fast {

class Vectors {
 public:
  explicit Vectors(const ForwardSteps& forward);

  /// While steps are bound: `reader` multiplies vectors of the slot; a token has `copies` of them
  /// at least.
  void serve(SlotId slot, const PackedMatrix& reader);
  void widen(SlotId slot, int copies);

  /// For at least so many tokens that run together; what is in the vectors may be lost.
  void make_room(std::size_t tokens);
  /// Gives the room for more than one token back, and what is in the vectors.
  void keep_one();

  float* row(SlotId slot, std::size_t v) {
    const Store& store = at(slot);
    return store.first + v * store.stride;
  }
  /// From one vector of the slot to the next.
  std::size_t stride(SlotId slot) const { return at(slot).stride; }
  /// Of a slot that matrices read.
  Inputs& inputs(SlotId slot) { return *stores_[size_of(slot)].inputs; }

  /// first, first + 1, ...: any vectors of a slot.
  Tokens numbers(std::size_t first, std::size_t count) const {
    return Tokens(numbers_).subspan(first, count);
  }

 private:
  struct Store {
    std::size_t size = 0, copies = 1;
    bool at_the_end = true;  // only: tokens come there one by one and share one vector
    std::vector<const PackedMatrix*> readers;
    std::vector<float> values;     // or,
    std::optional<Inputs> inputs;  // with readers
    float* first = nullptr;
    std::size_t stride = 0;
  };
  const Store& at(SlotId slot) const { return stores_[size_of(slot)]; }
  void find_those_before_the_end(const ForwardSteps& forward);
  static void make_room(Store& store, std::size_t tokens);

  std::vector<Store> stores_;
  std::size_t room_ = 0;
  std::vector<std::size_t> numbers_;
};

}  // namespace sb3lm::fast
