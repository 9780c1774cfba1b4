#include "input_check.h"

#include <fmt/ranges.h>

#include "base/error.h"

namespace sb3lm {

void check_built_input(const InputOptions& input) {
  const ImportOptions& import = input.import;
  const Recipe& recipe = input.recipe;
  std::vector<const char*> given;
  const auto note = [&](const char* option, bool is_given) {
    if (is_given) given.push_back(option);
  };
  note("--bits", recipe.float_bits.has_value());
  note("--quantiser", recipe.quantiser.has_value());
  note("--calibration", !input.calibration.empty());
  note("--plan", !input.plan.empty());
  note("--round-scales", recipe.scale_bits != 0);
  note("--router-bits", recipe.router_bits != 0);
  note("--keep-tokens", !input.keep_tokens.empty());
  note("--tokenizer", import.tokenizer.has_value());
  note("--map", import.name_map.has_value());
  note("--chat-template", import.chat_template.has_value());
  note("--convention", !import.conventions.empty());
  note("--sidecar", import.sidecar.has_value());
  if (given.empty()) return;
  fail(Fault::usage, "{}: it is built already: leave out {}, which {} for checkpoints",
       input.file.string(), fmt::join(given, ", "), given.size() == 1 ? "is" : "are");
}

void check_threads(EngineKind engine, int threads) {
  if (engine != EngineKind::exact || threads <= 1) return;
  fail(Fault::usage, "--threads {}: the double engine has one thread; --engine fast has more",
       threads);
}

}  // namespace sb3lm
