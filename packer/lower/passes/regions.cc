#include "lower/passes/regions.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "kernels/kernels.h"
#include "quant/encoding.h"

namespace sb3lm {
namespace {

std::size_t index(SlotId slot) {
  return static_cast<std::size_t>(slot);
}

class Placer {
 public:
  Placer(const ForwardSteps& forward, int scores)
      : forward_(forward),
        scores_(static_cast<SlotId>(forward.slots.size())),
        sizes_(forward.slots.size() + 1),
        meets_(forward.slots.size() + 1) {
    made_.changes.resize(forward.slots.size());
    measure(scores);
    meet();
  }

  Regions place() {
    made_.at.assign(sizes_.size(), 0);
    // Short vectors first, so that most positions are numbers of few digits.
    std::vector<std::size_t> order(sizes_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return sizes_[a] < sizes_[b]; });
    for (const std::size_t slot : order) {
      made_.at[slot] = first_room(slot);
      made_.size = std::max(made_.size, made_.at[slot] + sizes_[slot] - 1);
    }
    made_.scores = made_.at.back();
    made_.at.pop_back();
    return std::move(made_);
  }

 private:
  void measure(int scores) {
    std::vector<bool> is_read(forward_.slots.size()), is_row(forward_.slots.size());
    std::vector<std::set<int>> held(forward_.slots.size());
    for_each_step([&](const Step& step) {
      if (reads_by_matrix(step.op)) is_read[index(step.in[0])] = true;
      // Rows of codes are looked up in whole groups.
      if (step.op == StepOp::lookup) is_read[index(step.out)] = true;
      if (is_lookup(step.op)) is_row[index(step.out)] = true;
      if (step.out != kNoSlot) held[index(step.out)].insert(step.size);
      for (const SlotId slot : step.between) {
        is_read[index(slot)] = true;
        made_.changes[index(slot)] = true;
      }
    });
    for (std::size_t i = 0; i < forward_.slots.size(); ++i) {
      const Slot& slot = forward_.slots[i];
      made_.stride.push_back(is_read[i] ? padded_size(slot.size) : slot.size);
      sizes_[i] = slot.copies * made_.stride[i];
      if (is_row[i]) sizes_[i] = std::max(sizes_[i], 8 * group_count(slot.size));
      if (held[i].size() > 1) made_.changes[i] = true;
      // Nobody else may write where zeros must stay.
      if (made_.stride[i] > slot.size && !made_.changes[i]) alone_.push_back(i);
    }
    sizes_.back() = scores;
  }

  static bool is_lookup(StepOp op) {
    return op == StepOp::lookup || op == StepOp::lookup_pair || op == StepOp::lookup_position;
  }

  template <class Visit>
  void for_each_step(Visit visit) const {
    for (const Part& part : forward_.parts) {
      for (const Step& step : part.steps) visit(step);
    }
  }

  /// From the last step to the first: which slots hold something at the same time.
  void meet() {
    std::set<SlotId> live = {forward_.logits};
    for (auto part = forward_.parts.rbegin(); part != forward_.parts.rend(); ++part) {
      for (auto step = part->steps.rbegin(); step != part->steps.rend(); ++step) {
        std::set<SlotId> together = live;
        together.insert(step->in.begin(), step->in.end());
        together.insert(step->between.begin(), step->between.end());
        if (step->out != kNoSlot) together.insert(step->out);
        if (step->op == StepOp::attend) together.insert(scores_);
        for (const SlotId a : together) meets_[index(a)].insert(together.begin(), together.end());
        live.erase(step->out);
        for (const SlotId slot : read_slots(*step)) live.insert(slot);
      }
    }
  }

  bool may_share(std::size_t a, std::size_t b) const {
    const auto is_alone = [&](std::size_t slot) {
      return std::find(alone_.begin(), alone_.end(), slot) != alone_.end();
    };
    return !is_alone(a) && !is_alone(b) && !meets_[a].contains(static_cast<SlotId>(b));
  }

  /// The lowest position where no slot lies, of those that have a place, that must not be there.
  int first_room(std::size_t slot) const {
    int at = 1;
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t other = 0; other < sizes_.size(); ++other) {
        if (made_.at[other] == 0) continue;
        const int begin = made_.at[other], end = begin + sizes_[other];
        if (may_share(slot, other) || at >= end || at + sizes_[slot] <= begin) continue;
        at = end;
        moved = true;
      }
    }
    return at;
  }

  const ForwardSteps& forward_;
  SlotId scores_;           // after the slots of the steps
  std::vector<int> sizes_;  // in items
  std::vector<std::set<SlotId>> meets_;
  std::vector<std::size_t> alone_;
  Regions made_;
};

}  // namespace

Regions place_slots(const ForwardSteps& forward, int scores) {
  return Placer(forward, scores).place();
}

int padded_size(int size) {
  return std::max({8 * group_count(size), DotShape::of(size).stride(),
                   DotShape::of(size, DotShape::kRareChunk).stride()});
}

}  // namespace sb3lm
