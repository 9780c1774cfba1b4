#include "runtime_ref/verify.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "base/error.h"
#include "runtime_ref/ops.h"
#include "scratch/player_limits.h"

namespace sb3lm {
namespace {

double relative_error(std::span<const double> blocks, std::span<const double> reference) {
  double largest = 0, difference = 0;
  for (std::size_t id = 0; id < reference.size(); ++id) {
    largest = std::max(largest, std::fabs(reference[id]));
    const double error = std::fabs(blocks[id] - reference[id]);
    // NaN must not pass as "not greater".
    difference = error <= difference ? difference : error;
    if (std::isnan(error)) return HUGE_VAL;
  }
  return largest > 0 ? difference / largest : difference;
}

/// An engine as one that has some of its tokens only.
class KeptEngine {
 public:
  KeptEngine(Engine& engine, std::span<const int> kept)
      : engine_(engine), kept_(kept), logits_(kept.size()) {
    engine_.reset();
  }

  std::size_t vocabulary() const {
    return kept_.empty() ? static_cast<std::size_t>(engine_.vocabulary()) : kept_.size();
  }
  void step_without_logits(int token) { engine_.step_without_logits(id_of(token)); }
  std::span<const double> step(int token) {
    const std::span<const double> all = engine_.step(id_of(token));
    if (kept_.empty()) return all;
    std::ranges::transform(kept_, logits_.begin(),
                           [&](int id) { return all[static_cast<std::size_t>(id)]; });
    return logits_;
  }
  double router_margin() const { return engine_.router_margin(); }

 private:
  int id_of(int token) const {
    return kept_.empty() ? token : kept_[static_cast<std::size_t>(token)];
  }

  Engine& engine_;
  std::span<const int> kept_;
  std::vector<double> logits_;
};

/// A model that says nothing agrees with everything.
bool all_equal(std::span<const double> logits) {
  return logits.size() > 1 &&
         std::ranges::all_of(logits, [&](double logit) { return logit == logits.front(); });
}

void differ(Agreement& agreement, std::string what) {
  agreement.ok = false;
  if (agreement.first_difference.empty()) agreement.first_difference = std::move(what);
}

}  // namespace

BlockRequest recording_logits(BlockRequest request, int vocabulary) {
  const int most = kMostListItems / vocabulary;  // rows
  const auto prompt = static_cast<std::int64_t>(request.tokens.size());
  request.record_logits = most == 0 ? 0 : prompt + request.max_new_tokens > most ? 1 : 2;
  if (request.record_logits == 1) request.max_new_tokens = std::min(request.max_new_tokens, most);
  return request;
}

Agreement check_against_engine(Engine& whole, const std::vector<int>& prompt,
                               const std::vector<int>& output, std::span<const double> logits,
                               int record_logits, std::span<const int> kept) {
  Agreement agreement;
  KeptEngine engine(whole, kept);
  const std::size_t vocabulary = engine.vocabulary();
  std::vector<int> tokens = prompt;
  tokens.insert(tokens.end(), output.begin(), output.end());
  const std::size_t first = record_logits == 2 ? 0 : prompt.size() - 1;
  const std::size_t rows = logits.size() / vocabulary;
  // Every token fed leaves a row; the last output token is fed only before a stop token.
  const std::size_t fed = tokens.size();
  const std::size_t end = record_logits == 0 ? fed - 1 : first + rows;
  if (logits.size() % vocabulary != 0 || end > fed || end + 1 < fed || end < prompt.size() - 1) {
    differ(agreement, fmt::format("{} logits recorded for {} tokens", logits.size(), fed));
    return agreement;
  }
  for (std::size_t position = 0; position < end; ++position) {
    if (position < first) {
      engine.step_without_logits(tokens[position]);
      continue;
    }
    const std::span<const double> reference = engine.step(tokens[position]);
    if (all_equal(reference)) {
      differ(agreement, fmt::format("position {}: all logits are {}: the model tells no token from "
                                    "another, as if its weights had vanished",
                                    position, reference.front()));
    }
    if (record_logits > 0) {
      const double error =
          relative_error(logits.subspan((position - first) * vocabulary, vocabulary), reference);
      if (error > kLogitTolerance && engine.router_margin() < kTieMargin) {
        agreement.near_ties.push_back(fmt::format("near tie of experts at position {}", position));
        return agreement;  // from here on the two may rightly differ
      }
      agreement.max_rel_error = std::max(agreement.max_rel_error, error);
      if (error > kLogitTolerance) {
        differ(agreement,
               fmt::format("position {}: logits differ by {:.3g} of the largest", position, error));
      }
    }
    ++agreement.positions;
    const std::size_t next = position + 1;
    if (next < prompt.size() || next >= tokens.size()) continue;
    if (tokens[next] == ops::argmax(reference)) continue;
    if (top1_margin(reference) < kTieMargin) {
      agreement.near_ties.push_back(fmt::format("near tie of tokens at position {}", position));
    } else {
      differ(agreement, fmt::format("position {}: the blocks chose token {}, the reference {}",
                                    position, tokens[next], ops::argmax(reference)));
    }
  }
  return agreement;
}

bool same_bits(std::span<const double> a, std::span<const double> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double x, double y) {
    return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
  });
}

}  // namespace sb3lm
