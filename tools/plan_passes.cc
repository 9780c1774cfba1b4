#include "plan_passes.h"

#include <nlohmann/json.hpp>

#include "console.h"
#include "report/separators.h"

namespace sb3lm {

nlohmann::ordered_json passes_as_json(const PassSearch& search) {
  auto trials = nlohmann::ordered_json::array();
  for (const PassTrial& trial : search.trials) {
    trials.push_back({{"dropped", trial.dropped},
                      {"instead", trial.instead},
                      {"passes", trial.passes},
                      {"weights_less", trial.weights},
                      {"perplexity", trial.perplexity}});
  }
  return {
      {"tokens", search.tokens}, {"perplexity", search.perplexity}, {"trials", std::move(trials)}};
}

void print_passes(const PassSearch& search, const std::string& text) {
  print_out("{:>13}  {:>12}  {:>12}  {:>10}\n", "layer dropped", "runs instead", "weights less",
            "perplexity");
  for (const PassTrial& trial : search.trials) {
    print_out("{:>13}  {:>12}  {:>12}  {:>10.5g}\n", trial.dropped, trial.instead,
              with_separators(static_cast<std::uint64_t>(trial.weights)), trial.perplexity);
  }
  print_out("\nperplexity {:.5g} as it is, without training after; {} tokens of {}\n",
            search.perplexity, search.tokens, text);
}

}  // namespace sb3lm
