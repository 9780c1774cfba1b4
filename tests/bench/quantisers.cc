// What rounding to few bits costs by each quantiser: prints rows of a Markdown table.
//   quantisers CHECKPOINT [TOKENIZER TEXT] [--plans PLAN.json...]
// Perplexity of 20,000 tokens that the model has written with its own weights, at temperature 1, in
// windows of its context or 256; with a text, bits per byte of that. Codes count as the floats that
// they stand for. With plans of `sb3lm plan`, a row for each instead of the widths from 5 to 2.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "import/import.h"
#include "import/plan_file.h"
#include "quant/recipe.h"
#include "runtime_ref/engine.h"
#include "runtime_ref/evaluate.h"
#include "runtime_ref/round_in_turn.h"
#include "runtime_ref/sampler.h"

namespace sb3lm {
namespace {

constexpr int kWindow = 256;
constexpr std::size_t kWritten = 20000;
constexpr double kSeed = 777;  // calibration begins with 20,100

std::vector<int> written_by(const Model& model, int window) {
  const std::size_t count = (kWritten + static_cast<std::size_t>(window) - 1) / window;
  std::vector<int> text(count * static_cast<std::size_t>(window));
  SilentProgress silent;
  for_each_in_parallel(count, 0, "", silent, [&](std::size_t i) {
    Engine engine(model, window);
    Sampler sampler({.temperature = 1, .seed = kSeed + static_cast<double>(i)},
                    model.spec.vocabulary);
    int token = std::max(model.tokenizer.bos, 0);
    for (int position = 0; position < window; ++position) {
      text[i * static_cast<std::size_t>(window) + static_cast<std::size_t>(position)] = token;
      token = sampler.sample(engine.step(token));
    }
  });
  return text;
}

/// A text to judge by: -log p of its tokens becomes one number for people.
struct Judge {
  std::vector<int> tokens;
  int window = kWindow;
  double bytes = 0;  // 0: perplexity

  double operator()(const Model& model) const {
    SilentProgress silent;
    double sum = 0;
    const auto nats = token_nats(model, tokens, {.context = window, .stride = window}, 0, silent);
    for (const double one : nats) sum += one;
    return bytes > 0 ? sum / std::log(2.0) / bytes
                     : std::exp(sum / static_cast<double>(nats.size()));
  }
};

Judge judge_for(const Model& model, const char* text) {
  Judge judge{.window = std::min(kWindow, model.spec.context)};
  if (text == nullptr) {
    judge.tokens = written_by(model, judge.window);
    return judge;
  }
  const MappedFile file(text);
  judge.tokens = encode(model.tokenizer, std::string(file.text()), true);
  judge.bytes = static_cast<double>(file.text().size());
  return judge;
}

/// Every matrix as floats.
Widths made_floats(Model& model) {
  Widths widths;
  for (auto& [key, tensor] : model.tensors) {
    if (is_vector(key.role) || is_router(key.role)) continue;
    tensor = floats_of(tensor);
    widths[key] = 0;
  }
  return widths;
}

void print_quantisers(const Model& model, Widths widths, const Judge& judge) {
  std::printf("| bits | rtn | gptq |\n|---|---|---|\n");
  SilentProgress silent;
  for (const int bits : {5, 4, 3, 2}) {
    for (auto& [key, width] : widths) width = bits;
    Model nearest = model, turns = model;
    round_to_nearest(nearest, widths);
    round_in_turn(turns, widths, {}, {}, silent);
    std::printf("| %d | %.4g | %.4g |\n", bits, judge(nearest), judge(turns));
    std::fflush(stdout);
  }
}

void print_plan(const Model& model, const std::string& file, const Judge& judge) {
  SilentProgress silent;
  Model planned = model;
  apply_recipe(
      planned, read_plan(file, MappedFile(file).text()),
      [&](Model& trial, const Widths& widths) { round_in_turn(trial, widths, {}, {}, silent); });
  std::printf("| %s | %.4g |\n", file.c_str(), judge(planned));
  std::fflush(stdout);
}

void run(std::vector<std::string> arguments) {
  std::vector<std::string> plans;
  if (const auto mark = std::find(arguments.begin(), arguments.end(), "--plans");
      mark != arguments.end()) {
    plans.assign(mark + 1, arguments.end());
    arguments.erase(mark, arguments.end());
  }
  const bool has_text = arguments.size() == 3;
  if (arguments.size() != 1 && !has_text) fail(Fault::usage, "see the top of quantisers.cc");
  SilentProgress silent;
  ImportOptions options;
  if (has_text) options.tokenizer = arguments[1];
  Model model = import_model(arguments[0], options, silent);
  const Widths widths = made_floats(model);
  const Judge judge = judge_for(model, has_text ? arguments[2].c_str() : nullptr);
  std::printf("floats %.4g\n", judge(model));
  if (plans.empty()) print_quantisers(model, widths, judge);
  for (const std::string& file : plans) print_plan(model, file, judge);
}

}  // namespace
}  // namespace sb3lm

int main(int argc, char** argv) {
  try {
    sb3lm::run({argv + 1, argv + argc});
  } catch (const sb3lm::Error& error) {
    std::fprintf(stderr, "quantisers: %s\n", error.what());
    return static_cast<int>(error.fault);
  }
}
