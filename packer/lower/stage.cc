#include "lower/stage.h"

namespace sb3lm {

using namespace blocks;

StageNames declare_stage(Sprite& stage, const Model& model, std::string model_info) {
  const auto text = [&](const char* name, const char* value) {
    return stage.var<Str>(name, std::string(value));
  };
  const auto number = [&](const char* name, double value) { return stage.var<Num>(name, value); };
  return {.status = text("status", "click the green flag"),
          .stop_reason = text("stop reason", ""),
          .user_message = text("user message", ""),
          .prompt_text = text("prompt text", ""),
          .choice = text("choice", ""),
          .progress = number("progress", 0),
          .temperature = number("temperature", model.temperature),
          .top_k = number("top k", model.top_k),
          .top_p = number("top p", model.top_p),
          .repetition_penalty = number("repetition penalty", model.repetition_penalty),
          .max_new_tokens = number("max new tokens", 256),
          .seed = number("seed", 1),
          .record_logits = number("record logits", 0),
          .forgotten_turns = number("forgotten turns", 0),
          .seconds_loading = number("seconds loading", 0),
          .seconds_per_token = number("seconds per token", 0),
          .tokens_per_second = number("tokens per second", 0),
          .compiled = number("compiled", 0),
          .prompt_tokens = stage.list<Num>("prompt tokens"),
          .output_tokens = stage.list<Num>("output tokens"),
          .logits = stage.list<Num>("logits"),
          .transcript = stage.list<Str>("transcript"),
          .model_info = stage.list<Str>("model info", {std::move(model_info)}),
          .stop_words = stage.list<Str>("stop words"),
          .answers = stage.list<Str>("answers")};
}

}  // namespace sb3lm
