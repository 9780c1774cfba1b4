#include "runtime_ref/generate.h"

#include <algorithm>

#include "base/error.h"

namespace sb3lm {
namespace {

void check_prompt(const Decoder& engine, const std::vector<int>& prompt) {
  if (prompt.empty()) fail(Fault::usage, "prompt: it has no tokens");
  for (const int token : prompt) {
    if (token >= 0 && token < engine.vocabulary()) continue;
    fail(Fault::usage, "prompt: token {}: ids of this model are 0 to {}", token,
         engine.vocabulary() - 1);
  }
  const std::size_t taken = prompt.size() + static_cast<std::size_t>(engine.position());
  if (taken >= static_cast<std::size_t>(engine.context())) {
    fail(Fault::usage, "prompt: {} tokens leave no room in a context of {}", taken,
         engine.context());
  }
}

bool contains(const std::vector<int>& ids, int token) {
  return std::find(ids.begin(), ids.end(), token) != ids.end();
}

/// Runs the prompt; the logits after its last token, empty if nobody needs them.
std::span<const double> prefill(Decoder& engine, const std::vector<int>& prompt,
                                const GenerateOptions& options, Generated& result) {
  const bool record = options.record == RecordLogits::prompt_too;
  std::span<const double> last;
  const std::size_t wanted = record ? prompt.size() : options.max_new_tokens > 0 ? 1 : 0;
  engine.run(prompt, wanted, [&](std::size_t, std::span<const double> logits) {
    last = logits;
    if (record) result.logits.emplace_back(logits.begin(), logits.end());
  });
  return last;
}

}  // namespace

Generated generate(Decoder& engine, const std::vector<int>& prompt, const GenerateOptions& options,
                   const OnToken& on_token) {
  engine.reset();
  Sampler sampler(options.sampling, engine.vocabulary());
  return generate_after(engine, sampler, prompt, options, on_token);
}

Generated generate_after(Decoder& engine, Sampler& sampler, const std::vector<int>& prompt,
                         const GenerateOptions& options, const OnToken& on_token) {
  check_prompt(engine, prompt);
  for (const int token : prompt) sampler.saw(token);
  Generated result;
  std::span<const double> logits = prefill(engine, prompt, options, result);
  if (options.record == RecordLogits::generated && !logits.empty()) {
    result.logits.emplace_back(logits.begin(), logits.end());
  }
  const auto ended = [&](const char* reason) {
    result.stop_reason = reason;
    return result;
  };
  if (options.max_new_tokens <= 0) return ended("length");
  while (true) {
    const int token = result.unfed = sampler.sample(logits);
    if (contains(options.stop_ids, token)) return ended("stop token");
    result.tokens.push_back(token);
    sampler.saw(token);
    if (on_token && !on_token(token)) return ended("stopped");
    if (result.tokens.size() >= static_cast<std::size_t>(options.max_new_tokens)) {
      return ended("length");
    }
    if (engine.position() >= engine.context()) return ended("context full");
    logits = engine.step(token);
    if (options.record != RecordLogits::none) {
      result.logits.emplace_back(logits.begin(), logits.end());
    }
  }
}

}  // namespace sb3lm
