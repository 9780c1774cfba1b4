// The stage's variables and lists: the project's public interface (README.md, "Names inside the
// .sb3").
#pragma once

#include "model/model.h"
#include "scratch/script.h"

namespace sb3lm {

struct StageNames {
  blocks::Var<blocks::Str> status, stop_reason, user_message, prompt_text, choice;
  blocks::Var<blocks::Num> progress, temperature, top_k, top_p, repetition_penalty, max_new_tokens,
      seed, record_logits, forgotten_turns, seconds_loading, seconds_per_token, tokens_per_second, compiled;
  blocks::List<blocks::Num> prompt_tokens, output_tokens, logits;
  blocks::List<blocks::Str> transcript, model_info, stop_words, answers;
};

/// Private message, from whoever finds that the stop sign has ended everything: loops start again.
inline constexpr char kWakeMessage[] = "_wake";

/// Declares them on the stage, with the model's recommended decoding as defaults.
StageNames declare_stage(blocks::Sprite& stage, const Model& model, std::string model_info);

}  // namespace sb3lm
