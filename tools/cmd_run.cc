// run and logits: the model on the native engine.
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/memory.h"
#include "commands.h"
#include "console.h"
#include "input_check.h"
#include "load.h"
#include "native.h"
#include "reply.h"

namespace sb3lm {
namespace {

using Json = nlohmann::ordered_json;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int run_command(const RunOptions& options, Progress& progress) {
  check_threads(options.engine, options.threads);
  const NativeModel native(options.input, options.engine, progress);
  if (options.chat) return chat_command(native, options);
  const Model& model = native.about();
  const auto engine = native.decoder(options.context, options.threads);
  const std::vector<int> prompt = prompt_tokens(model, options.prompt);
  ReplyPrinter printer(model);
  int made_so_far = 0;
  const OnToken take = [&](int token) {
    // What only the prompt needed, once the engine has made its first step after it.
    if (++made_so_far == 2) release_memory();
    if (!options.json) printer.print(token);
    return true;
  };
  const auto start = std::chrono::steady_clock::now();
  const Generated made = generate(*engine, prompt, generate_options(model, options), take);
  const double seconds = seconds_since(start);
  const std::uint64_t peak_bytes = peak_resident_bytes();  // writing JSON takes no part in it
  if (!options.json) {
    printer.finish();
    return 0;
  }
  const double count = static_cast<double>(made.tokens.size());
  const Json json = {
      {"prompt", prompt},
      {"tokens", made.tokens},
      {"text", model.tokenizer.present() ? decode(model.tokenizer, made.tokens) : ""},
      {"stop_reason", made.stop_reason},
      {"tokens_per_second", seconds > 0 ? count / seconds : 0},
      {"peak_bytes", peak_bytes}};
  print_json(json);
  return 0;
}

int run_command(const LogitsOptions& options, Progress& progress) {
  check_threads(options.engine, options.threads);
  const NativeModel native(options.input, options.engine, progress);
  const auto engine = native.decoder(0, options.threads);
  for (const int token : options.tokens) {
    if (token >= 0 && token < engine->vocabulary()) continue;
    fail(Fault::usage, "{}: token {}: ids of this model are 0 to {}", options.input.file.string(),
         token, engine->vocabulary() - 1);
  }
  std::vector<std::vector<double>> rows;
  engine->run(options.tokens, options.all ? options.tokens.size() : 1,
              [&](std::size_t, std::span<const double> logits) {
                rows.emplace_back(logits.begin(), logits.end());
              });
  if (options.json) {
    const Json json = {{"tokens", options.tokens},
                       {"logits", options.all ? Json(rows) : Json(rows.front())}};
    print_json(json);
    return 0;
  }
  for (const auto& row : rows) {
    for (std::size_t id = 0; id < row.size(); ++id) print_out("{} {}\n", id, row[id]);
  }
  return 0;
}

}  // namespace sb3lm
