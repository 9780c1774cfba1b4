#include "runtime_ref/round_in_turn.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/parallel.h"
#include "quant/gptq.h"
#include "runtime_ref/engine.h"

namespace sb3lm {
namespace {

using Streams = std::vector<Engine::Stream>;

/// Which matrices read what a part of a pass leaves.
bool reads(Engine::Part part, Role role) {
  switch (calibration_key({role}).role) {
    case Role::q:
      return part == Engine::Part::norm;
    case Role::o:
      return part == Engine::Part::attend;
    case Role::up:
    case Role::shared_up:
    case Role::expert_up:
      return part == Engine::Part::add_attention;
    default:
      return part == Engine::Part::bend;
  }
}

void add(const TensorKey& key, const std::vector<double>& input, const std::vector<double>* wanted,
         Calibration& sums) {
  InputMoments& moments = sums.try_emplace(key, input.size()).first->second;
  if (wanted == nullptr) {
    moments.add(input);
  } else {
    moments.add(input, *wanted);
  }
}

/// The same expert's way through the exact model, null if the token did not choose it there.
const Engine::Choice* same_choice(const Engine::Stream& exact, int expert) {
  const auto found = std::find_if(exact.chosen.begin(), exact.chosen.end(),
                                  [&](const auto& choice) { return choice.expert == expert; });
  return found == exact.chosen.end() ? nullptr : &*found;
}

TensorKey expert_key(const ModelSpec& spec, int layer, int expert, Role routed, Role shared,
                     Role dense) {
  if (expert == Engine::kShared) return {shared, layer};
  const bool mixture = spec.layers[static_cast<std::size_t>(layer)].feed_forward.is_mixture();
  return mixture ? TensorKey{routed, layer, expert} : TensorKey{dense, layer};
}

/// Adds what the next part's matrices will multiply.
void add_inputs(const ModelSpec& spec, int layer, Engine::Part part, const Engine::Stream& exact,
                const Engine::Stream& rounded, Calibration& sums) {
  switch (part) {
    case Engine::Part::norm:
      add({Role::q, layer}, rounded.normed, &exact.normed, sums);
      break;
    case Engine::Part::attend:
      add({Role::o, layer}, rounded.mixed, &exact.mixed, sums);
      break;
    case Engine::Part::add_attention:
      for (const auto& [expert, share, inner] : rounded.chosen) {
        add(expert_key(spec, layer, expert, Role::expert_up, Role::shared_up, Role::up),
            rounded.normed, same_choice(exact, expert) == nullptr ? nullptr : &exact.normed, sums);
      }
      break;
    case Engine::Part::bend:
      for (const auto& [expert, share, inner] : rounded.chosen) {
        const Engine::Choice* const wanted = same_choice(exact, expert);
        add(expert_key(spec, layer, expert, Role::expert_down, Role::shared_down, Role::down),
            inner, wanted == nullptr ? nullptr : &wanted->inner, sums);
      }
      break;
    case Engine::Part::add_feed_forward:
      break;
  }
}

/// Some of the windows, on their way through both models.
class Lane {
 public:
  Lane(const Model& exact, const Model& rounded, int context)
      : spec_(exact.spec), exact_(exact, context), rounded_(rounded, context) {}

  void begin(const std::vector<int>& window) {
    exact_.reset();
    rounded_.reset();
    windows_.emplace_back();
    for (const int token : window) {
      windows_.back().first.push_back(exact_.begin(token));
      windows_.back().second.push_back(rounded_.begin(token));
    }
  }

  /// Runs a part of a pass over all tokens; returns what is multiplied next.
  Calibration run(std::size_t pass, Engine::Part part) {
    Calibration sums;
    const int layer = spec_.passes[pass];
    for (auto& [exact, rounded] : windows_) {
      exact_.reset();
      rounded_.reset();
      for (std::size_t i = 0; i < exact.size(); ++i) {
        exact_.run_part(pass, part, exact[i]);
        rounded_.run_part(pass, part, rounded[i]);
        add_inputs(spec_, layer, part, exact[i], rounded[i], sums);
      }
    }
    return sums;
  }

