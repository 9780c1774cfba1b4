#include "runtime_ref/evaluate.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>

#include "base/error.h"
#include "base/parallel.h"
#include "runtime_ref/engine.h"
#include "runtime_ref/maths.h"

namespace sb3lm {
namespace {

constexpr std::size_t kStretch = 32;  // tokens

/// log(sum of exp(logits)) - logits[token].
double nats_of(std::span<const double> logits, int token) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double logit : logits) sum += maths::exp(logit - largest);
  return largest - logits[static_cast<std::size_t>(token)] + maths::log(sum);
}

/// The windows of one text, taken one after the other by whichever thread is free. Each window's
/// places in the result are its own, so threads never write to the same one.
class Evaluation {
 public:
  Evaluation(const MakeDecoder& make, std::span<const int> tokens, const WindowRule& rule)
      : make_(make),
        tokens_(tokens),
        context_(rule.context),
        windows_(evaluation_windows(tokens.size(), rule)) {
    std::size_t scores = 0;
    for (const EvaluationWindow& window : windows_) {
      steps_ += window.count;
      first_score_.push_back(scores);
      scores += window.scored;
    }
    nats_.resize(scores);
  }

  std::size_t windows() const { return windows_.size(); }

  /// Runs windows until none is left; only one thread may have a `progress`.
  void work(Progress* progress) {
    try {
      const std::unique_ptr<Decoder> decoder = make_(context_);
      check_ids(*decoder);
      for (std::size_t i = next_++; i < windows_.size(); i = next_++) {
        decoder->reset();
        run(*decoder, i, progress);
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
  void check_ids(const Decoder& decoder) const {
    for (const int token : tokens_) {
      if (token >= 0 && token < decoder.vocabulary()) continue;
      fail(Fault::usage, "token {}: ids of this model are 0 to {}", token,
           decoder.vocabulary() - 1);
    }
  }

  void run(Decoder& decoder, std::size_t number, Progress* progress) {
    const EvaluationWindow& window = windows_[number];
    const std::size_t end = window.first + window.count, silent_end = end - window.scored;
    const std::span<double> scores = std::span(nats_).subspan(first_score_[number], window.scored);
    for (std::size_t at = window.first; at < end;) {
      // Short stretches, so that progress shows.
      const std::size_t stop = std::min(at + kStretch, at < silent_end ? silent_end : end);
      const std::size_t wanted = at < silent_end ? 0 : stop - at;
      decoder.run(tokens_.subspan(at, stop - at), wanted,
                  [&](std::size_t i, std::span<const double> logits) {
                    scores[at + i - silent_end] = judge(at + i, logits);
                  });
      done_ += stop - at;
      if (progress != nullptr) {
        progress->report("evaluating", static_cast<double>(done_) / static_cast<double>(steps_));
      }
      at = stop;
    }
  }

  double judge(std::size_t at, std::span<const double> logits) const {
    const double nats = nats_of(logits, tokens_[at + 1]);
    if (!std::isfinite(nats)) {
      fail(Fault::bad_input, "token {} of the text: the model's logits are not finite", at + 1);
    }
    return nats;
  }

  const MakeDecoder& make_;
  std::span<const int> tokens_;
  int context_;
  std::vector<EvaluationWindow> windows_;
  std::vector<std::size_t> first_score_;  // of each window
  std::vector<double> nats_;
  std::size_t steps_ = 0;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<std::size_t> done_ = 0;
  std::mutex failing_;
  std::exception_ptr failure_;
};

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
  const std::size_t last = rule.prefix == 0 ? positions : std::min(rule.prefix, positions);
  const auto context = static_cast<std::size_t>(rule.context);
  const auto stride = static_cast<std::size_t>(rule.stride);
  const bool is_once = rule.scoring == Scoring::once;
  std::vector<EvaluationWindow> windows;
  std::size_t done = 0;  // by the windows so far
  for (std::size_t first = 0; is_once ? done < last : first < positions; first += stride) {
    const std::size_t end = std::min(first + context, positions);
    const std::size_t later = is_once ? end - done : std::min(stride, end - first);
    const std::size_t begin = first == 0 ? 0 : end - later;
    done = end;
    // Of a prefix, the windows are those of the whole text, but end with it.
    const std::size_t stop = std::min(end, last);
    if (begin < stop) windows.push_back({first, stop - first, stop - begin});
  }
  return windows;
}

std::vector<std::size_t> scored_positions(std::span<const EvaluationWindow> windows) {
  std::vector<std::size_t> positions;
  for (const EvaluationWindow& window : windows) {
    const std::size_t end = window.first + window.count;
    for (std::size_t at = end - window.scored; at < end; ++at) positions.push_back(at);
  }
  return positions;
}

std::vector<double> token_nats(const MakeDecoder& make, std::span<const int> tokens,
                               const WindowRule& rule, int threads, Progress& progress) {
  Evaluation evaluation(make, tokens, rule);
  // Two tokens or more make one window or more.
  Helpers helpers(std::min(thread_count(threads), evaluation.windows()) - 1,
                  [&evaluation] { evaluation.work(nullptr); });
  evaluation.work(&progress);
  helpers.join();
  return evaluation.result();
}

std::vector<double> token_nats(const Model& model, std::span<const int> tokens,
                               const WindowRule& rule, int threads, Progress& progress) {
  const auto make = [&model](int context) { return std::make_unique<Engine>(model, context); };
  return token_nats(make, tokens, rule, threads, progress);
}

}  // namespace sb3lm
