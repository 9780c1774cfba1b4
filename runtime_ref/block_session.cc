#include "runtime_ref/block_session.h"

#include <chrono>
#include <limits>

#include "base/error.h"
#include "model/project_names.h"

namespace sb3lm {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<scratch::Scalar> as_items(const std::vector<int>& tokens) {
  std::vector<scratch::Scalar> items;
  items.reserve(tokens.size());
  for (const int token : tokens) items.emplace_back(static_cast<double>(token));
  return items;
}

// A project whose weights fill several lists runs where lists may grow without end.
bool needs_long_lists(const scratch::Program& program) {
  for (const scratch::Target& target : program.targets) {
    for (const scratch::List& list : target.lists) {
      if (list.name.starts_with(names::kMoreCodes)) return true;
    }
  }
  return false;
}

bool is_final(const std::string& status) {
  return status == "ready" || status == "unloaded" || status.starts_with("error");
}

}  // namespace

std::vector<std::pair<const char*, double>> settings_of(const BlockRequest& request) {
  return {{names::kMaxNewTokens, static_cast<double>(request.max_new_tokens)},
          {names::kRecordLogits, static_cast<double>(request.record_logits)},
          {names::kTemperature, request.temperature},
          {names::kTopK, request.top_k},
          {names::kTopP, request.top_p},
          {names::kRepetitionPenalty, request.repetition_penalty},
          {names::kSeed, request.seed}};
}

BlockSession::BlockSession(const scratch::Program& program, Progress& progress)
    : evaluator_(program) {
  const auto start = Clock::now();
  if (needs_long_lists(program)) evaluator_.limit_lists(std::numeric_limits<std::size_t>::max());
  evaluator_.set_variable(names::kStatus, std::string("starting"));
  evaluator_.green_flag();
  const std::string status = wait("decoding weights in blocks", progress);
  if (status != "ready") fail(Fault::mismatch, "the project does not get ready: {}", status);
  seconds_loading_ = seconds_since(start);
}

std::string BlockSession::wait(const char* stage, Progress& progress) {
  std::string status;
  const bool done = evaluator_.run_until(
      [&] {
        progress.report(stage, evaluator_.number(names::kProgress) / 100);
        status = evaluator_.text(names::kStatus);
        return is_final(status);
      },
      std::numeric_limits<std::size_t>::max());
  if (!done) fail(Fault::mismatch, "the scripts ended with status '{}'", status);
  return status;
}

std::vector<int> BlockSession::ids(const char* list) const {
  const std::vector<double> numbers = evaluator_.list_numbers(list);
  return {numbers.begin(), numbers.end()};
}

std::vector<int> BlockSession::typed(const std::string& message, Progress& progress) {
  const auto send = [&](const char* broadcast) {
    evaluator_.set_variable(names::kStatus, std::string("starting"));
    evaluator_.broadcast(broadcast);
  };
  send(names::kNewChat);
  wait("running the blocks", progress);
  evaluator_.set_list(names::kPromptTokens, {});
  evaluator_.set_variable(names::kMaxNewTokens, 0.0);
  evaluator_.set_variable(names::kUserMessage, message);
  send(names::kChat);
  evaluator_.run_until(
      [&] {
        return evaluator_.list_size(names::kPromptTokens) > 0 ||
               is_final(evaluator_.text(names::kStatus));
      },
      std::numeric_limits<std::size_t>::max());
  std::vector<int> tokens = ids(names::kPromptTokens);
  evaluator_.broadcast(names::kStop);
  wait("running the blocks", progress);
  return tokens;
}

BlockResult BlockSession::run(const BlockRequest& request, Progress& progress) {
  for (const auto& [name, value] : settings_of(request)) evaluator_.set_variable(name, value);
  const bool chat = !request.user_message.empty();
  if (chat) {
    evaluator_.set_variable(names::kUserMessage, request.user_message);
  } else {
    evaluator_.set_list(names::kPromptTokens, as_items(request.tokens));
  }
  const auto start = Clock::now();
  evaluator_.set_variable(names::kStatus, std::string("starting"));
  evaluator_.broadcast(chat ? names::kChat : names::kGenerate);
  BlockResult result;
  result.status = wait("running the blocks", progress);
  result.seconds = seconds_since(start);
  result.stop_reason = evaluator_.text(names::kStopReason);
  result.seconds_per_token = evaluator_.number(names::kSecondsPerToken);
  result.tokens = ids(names::kOutputTokens);
  result.prompt_tokens = ids(names::kPromptTokens);
  result.logits = evaluator_.list_numbers(names::kLogits);
  if (const std::size_t turns = evaluator_.list_size(names::kTranscript); turns > 0) {
    const scratch::Scalar last = evaluator_.list_item(names::kTranscript, turns - 1);
    if (const auto* text = std::get_if<std::string>(&last)) result.text = *text;
  }
  return result;
}

}  // namespace sb3lm
