// eval: how well the model predicts a text.
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "base/error.h"
#include "commands.h"
#include "console.h"
#include "native.h"
#include "runtime_ref/evaluate.h"
#include "text_source.h"

namespace sb3lm {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kLongestDefault = 2048;

WindowRule window_rule(const Model& model, const EvalOptions& options) {
  const int longest = model.spec.context;
  WindowRule rule{.context = options.context, .stride = options.stride};
  if (rule.context == 0) rule.context = std::min(longest, kLongestDefault);
  if (rule.context > longest) {
    fail(Fault::usage, "--context {}: the model has {} positions", rule.context, longest);
  }
  if (rule.stride == 0) rule.stride = (rule.context + 1) / 2;
  if (rule.stride > rule.context) {
    fail(Fault::usage, "--stride {}: it must be 1 to the context of {}", rule.stride, rule.context);
  }
  return rule;
}

struct Result {
  std::size_t tokens = 0, windows = 0;
  std::optional<std::size_t> bytes;
  double nats = 0, seconds = 0;

  std::size_t predicted() const { return tokens - 1; }
  double mean() const { return nats / static_cast<double>(predicted()); }
  double perplexity() const { return std::exp(mean()); }
  std::optional<double> bits_per_byte() const {
    if (!bytes || *bytes == 0) return std::nullopt;
    return nats / std::numbers::ln2 / static_cast<double>(*bytes);
  }
};

Result evaluate(const NativeModel& native, const SourceText& text, const WindowRule& rule,
                int threads, Progress& progress) {
  const Model& model = native.about();
  const std::vector<int> tokens = source_tokens(model, text);
  const auto start = std::chrono::steady_clock::now();
  Result result{.tokens = tokens.size(),
                .windows = evaluation_windows(tokens.size(), rule).size(),
                .bytes = predicted_bytes(model, text, tokens)};
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
          {"predicted", result.predicted()},
          {"bytes", or_null(result.bytes)},
          {"context", rule.context},
          {"stride", rule.stride},
          {"windows", result.windows},
          {"nats", result.nats},
          {"nats_per_token", result.mean()},
          {"perplexity", result.perplexity()},
          {"bits_per_byte", or_null(result.bits_per_byte())},
          {"seconds", result.seconds}};
}

void print_result(const SourceText& text, const WindowRule& rule, const Result& result) {
  print_out("text           {}\n", text.name);
  print_out("tokens         {}, {} of them predicted", result.tokens, result.predicted());
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
