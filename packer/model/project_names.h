// Names in a finished project that more than one place must know: the public ones (docs/names.md)
// and the engine's lists that readers of an .sb3 look into.
#pragma once

namespace sb3lm::names {

// Variables of the stage.
inline constexpr char kStatus[] = "status", kStopReason[] = "stop reason",
                      kUserMessage[] = "user message", kPromptText[] = "prompt text",
                      kChoice[] = "choice", kProgress[] = "progress",
                      kTemperature[] = "temperature", kTopK[] = "top k", kTopP[] = "top p",
                      kRepetitionPenalty[] = "repetition penalty",
                      kMaxNewTokens[] = "max new tokens", kSeed[] = "seed",
                      kRecordLogits[] = "record logits", kForgottenTurns[] = "forgotten turns",
                      kSecondsLoading[] = "seconds loading",
                      kSecondsPerToken[] = "seconds per token",
                      kTokensPerSecond[] = "tokens per second", kCompiled[] = "compiled";
// Lists of the stage.
inline constexpr char kPromptTokens[] = "prompt tokens", kOutputTokens[] = "output tokens",
                      kLogits[] = "logits", kTranscript[] = "transcript",
                      kModelInfo[] = "model info", kStopWords[] = "stop words",
                      kAnswers[] = "answers", kSuggestions[] = "suggestions";
// What the items of `transcript` begin with.
inline constexpr char kUserTurn[] = "user: ", kModelTurn[] = "model: ";
// Broadcasts.
inline constexpr char kGenerate[] = "generate", kChat[] = "chat", kChoose[] = "choose",
                      kStop[] = "stop", kNewChat[] = "new chat", kUnload[] = "unload";

// The engine's working numbers (kernels/workspace.h).
inline constexpr char kCodes[] = "_codes", kScales[] = "_scales", kAct[] = "_act",
                      kTable[] = "_table", kKeys[] = "_keys", kValues[] = "_values";
// Where one list cannot hold all codes, the others are called this and a number from 2 on.
inline constexpr char kMoreCodes[] = "_more codes";
// What is decoded at the green flag, and the loader's state.
inline constexpr char kText[] = "_text", kJobs[] = "_jobs", kLoaded[] = "_loaded";
// The text blocks' tables (kernels/text.h).
inline constexpr char kLetters[] = "_letters", kLetterRows[] = "_letter rows",
                      kTokenText[] = "_token text", kTokenBytes[] = "_token bytes",
                      kTokenBytesAt[] = "_token bytes at", kMergePairs[] = "_merge pairs",
                      kMergeFirst[] = "_merge first", kMergeRight[] = "_merge right",
                      kMergeRank[] = "_merge rank", kMergeResult[] = "_merge result";

}  // namespace sb3lm::names
