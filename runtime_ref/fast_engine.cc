#include "runtime_ref/fast_engine.h"

#include <algorithm>

#include "base/error.h"
#include "runtime_ref/fast/products.h"

namespace sb3lm {

FastEngine::FastEngine(const PackedModel& model, const FastOptions& options)
    : context_(options.context == 0 ? model.about.spec.context : options.context),
      vocabulary_(model.about.spec.vocabulary),
      forward_(steps_of(model.about.spec)),
      shared_(forward_, options.kernels != nullptr ? *options.kernels : fast::best_kernels(),
              options.threads),
      steps_(fast::Binder(model, forward_, shared_).bind()),
      logits_(fast::size_of(vocabulary_)) {
  if (context_ < 1) fail(Fault::usage, "context {}: it must be at least 1", context_);
  model.about.spec.check_context(context_);
}

void FastEngine::run(std::span<const int> tokens, std::size_t wanted, const OnLogits& take) {
  check_tokens(*this, tokens);
  const std::size_t silent = tokens.size() - std::min(wanted, tokens.size());
  for (std::size_t first = 0; first < tokens.size(); first += fast::kMostTokens) {
    const auto some = tokens.subspan(first, std::min(fast::kMostTokens, tokens.size() - first));
    const std::size_t quiet = std::min(silent - std::min(silent, first), some.size());
    const fast::Batch batch = run_body(some, some.size() - quiet);
    for (const std::size_t token : batch.wanted) {
      run_end(batch, token);
      take(first + token, logits_);
    }
  }
}

std::span<const double> FastEngine::step(int token) {
  shared_.vectors.keep_one();  // a prompt's room is only in the way
  run({&token, 1}, 1, [](std::size_t, std::span<const double>) {});
  return logits_;
}

fast::Batch FastEngine::run_body(std::span<const int> tokens, std::size_t wanted) {
  shared_.vectors.make_room(tokens.size());
  const fast::Tokens all = shared_.vectors.numbers(0, tokens.size());
  const fast::Batch batch{.ids = tokens,
                          .position = position_,
                          .before = before_,
                          .all = all,
                          .wanted = all.last(wanted)};
  for (const fast::Bound& bound : steps_.body) {
    const fast::Tokens those = batch.those(bound.for_all);
    if (!those.empty()) bound.step->run(batch, those);
  }
  position_ += tokens.size();
  before_ = {batch.token(tokens.size() - 1, 0), batch.token(tokens.size() - 1, 1)};
  return batch;
}

void FastEngine::run_end(fast::Batch batch, std::size_t token) {
  batch.all = batch.wanted = shared_.vectors.numbers(token, 1);
  for (const fast::Bound& bound : steps_.end) bound.step->run(batch, batch.wanted);
  const float* logits = shared_.vectors.row(forward_.logits, token);
  std::copy_n(logits, logits_.size(), logits_.begin());
}

}  // namespace sb3lm
