#include "runtime_ref/activations.h"

#include <algorithm>

#include "runtime_ref/engine.h"

namespace sb3lm {
namespace {

double energy(std::span<const double> vector) {
  double sum = 0;
  for (const double value : vector) sum += value * value;
  return sum;
}

class Collector : public ActivationObserver {
 public:
  explicit Collector(const Model& model) {
    for (const auto& [key, tensor] : model.tensors) keys_[&tensor] = key;
  }

  void multiplied(const Tensor& matrix, std::span<const double> input) override {
    std::vector<double>& power = stats.input_power[keys_.at(&matrix)];
    power.resize(input.size());
    for (std::size_t i = 0; i < input.size(); ++i) power[i] += input[i] * input[i];
  }

  void added(const Tensor& last, double factor, std::span<const double> update,
             std::span<const double> stream) override {
    const double whole = energy(stream);
    if (whole > 0) {
      stats.stream_share[keys_.at(&last)] += factor * factor * energy(update) / whole;
    }
  }

  ActivationStats stats;

 private:
  std::map<const Tensor*, TensorKey> keys_;
};

}  // namespace

ActivationStats collect_activations(const Model& model, std::span<const int> tokens,
                                    Progress& progress) {
  tokens = tokens.first(std::min<std::size_t>(tokens.size(), model.spec.context));
  Collector collector(model);
  Engine engine(model, static_cast<int>(std::max<std::size_t>(tokens.size(), 1)));
  engine.observe(&collector);
  for (const int token : tokens) {
    engine.step(token);
    progress.report("running the text", static_cast<double>(++collector.stats.tokens) /
                                            static_cast<double>(tokens.size()));
  }
  return std::move(collector.stats);
}

}  // namespace sb3lm
