// run and logits: the model on the native engine.
#include <chrono>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/memory.h"
#include "commands.h"
#include "load.h"
#include "native.h"
#include "runtime_ref/generate.h"

namespace sb3lm {
namespace {

using Json = nlohmann::ordered_json;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

GenerateOptions generate_options(const Model& model, const RunOptions& options) {
  const auto choose = [](double asked, double recommended) {
    return asked < 0 ? recommended : asked;
  };
  const SamplingChoices& s = options.sampling;
  GenerateOptions result;
  result.sampling = {.temperature = choose(s.temperature, model.temperature),
                     .top_k = static_cast<int>(choose(s.top_k, model.top_k)),
                     .top_p = choose(s.top_p, model.top_p),
                     .repetition_penalty = choose(s.repetition_penalty, model.repetition_penalty),
                     .seed = s.seed};
  result.max_new_tokens = options.max_new_tokens;
  result.stop_ids = model.tokenizer.stop_ids;
  result.stop_ids.insert(result.stop_ids.end(), model.chat.stop_ids.begin(),
                         model.chat.stop_ids.end());
  return result;
}

// Prints tokens as they come, or their ids if there is no tokenizer.
class Printer {
 public:
  explicit Printer(const Model& model) : model_(model) {}

  bool operator()(int token) {
    ids_.push_back(token);
    if (!model_.tokenizer.present()) {
      fmt::print("{} ", token);
    } else {
      // Decoding the whole reply keeps split UTF-8 and the leading space right.
      const std::string text = decode(model_.tokenizer, ids_);
      fmt::print("{}", std::string_view(text).substr(std::min(printed_, text.size())));
      printed_ = text.size();
    }
    std::fflush(stdout);
    return true;
  }

 private:
  const Model& model_;
  std::vector<int> ids_;
  std::size_t printed_ = 0;
};

int chat(const NativeModel& native, const RunOptions& options) {
  const Model& model = native.about();
  if (!model.tokenizer.present()) fail(Fault::usage, "--chat: the model has no tokenizer");
  const GenerateOptions how = generate_options(model, options);
  const auto decoder = native.decoder(0, options.threads);
  Decoder& engine = *decoder;
  Sampler sampler(how.sampling, engine.vocabulary());
  Generated reply;
  for (std::string line; fmt::print("> "), std::fflush(stdout), std::getline(std::cin, line);) {
    if (line.empty()) continue;
    std::vector<int> prompt;
    if (!model.chat.present()) {
      engine.reset();
      prompt = encode(model.tokenizer, line, true);
    } else if (engine.position() == 0) {
      prompt = apply_template(model.tokenizer, model.chat.first, line);
    } else {
      if (reply.unfed >= 0) prompt.push_back(reply.unfed);
      if (reply.stop_reason != "stop token" && !model.chat.stop_ids.empty()) {
        prompt.push_back(model.chat.stop_ids.front());
      }
      const auto next = apply_template(model.tokenizer, model.chat.next, line, false);
      prompt.insert(prompt.end(), next.begin(), next.end());
    }
    reply = generate_after(engine, sampler, prompt, how, Printer(model));
    fmt::print("\n");
  }
  return 0;
}

}  // namespace

int run_command(const RunOptions& options, Progress& progress) {
  const NativeModel native(options.input, options.engine, progress);
  if (options.chat) return chat(native, options);
  const Model& model = native.about();
  const auto engine = native.decoder(0, options.threads);
  const std::vector<int> prompt = prompt_tokens(model, options.prompt);
  OnToken print;
  if (!options.json) print = Printer(model);
  const auto start = std::chrono::steady_clock::now();
  const Generated made = generate(*engine, prompt, generate_options(model, options), print);
  const double seconds = seconds_since(start);
  if (!options.json) {
    fmt::print("\n");
    return 0;
  }
  const double count = static_cast<double>(made.tokens.size());
  const Json json = {
      {"prompt", prompt},
      {"tokens", made.tokens},
      {"text", model.tokenizer.present() ? decode(model.tokenizer, made.tokens) : ""},
      {"stop_reason", made.stop_reason},
      {"tokens_per_second", seconds > 0 ? count / seconds : 0},
      {"peak_bytes", peak_resident_bytes()}};
  fmt::print("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
  return 0;
}

int run_command(const LogitsOptions& options, Progress& progress) {
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
    fmt::print("{}\n", json.dump());
    return 0;
  }
  for (const auto& row : rows) {
    for (std::size_t id = 0; id < row.size(); ++id) fmt::print("{} {}\n", id, row[id]);
  }
  return 0;
}

}  // namespace sb3lm
