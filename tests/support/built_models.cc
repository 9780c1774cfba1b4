#include "support/built_models.h"

#include <algorithm>

#include "base/error.h"
#include "lower/layout.h"
#include "pack.h"
#include "quant/rtn.h"
#include "support/tiny_model.h"

namespace sb3lm::test {
namespace {

constexpr int kContext = 40;  // three blocks of values

}  // namespace

BuiltModel build_tiny(const std::string& preset, const std::string& bits, int context, Tune tune) {
  BuiltModel built{.name = bits.empty() ? preset : preset + " --bits " + bits,
                   .model = tiny_model(preset),
                   .sb3 = {}};
  if (bits != "float") quantise_matrices(built.model, bits.empty() ? 8 : std::stoi(bits));
  SilentProgress silent;
  built.sb3 = pack(built.model,
                   {.lower = {.context = context, .title = preset, .tune = tune, .version = "test"},
                    .bits = *float_bits_from_text(bits),
                    .deflate_level = 1},
                   silent);
  return built;
}

BuiltModel build_smallest(int context, Tune tune) {
  BuiltModel built{.name = "smallest",
                   .model = tiny_model(SynthOptions{.preset = "tiny-moe", .layers = 1}),
                   .sb3 = {}};
  SilentProgress silent;
  built.sb3 =
      pack(built.model,
           {.lower = {.context = context, .tune = tune, .version = "test", .chat_ui = false},
            .deflate_level = 1},
           silent);
  return built;
}

BuiltModel build_tiny_site(const std::string& preset, const std::string& bits, int context) {
  BuiltModel built{.name = preset + " for the website", .model = tiny_model(preset), .sb3 = {}};
  if (!bits.empty()) quantise_matrices(built.model, std::stoi(bits));
  SilentProgress silent;
  built.sb3 = pack(built.model,
                   {.lower = {.context = context,
                              .encoding = "range",
                              .title = preset,
                              .tune = Tune::scratch,
                              .kernel = Kernel::columns,
                              .version = "test"},
                    .bits = *float_bits_from_text(bits),
                    .deflate_level = 1},
                   silent);
  return built;
}

std::vector<BuiltModel> build_all_tiny() {
  std::vector<BuiltModel> all;
  for (const SynthPreset& preset : synth_presets()) {
    const std::string name(preset.name);
    if (preset.full_scale) continue;
    if (name.starts_with("tiny-dense")) {
      for (const char* bits : {"4", "8", "float"}) all.push_back(build_tiny(name, bits, kContext));
    } else {
      all.push_back(build_tiny(name, "", kContext));
    }
  }
  all.push_back(build_tiny_site("tiny-moe-gated", "", kContext));
  all.push_back(build_tiny_site("tiny-moe-odd", "", kContext));
  all.push_back(build_tiny_site("tiny-dense", "5", kContext));
  return all;
}

BuiltModel build_in_lists() {
  BuiltModel built{.name = "tiny-moe in several lists", .model = tiny_model("tiny-moe"), .sb3 = {}};
  const std::int64_t most = make_layout(built.model, kContext, "digits").codes - 1;
  SilentProgress silent;
  built.sb3 = pack(
      built.model,
      {.lower = {.context = kContext, .version = "test", .most_codes = most}, .deflate_level = 1},
      silent);
  return built;
}

const scratch::Target& engine_of(const scratch::Program& program) {
  const auto found =
      std::find_if(program.targets.begin(), program.targets.end(),
                   [](const scratch::Target& target) { return target.name == kEngineName; });
  check(found != program.targets.end(), "a project without an engine");
  return *found;
}

BlockRequest comparison_request(const Model& model) {
  BlockRequest request{.max_new_tokens = 8, .record_logits = 2};
  const int vocabulary = model.spec.vocabulary;
  for (int i = 0; i < 12; ++i) request.tokens.push_back(i * 7919 % vocabulary);
  request.tokens[5] = vocabulary - 1;
  return request;
}

}  // namespace sb3lm::test
