#include "import/presets.h"

namespace sb3lm {
namespace {

// The cards show one turn; that a later one goes on after the reply's end of turn is an assumption.
constexpr ModelPreset kPresets[] = {
    {.family = "ssmoelm",
     .shape =
         {.width = 768, .vocabulary = 8192, .query_rows = 768, .kv_rows = 192, .routed_experts = 8},
     .heads = "12",
     .kv_heads = "3",
     .head_size = "64",
     .top_k = "2",
     .context = "2048",
     .chat = "first: <bos><|user|>\\n{user}<|eot|>\\n<|assistant|>\\n\n"
             "next: <|eot|>\\n<|user|>\\n{user}<|eot|>\\n<|assistant|>\\n\n"
             "stop: <|eot|> <eos>\n",
     .temperature = 0,
     .top_k_sampling = 1,
     .top_p = 0.9,
     .repetition_penalty = 1.3,
     .licence = "Apache-2.0"},
};

}  // namespace

const ModelPreset* find_preset(const ModelShape& shape) {
  for (const ModelPreset& preset : kPresets) {
    if (preset.shape == shape) return &preset;
  }
  return nullptr;
}

void apply_preset(const ModelPreset& preset, Settings& settings) {
  const auto assume = [&settings](std::string_view fact, std::string_view text) {
    settings.set("preset", fact, text, Saying::assumed);
  };
  assume("heads", preset.heads);
  assume("kv-heads", preset.kv_heads);
  assume("head-size", preset.head_size);
  assume("top-k", preset.top_k);
  assume("context", preset.context);
}

void apply_preset(const ModelPreset& preset, Model& model) {
  model.temperature = preset.temperature;
  model.top_k = preset.top_k_sampling;
  model.top_p = preset.top_p;
  model.repetition_penalty = preset.repetition_penalty;
  model.licence = preset.licence;
}

}  // namespace sb3lm
