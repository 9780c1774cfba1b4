// The tokens of a batch are sorted by expert, so that each expert's weights are read once.
#include "runtime_ref/fast/bend.h"
#include "runtime_ref/fast/binder.h"
#include "runtime_ref/fast/ops.h"
#include "runtime_ref/fast/products.h"

namespace sb3lm::fast {
namespace {

class Experts final : public BoundStep {
 public:
  Experts(const Place& place, Binder& binder)
      : step_(*place.step),
        with_(std::get<ExpertsWith>(step_.with)),
        shared_(binder.shared),
        prepares_(place.prepares) {
    for (std::size_t i = 0; i < step_.tensors.size(); i += with_.gated ? 3 : 2) {
      const auto matrix = [&](std::size_t which, SlotId from) {
        return &binder.reader(step_.tensors[i + which], from);
      };
      experts_.push_back({.entry = matrix(0, in()),
                          .up = with_.gated ? matrix(1, in()) : nullptr,
                          .down = matrix(with_.gated ? 2 : 1, hidden())});
    }
    shared_.vectors.widen(added(), with_.most + (with_.shared ? 1 : 0));
  }

  void run(const Batch&, Tokens tokens) override {
    if (prepares_) {
      for (const std::size_t t : tokens) {
        shared_.vectors.inputs(in()).prepare(shared_.kernels, t, columns());
      }
    }
    share_out(tokens);
    enter();
    leave();
    add_weighted();
  }

 private:
  /// Which tokens an expert serves. Vector `first` + i of hidden, up and added belongs to the i-th
  /// of them.
  struct Expert {
    const PackedMatrix *entry, *up, *down;  // entry: the gate; without one the only way up
    std::vector<std::size_t> tokens = {};
    std::vector<float> weights = {};
    std::size_t first = 0;
    std::size_t hidden() const { return size_of(entry->shape.rows); }
  };

  SlotId in() const { return step_.in[0]; }
  SlotId hidden() const { return step_.between[0]; }
  SlotId up() const { return step_.between[1]; }
  SlotId added() const { return step_.between.back(); }
  std::size_t columns() const { return size_of(experts_.front().entry->shape.cols); }

  void share_out(Tokens tokens) {
    for (Expert& expert : experts_) {
      expert.tokens.clear();
      expert.weights.clear();
    }
    for (const std::size_t t : tokens) {
      const float* weights = shared_.vectors.row(step_.in[1], t);
      for (std::size_t e = 0; e < size_of(with_.routed); ++e) {
        if (weights[e] != 0) give(experts_[e], t, weights[e]);
      }
      if (!with_.shared) continue;
      const bool gated = step_.in.size() > 2;
      give(experts_.back(), t, gated ? *shared_.vectors.row(step_.in[2], t) : 1);
    }
    std::size_t first = 0;
    for (Expert& expert : experts_) {
      expert.first = first;
      first += expert.tokens.size();
    }
  }

  static void give(Expert& expert, std::size_t token, float weight) {
    expert.tokens.push_back(token);
    expert.weights.push_back(weight);
  }

  void enter() {
    Vectors& vectors = shared_.vectors;
    products_.clear();
    for (const Expert& e : experts_) {
      if (e.tokens.empty()) continue;
      const Inputs* x = &vectors.inputs(in());
      products_.push_back(
          {e.entry, x, e.tokens, vectors.row(hidden(), e.first), vectors.stride(hidden())});
      if (e.up == nullptr) continue;
      products_.push_back({e.up, x, e.tokens, vectors.row(up(), e.first), vectors.stride(up())});
    }
    multiply(shared_.kernels, shared_.workers, products_);
  }

  void leave() {
    Vectors& vectors = shared_.vectors;
    products_.clear();
    for (const Expert& e : experts_) {
      if (e.tokens.empty()) continue;
      const Tokens places = vectors.numbers(e.first, e.tokens.size());
      for (const std::size_t v : places) {
        float* bent = vectors.row(hidden(), v);
        bend(shared_.kernels, with_.activation,
             {bent, e.up != nullptr ? vectors.row(up(), v) : nullptr, e.hidden(), bent});
        vectors.inputs(hidden()).prepare(shared_.kernels, v, e.hidden());
      }
      products_.push_back({e.down, &vectors.inputs(hidden()), places, vectors.row(added(), e.first),
                           vectors.stride(added())});
    }
    multiply(shared_.kernels, shared_.workers, products_);
  }

  /// By number of the expert: a token's sum does not depend on which others run with it.
  void add_weighted() {
    Vectors& vectors = shared_.vectors;
    for (const Expert& e : experts_) {
      for (std::size_t i = 0; i < e.tokens.size(); ++i) {
        shared_.kernels.add_scaled(e.weights[i], vectors.row(added(), e.first + i),
                                   size_of(step_.size), vectors.row(step_.out, e.tokens[i]));
      }
    }
  }

  const Step& step_;
  const ExpertsWith& with_;
  Shared& shared_;
  bool prepares_;
  std::vector<Expert> experts_;  // the shared one last
  std::vector<Product> products_;
};

}  // namespace

std::unique_ptr<BoundStep> bind_experts(const Place& place, Binder& binder) {
  return std::make_unique<Experts>(place, binder);
}

}  // namespace sb3lm::fast
