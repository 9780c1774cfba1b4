#include "support/fast_error.h"

#include <algorithm>
#include <cmath>

#include "runtime_ref/engine.h"

namespace sb3lm::test {
namespace {

// NaN is the largest.
double larger(double a, double b) {
  return b <= a || std::isnan(a) ? a : b;
}

}  // namespace

LogitRows all_logits(Decoder& engine, std::span<const int> tokens) {
  LogitRows rows;
  engine.run(tokens, tokens.size(), [&](std::size_t, std::span<const double> logits) {
    rows.emplace_back(logits.begin(), logits.end());
  });
  return rows;
}

double worst_error(const Model& model, const LogitRows& rows, std::span<const int> tokens) {
  Engine engine(model);
  double worst = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::span<const double> expected = engine.step(tokens[i]);
    if (engine.smallest_router_margin() < 1e-3) break;
    double largest = 0, error = 0;
    for (std::size_t id = 0; id < expected.size(); ++id) {
      largest = std::max(largest, std::fabs(expected[id]));
      error = larger(error, std::fabs(expected[id] - rows[i][id]));
    }
    worst = larger(worst, error / largest);
  }
  return worst;
}

}  // namespace sb3lm::test
