#include "runtime_ref/evaluate.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "runtime_ref/engine.h"

namespace sb3lm {
namespace {

/// log(sum of exp(logits)) - logits[token].
double nats_of(std::span<const double> logits, int token) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit - largest);
  return largest - logits[static_cast<std::size_t>(token)] + std::log(sum);
}

/// The windows of one text, taken one after the other by whichever thread is free. Each token's
/// place in the result is its own, so threads never write to the same one.
class Evaluation {
 public:
  Evaluation(const Model& model, std::span<const int> tokens, const WindowRule& rule)
      : model_(model),
        tokens_(tokens),
        context_(rule.context),
        windows_(evaluation_windows(tokens.size(), rule)),
        nats_(tokens.size() - 1) {
    for (const EvaluationWindow& window : windows_) steps_ += window.count;
  }

  std::size_t windows() const { return windows_.size(); }

  /// Runs windows until none is left; only one thread may have a `progress`.
  void work(Progress* progress) {
    try {
      Engine engine(model_, context_);
      for (std::size_t i = next_++; i < windows_.size(); i = next_++) {
        engine.reset();
        run(engine, windows_[i], progress);
      }
    } catch (...) {
      next_ = windows_.size();
      const std::lock_guard lock(failing_);
      if (!failure_) failure_ = std::current_exception();
    }
  }

  std::vector<double> result() {
    if (failure_) std::rethrow_exception(failure_);
    return std::move(nats_);
  }

 private:
  void run(Engine& engine, const EvaluationWindow& window, Progress* progress) {
    const std::size_t end = window.first + window.count;
    for (std::size_t at = window.first; at < end; ++at) {
      if (at < end - window.scored) {
        engine.step_without_logits(tokens_[at]);
      } else {
        nats_[at] = nats_of(engine.step(tokens_[at]), tokens_[at + 1]);
        if (!std::isfinite(nats_[at])) {
          fail(Fault::bad_input, "token {} of the text: the model's logits are not finite", at + 1);
        }
      }
      const std::size_t done = ++done_;
      if (progress != nullptr) {
        progress->report("evaluating", static_cast<double>(done) / static_cast<double>(steps_));
      }
    }
  }

  const Model& model_;
  std::span<const int> tokens_;
  int context_;
  std::vector<EvaluationWindow> windows_;
  std::vector<double> nats_;
  std::size_t steps_ = 0;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<std::size_t> done_ = 0;
  std::mutex failing_;
  std::exception_ptr failure_;
};

void check_ids(const Model& model, std::span<const int> tokens) {
  for (const int token : tokens) {
    if (token >= 0 && token < model.spec.vocabulary) continue;
    fail(Fault::usage, "token {}: ids of this model are 0 to {}", token, model.spec.vocabulary - 1);
  }
}

}  // namespace

std::vector<EvaluationWindow> evaluation_windows(std::size_t tokens, const WindowRule& rule) {
  if (rule.context < 1) fail(Fault::usage, "context {}: it must be at least 1", rule.context);
  if (rule.stride < 1 || rule.stride > rule.context) {
    fail(Fault::usage, "stride {}: it must be 1 to the context of {}", rule.stride, rule.context);
  }
  if (tokens < 2) {
    fail(Fault::usage, "a text of {} tokens: nothing to predict in fewer than 2", tokens);
  }
  const std::size_t positions = tokens - 1;  // the last token predicts nothing
  const auto context = static_cast<std::size_t>(rule.context);
  std::vector<EvaluationWindow> windows;
  std::size_t scored = 0;
  for (std::size_t first = 0; scored < positions; first += static_cast<std::size_t>(rule.stride)) {
    const std::size_t end = std::min(first + context, positions);
    windows.push_back({first, end - first, end - scored});
    scored = end;
  }
  return windows;
}

std::vector<double> token_nats(const Model& model, std::span<const int> tokens,
                               const WindowRule& rule, int threads, Progress& progress) {
  Evaluation evaluation(model, tokens, rule);
  check_ids(model, tokens);
  const std::size_t wanted = threads > 0 ? static_cast<std::size_t>(threads)
                                         : std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < std::min(wanted, evaluation.windows()); ++i) {
    helpers.emplace_back([&evaluation] { evaluation.work(nullptr); });
  }
  evaluation.work(&progress);
  helpers.clear();  // joins
  return evaluation.result();
}

}  // namespace sb3lm
