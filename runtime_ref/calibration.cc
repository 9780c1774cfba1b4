#include "runtime_ref/calibration.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/parallel.h"
#include "runtime_ref/engine.h"
#include "runtime_ref/sampler.h"

namespace sb3lm {
namespace {

class Observer final : public ActivationObserver {
 public:
  Observer(const Model& model, const CalibrationOptions& options) {
    for (const auto& [key, tensor] : model.tensors) {
      if (calibration_key(key) != key || is_router(key.role)) continue;
      if (!options.wanted || options.wanted(key)) keys_[&tensor] = key;
    }
  }

  void multiplied(const Tensor& matrix, std::span<const double> input) override {
    const auto key = keys_.find(&matrix);
    if (key != keys_.end()) sums.try_emplace(key->second, input.size()).first->second.add(input);
  }
  Calibration sums;

 private:
  std::map<const Tensor*, TensorKey> keys_;
};

void write(const Model& model, double seed, Engine& engine, std::vector<int>& window) {
  Sampler sampler({.temperature = 1, .seed = seed}, model.spec.vocabulary);
  for (std::size_t i = 0; i < window.size(); ++i) {
    const auto logits = engine.step(window[i]);
    if (i + 1 < window.size()) window[i + 1] = sampler.sample(logits);
  }
}

std::size_t window_size(const Model& model, const CalibrationOptions& options) {
  return static_cast<std::size_t>(std::min(options.window, model.spec.context));
}

/// Windows of which the first tokens are known.
Windows begun(const Model& model, const CalibrationOptions& options) {
  const std::size_t size = window_size(model, options);
  Windows text((static_cast<std::size_t>(options.tokens) + size - 1) / size,
               std::vector<int>(size));
  const int bos = model.tokenizer.bos;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t spread = i * static_cast<std::size_t>(model.spec.vocabulary) / text.size();
    text[i][0] = bos >= 0 ? bos : static_cast<int>(spread);
  }
  return text;
}

}  // namespace

Windows cut_text(const Model& model, std::span<const int> text, const CalibrationOptions& options) {
  const std::size_t size = window_size(model, options);
  text = text.first(std::min<std::size_t>(text.size(), static_cast<std::size_t>(options.tokens)));
  Windows windows;
  for (std::size_t at = 0; at < text.size(); at += size) {
    const auto piece = text.subspan(at, std::min(size, text.size() - at));
    windows.emplace_back(piece.begin(), piece.end());
  }
  return windows;
}

Calibration calibrate(const Model& model, Windows& text, const CalibrationOptions& options,
                      Progress& progress) {
  const bool writes = text.empty();
  if (writes) text = begun(model, options);
  std::array<std::optional<Observer>, kCalibrationLanes> lanes;
  for (auto& lane : lanes) lane.emplace(model, options);
  for_each_in_parallel(kCalibrationLanes, options.threads, "calibrating", progress,
                       [&](std::size_t lane) {
                         Engine engine(model, static_cast<int>(window_size(model, options)));
                         engine.observe(&*lanes[lane]);
                         for (std::size_t i = lane; i < text.size(); i += kCalibrationLanes) {
                           engine.reset();
                           if (writes) {
                             write(model, options.seed + static_cast<double>(i), engine, text[i]);
                           } else {
                             for (const int token : text[i]) engine.step(token);
                           }
                         }
                       });
  Calibration all = std::move(lanes[0]->sums);
  for (std::size_t lane = 1; lane < lanes.size(); ++lane) add_to(all, lanes[lane]->sums);
  return all;
}

}  // namespace sb3lm
