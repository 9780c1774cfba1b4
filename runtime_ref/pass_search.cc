#include "runtime_ref/pass_search.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "model/passes.h"
#include "runtime_ref/model_change.h"

namespace sb3lm {
namespace {

std::vector<PassTrial> list_trials(const ModelSpec& spec) {
  std::vector<PassTrial> trials;
  const auto add = [&](std::size_t dropped, std::size_t instead) {
    PassTrial trial{.dropped = spec.layers[dropped].id,
                    .instead = spec.layers[instead].id,
                    .passes = pass_ids(spec)};
    std::ranges::replace(trial.passes, trial.dropped, trial.instead);
    trials.push_back(std::move(trial));
  };
  for (std::size_t layer = 0; layer < spec.layers.size(); ++layer) {
    if (layer > 0) add(layer, layer - 1);
    if (layer + 1 < spec.layers.size()) add(layer, layer + 1);
  }
  return trials;
}

}  // namespace

PassSearch search_passes(const Model& model, std::span<const int> tokens, int threads,
                         Progress& progress) {
  if (model.spec.layers.size() < 2) {
    fail(Fault::unsupported, "passes: the model has one layer, which nothing can run in place of");
  }
  tokens = tokens.first(std::min<std::size_t>(tokens.size(), model.spec.context));
  PassSearch search{.tokens = static_cast<int>(tokens.size()),
                    .perplexity = 0,
                    .trials = list_trials(model.spec)};
  std::vector<PassTrial>& trials = search.trials;
  for_each_in_parallel(trials.size() + 1, threads, "dropping layers", progress, [&](std::size_t i) {
    if (i == trials.size()) {
      search.perplexity = perplexity_of(model, tokens);
      return;
    }
    Model other = model;
    take_passes(other, trials[i].passes);
    trials[i].weights = weight_count(model.spec) - weight_count(other.spec);
    trials[i].perplexity = perplexity_of(other, tokens);
  });
  std::ranges::stable_sort(trials, {}, &PassTrial::perplexity);
  return search;
}

}  // namespace sb3lm