  Calibration head_inputs() const {
    Calibration sums;
    for (const auto& [exact, rounded] : windows_) {
      for (std::size_t i = 0; i < exact.size(); ++i) {
        const std::vector<double> wanted = exact_.head_input(exact[i]);
        add({Role::head}, rounded_.head_input(rounded[i]), &wanted, sums);
      }
    }
    return sums;
  }

 private:
  const ModelSpec& spec_;
  Engine exact_, rounded_;
  std::vector<std::pair<Streams, Streams>> windows_;
};

class Turns {
 public:
  Turns(Model& model, const Widths& widths, const CalibrationOptions& options, Progress& progress)
      : exact_(model), model_(model), widths_(widths), options_(options), progress_(progress) {}

  void run(Windows text) {
    CalibrationOptions first = options_;
    first.wanted = [&](const TensorKey& key) { return key.layer < 0 || runs_again(key.layer); };
    const Calibration before = calibrate(exact_, text, first, progress_);
    round(before, [&](const TensorKey& key) {
      return key.layer < 0 ? key.role != Role::head : runs_again(key.layer);
    });
    begin(text);
    for (std::size_t pass = 0; pass < model_.spec.passes.size(); ++pass) {
      for (const Engine::Part part : Engine::kParts) run(pass, part);
    }
    if (widths_.contains({Role::head})) {
      round(gather([](const Lane& lane) { return lane.head_inputs(); }),
            [](const TensorKey& key) { return key.role == Role::head; });
    }
  }

 private:
  bool runs_again(int layer) const {
    return std::count(model_.spec.passes.begin(), model_.spec.passes.end(), layer) > 1;
  }

  void begin(const Windows& text) {
    const auto longest = std::max_element(
        text.begin(), text.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
    lanes_.reserve(kCalibrationLanes);
    for (std::size_t i = 0; i < kCalibrationLanes; ++i) {
      lanes_.emplace_back(exact_, model_, static_cast<int>(longest->size()));
    }
    for (std::size_t i = 0; i < text.size(); ++i) lanes_[i % kCalibrationLanes].begin(text[i]);
  }

  void run(std::size_t pass, Engine::Part part) {
    const int layer = model_.spec.passes[pass];
    const std::size_t passes = model_.spec.passes.size();
    progress_.report("rounding layer after layer",
                     static_cast<double>(pass) / static_cast<double>(passes));
    const Calibration sums = gather([&](Lane& lane) { return lane.run(pass, part); });
    if (runs_again(layer)) return;
    round(sums, [&](const TensorKey& key) { return key.layer == layer && reads(part, key.role); });
  }

  template <typename Inputs>
  Calibration gather(const Inputs& inputs) {
    std::array<Calibration, kCalibrationLanes> sums;
    SilentProgress silent;
    for_each_in_parallel(kCalibrationLanes, options_.threads, "", silent,
                         [&](std::size_t lane) { sums[lane] = inputs(lanes_[lane]); });
    for (std::size_t lane = 1; lane < sums.size(); ++lane) add_to(sums[0], sums[lane]);
    return std::move(sums[0]);
  }

  template <typename Wanted>
  void round(const Calibration& inputs, const Wanted& wanted) {
    Widths some;
    for (const auto& [key, bits] : widths_) {
      if (wanted(key)) some[key] = bits;
    }
    round_for(model_, some, inputs);
  }

  const Model exact_;
  Model& model_;
  const Widths& widths_;
  const CalibrationOptions& options_;
  Progress& progress_;
  std::vector<Lane> lanes_;
};

}  // namespace

void round_in_turn(Model& model, const Widths& widths, Windows text,
                   const CalibrationOptions& options, Progress& progress) {
  Turns(model, widths, options, progress).run(std::move(text));
}

}  // namespace sb3lm
