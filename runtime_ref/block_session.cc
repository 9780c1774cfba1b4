#include "runtime_ref/block_session.h"

#include <chrono>
#include <limits>

#include "base/error.h"

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

bool is_final(const std::string& status) {
  return status == "ready" || status == "unloaded" || status.starts_with("error");
}

}  // namespace

BlockSession::BlockSession(const scratch::Program& program, Progress& progress)
    : evaluator_(program) {
  const auto start = Clock::now();
  evaluator_.set_variable("status", std::string("starting"));
  evaluator_.green_flag();
  const std::string status = wait("decoding weights in blocks", progress);
  if (status != "ready") fail(Fault::mismatch, "the project does not get ready: {}", status);
  seconds_loading_ = seconds_since(start);
}

std::string BlockSession::wait(const char* stage, Progress& progress) {
  std::string status;
  const bool done = evaluator_.run_until(
      [&] {
        progress.report(stage, evaluator_.number("progress") / 100);
        status = evaluator_.text("status");
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
    evaluator_.set_variable("status", std::string("starting"));
    evaluator_.broadcast(broadcast);
  };
  send("new chat");
  wait("running the blocks", progress);
  evaluator_.set_list("prompt tokens", {});
  evaluator_.set_variable("max new tokens", 0.0);
  evaluator_.set_variable("user message", message);
  send("chat");
  evaluator_.run_until(
      [&] {
        return evaluator_.list_size("prompt tokens") > 0 || is_final(evaluator_.text("status"));
      },
      std::numeric_limits<std::size_t>::max());
  std::vector<int> tokens = ids("prompt tokens");
  evaluator_.broadcast("stop");
  wait("running the blocks", progress);
  return tokens;
}

BlockResult BlockSession::run(const BlockRequest& request, Progress& progress) {
  evaluator_.set_variable("max new tokens", static_cast<double>(request.max_new_tokens));
  evaluator_.set_variable("record logits", static_cast<double>(request.record_logits));
  evaluator_.set_variable("temperature", request.temperature);
  evaluator_.set_variable("top k", request.top_k);
  evaluator_.set_variable("top p", request.top_p);
  evaluator_.set_variable("repetition penalty", request.repetition_penalty);
  evaluator_.set_variable("seed", request.seed);
  const bool chat = !request.user_message.empty();
  if (chat) {
    evaluator_.set_variable("user message", request.user_message);
  } else {
    evaluator_.set_list("prompt tokens", as_items(request.tokens));
  }
  const auto start = Clock::now();
  evaluator_.set_variable("status", std::string("starting"));
  evaluator_.broadcast(chat ? "chat" : "generate");
  BlockResult result;
  result.status = wait("running the blocks", progress);
  result.seconds = seconds_since(start);
  result.stop_reason = evaluator_.text("stop reason");
  result.seconds_per_token = evaluator_.number("seconds per token");
  result.tokens = ids("output tokens");
  result.prompt_tokens = ids("prompt tokens");
  result.logits = evaluator_.list_numbers("logits");
  if (const std::size_t turns = evaluator_.list_size("transcript"); turns > 0) {
    const scratch::Scalar last = evaluator_.list_item("transcript", turns - 1);
    if (const auto* text = std::get_if<std::string>(&last)) result.text = *text;
  }
  return result;
}

}  // namespace sb3lm
