// How well a model predicts given tokens: negative log probabilities over a sliding window.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/progress.h"
#include "model/model.h"
#include "runtime_ref/decoder.h"

namespace sb3lm {

/// Positions [first, first + count) of the text, run from an empty cache. Position i predicts token
/// i + 1; the window scores its last `scored` predictions.
struct EvaluationWindow {
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t scored = 0;
  bool operator==(const EvaluationWindow&) const = default;
};

enum class Scoring {
  once,            // each prediction
  parameter_golf,  // as the programs of OpenAI's parameter golf do: the last ones several times
};

struct WindowRule {
  int context = 0;  // positions of a window; at least 1
  int stride = 0;   // from one window's start to the next; 1 to context
  Scoring scoring = Scoring::once;
  std::size_t prefix = 0;  // score only predictions of the first positions; 0: all
};

/// Windows start at 0, stride, 2 * stride, ... The first scores all of its positions. For
/// Scoring::once, each later one scores those after the end of the window before it, until one
/// reaches the end of the text: every token but the first is scored exactly once, and (the first
/// window apart) with at least context - stride tokens before the one that predicts it. With
/// stride = context the windows are blocks; with stride 1 every token has the longest context there
/// is. For Scoring::parameter_golf, windows start before every position and score their last
/// `stride` ones, so those that reach the end score the last ones once more. Throws usage for a
/// rule outside its range or a text of fewer than 2 tokens.
std::vector<EvaluationWindow> evaluation_windows(std::size_t tokens, const WindowRule& rule);

/// The position of each score that windows give, in order.
std::vector<std::size_t> scored_positions(std::span<const EvaluationWindow> windows);

/// Makes a decoder with at least that context; called once per thread, from any thread.
using MakeDecoder = std::function<std::unique_ptr<Decoder>(int context)>;

/// -log p in nats of what the windows' scored positions predict, in order: by Scoring::once, of
/// every token but the first. Windows run on `threads` threads (0: one
/// per processor); the numbers do not depend on how many. Throws usage as Engine and
/// evaluation_windows do, bad_input if a logit is not finite.
std::vector<double> token_nats(const MakeDecoder& make, std::span<const int> tokens,
                               const WindowRule& rule, int threads, Progress& progress);
/// The same by the verification engine.
std::vector<double> token_nats(const Model& model, std::span<const int> tokens,
                               const WindowRule& rule, int threads, Progress& progress);

}  // namespace sb3lm
