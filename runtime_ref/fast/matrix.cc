#include "runtime_ref/fast/binder.h"
#include "runtime_ref/fast/ops.h"
#include "runtime_ref/fast/products.h"

namespace sb3lm::fast {
namespace {

/// Matrices that read the same vector: their rows go to the workers together.
class Matrices final : public BoundStep {
 public:
  Matrices(const Place& place, Binder& binder)
      : shared_(binder.shared), in_(place.step->in[0]), prepares_(place.prepares) {
    add(place, binder);
    for (const Place& other : place.along) add(other, binder);
  }

  void run(const Batch& batch, Tokens tokens) override {
    Vectors& vectors = shared_.vectors;
    if (prepares_) {
      for (const std::size_t t : tokens) vectors.inputs(in_).prepare(shared_.kernels, t, columns());
    }
    products_.clear();
    for (const Row& row : rows_) {
      const Tokens those = batch.those(row.for_all);
      if (those.empty()) continue;
      products_.push_back({&row.w, &vectors.inputs(in_), those, vectors.row(row.out, those.front()),
                           vectors.stride(row.out)});
    }
    multiply(shared_.kernels, shared_.workers, products_);
    for (const Row& row : rows_) {
      if (row.bias != nullptr) add_bias(row, batch.those(row.for_all));
    }
  }

 private:
  struct Row {
    const PackedMatrix& w;
    const std::vector<float>* bias;  // null without
    SlotId out;
    bool for_all;
  };

  void add(const Place& place, Binder& binder) {
    const std::vector<TensorKey>& keys = place.step->tensors;
    rows_.push_back({.w = binder.reader(keys[0], in_),
                     .bias = keys.size() > 1 ? &binder.vector(keys[1]) : nullptr,
                     .out = place.step->out,
                     .for_all = place.for_all});
  }

  std::size_t columns() const { return size_of(rows_.front().w.shape.cols); }

  void add_bias(const Row& row, Tokens tokens) {
    for (const std::size_t t : tokens) {
      float* y = shared_.vectors.row(row.out, t);
      for (std::size_t i = 0; i < row.bias->size(); ++i) y[i] += (*row.bias)[i];
    }
  }

  Shared& shared_;
  SlotId in_;
  bool prepares_;
  std::vector<Row> rows_;
  std::vector<Product> products_;
};

}  // namespace

std::unique_ptr<BoundStep> bind_matrix(const Place& place, Binder& binder) {
  return std::make_unique<Matrices>(place, binder);
}

}  // namespace sb3lm::fast
