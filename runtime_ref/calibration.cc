#include "runtime_ref/calibration.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

#include "base/parallel.h"
#include "runtime_ref/engine.h"
#include "runtime_ref/sampler.h"

namespace sb3lm {
namespace {

// Windows take turns in lanes, each with sums of its own, which are added at the end: whatever the
// number of threads, numbers are added in one order.
constexpr std::size_t kLanes = 2;
constexpr double kSeed = 20100;

class Observer final : public ActivationObserver {
 public:
  explicit Observer(const Model& model) {
    for (const auto& [key, tensor] : model.tensors) {
      if (calibration_key(key) == key && !is_router(key.role)) keys_[&tensor] = key;
    }
  }

  void multiplied(const Tensor& matrix, std::span<const double> input) override {
    const auto key = keys_.find(&matrix);
    if (key != keys_.end()) sums.try_emplace(key->second, input.size()).first->second.add(input);
  }
  void added(const Tensor&, double, std::span<const double>, std::span<const double>) override {}

  Calibration sums;

 private:
  std::map<const Tensor*, TensorKey> keys_;
};

/// Runs window number `window` on an engine that has been reset.
using Window = std::function<void(Engine& engine, std::size_t window)>;

Calibration run(const Model& model, std::size_t windows, int size, int threads,
                const Window& window, Progress& progress) {
  std::array<std::optional<Observer>, kLanes> lanes;
  for (auto& lane : lanes) lane.emplace(model);
  for_each_in_parallel(kLanes, threads, "calibrating", progress, [&](std::size_t lane) {
    Engine engine(model, size);
    engine.observe(&*lanes[lane]);
    for (std::size_t one = lane; one < windows; one += kLanes) {
      engine.reset();
      window(engine, one);
    }
  });
  Calibration all = std::move(lanes[0]->sums);
  for (std::size_t lane = 1; lane < kLanes; ++lane) {
    for (const auto& [key, sums] : lanes[lane]->sums) {
      all.try_emplace(key, sums.size()).first->second.add(sums);
    }
  }
  return all;
}

int window_size(const Model& model, const CalibrationOptions& options) {
  return std::min(options.window, model.spec.context);
}

}  // namespace

Calibration calibrate(const Model& model, const CalibrationOptions& options, Progress& progress) {
  const int size = window_size(model, options);
  const auto windows = static_cast<std::size_t>((options.tokens + size - 1) / size);
  const auto write = [&](Engine& engine, std::size_t window) {
    const int vocabulary = model.spec.vocabulary, bos = model.tokenizer.bos;
    Sampler sampler({.temperature = 1, .seed = kSeed + static_cast<double>(window)}, vocabulary);
    int token =
        bos >= 0 ? bos : static_cast<int>(window * static_cast<std::size_t>(vocabulary) / windows);
    for (int position = 0; position < size; ++position) token = sampler.sample(engine.step(token));
  };
  return run(model, windows, size, options.threads, write, progress);
}

Calibration calibrate(const Model& model, std::span<const int> text,
                      const CalibrationOptions& options, Progress& progress) {
  const auto size = static_cast<std::size_t>(window_size(model, options));
  text = text.first(std::min<std::size_t>(text.size(), static_cast<std::size_t>(options.tokens)));
  const auto read = [&](Engine& engine, std::size_t window) {
    for (std::size_t i = window * size; i < std::min(text.size(), (window + 1) * size); ++i) {
      engine.step(text[i]);
    }
  };
  return run(model, (text.size() + size - 1) / size, static_cast<int>(size), options.threads, read,
             progress);
}

}  // namespace sb3lm
