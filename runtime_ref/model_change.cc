#include "runtime_ref/model_change.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "base/portable_math.h"
#include "runtime_ref/engine.h"

namespace sb3lm {
namespace {

using Rows = std::vector<std::vector<double>>;

Rows all_logits(const Model& model, std::span<const int> tokens) {
  Engine engine(model, static_cast<int>(tokens.size()));
  Rows rows;
  for (const int token : tokens) {
    const auto logits = engine.step(token);
    rows.emplace_back(logits.begin(), logits.end());
  }
  return rows;
}

double largest_change(const Rows& before, const Rows& after) {
  double largest = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    double difference = 0, size = 0;
    for (std::size_t id = 0; id < before[i].size(); ++id) {
      difference = std::max(difference, std::fabs(after[i][id] - before[i][id]));
      size = std::max(size, std::fabs(before[i][id]));
    }
    if (size > 0) largest = std::max(largest, difference / size);
  }
  return largest;
}

double nats_of(std::span<const double> logits, int token) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double logit : logits) sum += portable::exp(logit - top);
  return top + portable::log(sum) - logits[static_cast<std::size_t>(token)];
}

double perplexity(const Rows& rows, std::span<const int> tokens) {
  double nats = 0;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) nats += nats_of(rows[i], tokens[i + 1]);
  return portable::exp(nats / static_cast<double>(tokens.size() - 1));
}

void require_text(std::span<const int> tokens) {
  if (tokens.size() < 2) fail(Fault::usage, "a text of {} tokens: 2 are needed", tokens.size());
}

}  // namespace

ModelChange measure_change(const Model& before, const Model& after, std::span<const int> tokens,
                           bool is_text) {
  tokens = tokens.first(std::min<std::size_t>(tokens.size(), before.spec.context));
  require_text(tokens);
  Rows was, is;
  SilentProgress silent;
  for_each_in_parallel(2, 0, "", silent, [&](std::size_t i) {
    (i == 0 ? was : is) = all_logits(i == 0 ? before : after, tokens);
  });
  ModelChange change{.tokens = static_cast<int>(tokens.size()), .logits = largest_change(was, is)};
  if (is_text) {
    change.perplexity_before = perplexity(was, tokens);
    change.perplexity_after = perplexity(is, tokens);
  }
  return change;
}

double perplexity_of(const Model& model, std::span<const int> tokens) {
  require_text(tokens);
  Engine engine(model, static_cast<int>(tokens.size()));
  double nats = 0;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    nats += nats_of(engine.step(tokens[i]), tokens[i + 1]);
  }
  return portable::exp(nats / static_cast<double>(tokens.size() - 1));
}

}  // namespace sb3lm
