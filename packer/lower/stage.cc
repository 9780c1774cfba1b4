#include "lower/stage.h"

#include "model/project_names.h"

namespace sb3lm {

using namespace blocks;

StageNames declare_stage(Sprite& stage, const Model& model, std::string model_info) {
  const auto text = [&](const char* name, const char* value) {
    return stage.var<Str>(name, std::string(value));
  };
  const auto number = [&](const char* name, double value) { return stage.var<Num>(name, value); };
  return {.status = text(names::kStatus, "click the green flag"),
          .stop_reason = text(names::kStopReason, ""),
          .user_message = text(names::kUserMessage, ""),
          .prompt_text = text(names::kPromptText, ""),
          .choice = text(names::kChoice, ""),
          .progress = number(names::kProgress, 0),
          .temperature = number(names::kTemperature, model.temperature),
          .top_k = number(names::kTopK, model.top_k),
          .top_p = number(names::kTopP, model.top_p),
          .repetition_penalty = number(names::kRepetitionPenalty, model.repetition_penalty),
          .max_new_tokens = number(names::kMaxNewTokens, 256),
          .seed = number(names::kSeed, 1),
          .record_logits = number(names::kRecordLogits, 0),
          .forgotten_turns = number(names::kForgottenTurns, 0),
          .seconds_loading = number(names::kSecondsLoading, 0),
          .seconds_per_token = number(names::kSecondsPerToken, 0),
          .tokens_per_second = number(names::kTokensPerSecond, 0),
          .compiled = number(names::kCompiled, 0),
          .prompt_tokens = stage.list<Num>(names::kPromptTokens),
          .output_tokens = stage.list<Num>(names::kOutputTokens),
          .logits = stage.list<Num>(names::kLogits),
          .transcript = stage.list<Str>(names::kTranscript),
          .model_info = stage.list<Str>(names::kModelInfo, {std::move(model_info)}),
          .stop_words = stage.list<Str>(names::kStopWords),
          .answers = stage.list<Str>(names::kAnswers)};
}

}  // namespace sb3lm
