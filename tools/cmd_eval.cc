// eval: how well the model predicts a text.
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "base/error.h"
#include "commands.h"
#include "console.h"
#include "native.h"
#include "option_choices.h"
#include "runtime_ref/evaluate.h"
#include "runtime_ref/maths.h"
#include "text_source.h"

namespace sb3lm {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kLongestDefault = 2048, kGolfStride = 64;

WindowRule window_rule(const Model& model, const EvalOptions& options) {
  const int longest = model.spec.context;
  WindowRule rule{.context = options.context,
                  .stride = options.stride,
                  .scoring = options.rule,
                  .prefix = static_cast<std::size_t>(options.prefix)};
  if (rule.context == 0) rule.context = std::min(longest, kLongestDefault);
  if (rule.context > longest) {
    fail(Fault::usage, "--context {}: the model has {} positions", rule.context, longest);
  }
  if (rule.stride == 0) {
    const bool is_golf = options.rule == Scoring::parameter_golf;
    rule.stride = is_golf ? std::min(kGolfStride, rule.context) : (rule.context + 1) / 2;
  }
  if (rule.stride > rule.context) {
    fail(Fault::usage, "--stride {}: it must be 1 to the context of {}", rule.stride, rule.context);
  }
  return rule;
}

struct Result {
  std::size_t tokens = 0, windows = 0, scores = 0;
  std::optional<std::size_t> bytes;
  double nats = 0, seconds = 0;

  double mean() const { return nats / static_cast<double>(scores); }
  double perplexity() const { return maths::exp(mean()); }
  std::optional<double> bits_per_byte() const {
    if (!bytes || *bytes == 0) return std::nullopt;
    return nats / std::numbers::ln2 / static_cast<double>(*bytes);
  }
};

/// What parameter-golf's programs read of a shard: whole windows, and the token that the last one
/// predicts.
void keep_whole_windows(const WindowRule& rule, std::vector<int>& tokens) {
  const auto context = static_cast<std::size_t>(rule.context);
  if (tokens.size() > context) tokens.resize((tokens.size() - 1) / context * context + 1);
}

/// A token counts as often as it is scored: its piece's bytes, and a byte for the space that this
/// begins with, unless the token before is no text.
std::optional<std::size_t> scored_bytes(const Model& model, const std::vector<int>& tokens,
                                        std::span<const std::size_t> positions) {
  if (!model.tokenizer.present()) return std::nullopt;
  std::size_t bytes = 0;
  for (const std::size_t at : positions) {
    const TokenBytes one = token_bytes(model.tokenizer, tokens[at + 1]);
    bytes += static_cast<std::size_t>(one.bytes);
    if (one.begins_with_space && !token_bytes(model.tokenizer, tokens[at]).boundary) ++bytes;
  }
  return bytes;
}

Result evaluate(const NativeModel& native, const SourceText& text, const WindowRule& rule,
                int threads, Progress& progress) {
  const Model& model = native.about();
  std::vector<int> tokens = source_tokens(model, text);
  const bool is_golf = rule.scoring == Scoring::parameter_golf;
  if (is_golf && text.is_shard && rule.prefix == 0) keep_whole_windows(rule, tokens);
  const auto start = std::chrono::steady_clock::now();
  const std::vector<EvaluationWindow> windows = evaluation_windows(tokens.size(), rule);
  const std::vector<std::size_t> positions = scored_positions(windows);
  Result result{.tokens = tokens.size(), .windows = windows.size(), .scores = positions.size()};
  if (is_golf) {
    result.bytes = scored_bytes(model, tokens, positions);
  } else {
    result.bytes = predicted_bytes(model, text, tokens, positions.size());
  }
  // Windows run side by side, each on one thread.
  const auto make = [&native](int context) { return native.decoder(context, 1); };
  for (const double nats : token_nats(make, tokens, rule, threads, progress)) result.nats += nats;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json as_json(const EvalOptions& options, const SourceText& text, const WindowRule& rule,
             const Result& result) {
  return {{"file", options.input.file.string()},
          {"text", text.name},
          {"tokens", result.tokens},
          {"predicted", result.scores},
          {"bytes", or_null(result.bytes)},
          {"context", rule.context},
          {"stride", rule.stride},
          {"rule", enum_name(rule.scoring)},
          {"windows", result.windows},
          {"nats", result.nats},
          {"nats_per_token", result.mean()},
          {"perplexity", result.perplexity()},
          {"bits_per_byte", or_null(result.bits_per_byte())},
          {"seconds", result.seconds}};
}

void print_result(const SourceText& text, const WindowRule& rule, const Result& result) {
  print_out("text           {}\n", text.name);
  const bool is_once = rule.scoring == Scoring::once;
  print_out("tokens         {}, {} {}", result.tokens, result.scores,
            is_once ? "of them predicted" : "predictions scored");
  if (result.bytes) print_out(", {} bytes", *result.bytes);
  print_out("\nwindows        {} of {} positions, stride {}\n", result.windows, rule.context,
            rule.stride);
  print_out("nats           {:.3f}, {:.4f} a token\n", result.nats, result.mean());
  print_out("perplexity     {:.5g}\n", result.perplexity());
  if (const auto bits = result.bits_per_byte()) print_out("bits per byte  {:.4f}\n", *bits);
}

}  // namespace

int run_command(const EvalOptions& options, Progress& progress) {
  const SourceText text = read_source_text(options.text);
  const NativeModel native(options.input, options.engine, progress);
  const WindowRule rule = window_rule(native.about(), options);
  const Result result = evaluate(native, text, rule, options.threads, progress);
  progress.report("evaluating", 1);
  if (options.json) {
    print_json(as_json(options, text, rule, result));
  } else {
    print_result(text, rule, result);
  }
  return 0;
}

}  // namespace sb3lm
