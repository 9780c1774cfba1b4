#include "runtime_ref/sense.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "model/unicode.h"
#include "runtime_ref/evaluate.h"
#include "runtime_ref/fast_engine.h"
#include "runtime_ref/generate.h"
#include "runtime_ref/maths.h"

namespace sb3lm {
namespace {

constexpr int kContext = 256, kContinued = 16;
constexpr std::size_t kMostTokens = 400;
constexpr std::int64_t kMostProducts = 20'000'000'000;  // some seconds
constexpr const char* kBeginnings[] = {"Once upon a time", "The", "My name is"};
constexpr const char* kQuestions[] = {"Hello!", "What is a cat?", "Tell me a story."};

std::int64_t weights_of(const PackedModel& model) {
  std::int64_t weights = 1;
  for (const auto& [key, matrix] : model.matrices) {
    weights += std::int64_t{matrix.shape.rows} * matrix.shape.cols;
  }
  return weights;
}

MakeDecoder decoders_of(const PackedModel& model) {
  return [&model](int context) -> std::unique_ptr<Decoder> {
    return std::make_unique<FastEngine>(model, FastOptions{.context = context, .threads = 1});
  };
}

std::string continued(const PackedModel& model, const std::vector<int>& prompt) {
  const Tokenizer& tokenizer = model.about.tokenizer;
  const int context = std::min(model.about.spec.context, kContext);
  if (prompt.empty() || std::ssize(prompt) >= context) return "";
  const ChatTemplate& chat = model.about.chat;
  const std::vector<int>& stops = chat.present() ? chat.stop_ids : tokenizer.stop_ids;
  const auto decoder = decoders_of(model)(context);
  const Generated made = generate(*decoder, prompt,
                                  {.sampling = {.temperature = 0, .repetition_penalty = 1},
                                   .max_new_tokens = kContinued,
                                   .stop_ids = stops});
  return valid_utf8(decode(tokenizer, made.tokens));
}

std::vector<double> text_nats(const PackedModel& model, const std::string& text,
                              Progress& progress) {
  if (!model.about.tokenizer.present()) return {};
  std::vector<int> ids = encode(model.about.tokenizer, text, true);
  const std::int64_t affordable = std::max<std::int64_t>(kMostProducts / weights_of(model), 32);
  ids.resize(std::min({ids.size(), kMostTokens, static_cast<std::size_t>(affordable)}));
  if (ids.size() < 2) return {};
  const int context = std::min(model.about.spec.context, kContext);
  return token_nats(decoders_of(model), ids, {.context = context, .stride = (context + 1) / 2}, 0,
                    progress);
}

double mean(const std::vector<double>& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), 0.0) / static_cast<double>(numbers.size());
}

std::string advice_of(double nats, std::optional<double> before, int vocabulary) {
  // Whoever has learnt anything halves the choices more than twice.
  constexpr double kLeastLearnt = 1.5, kMuchLost = 0.1;
  if (before.value_or(nats) > maths::log(vocabulary) - kLeastLearnt) {
    return fmt::format(
        "that is hardly better than chance (perplexity {}): untrained, made for another language, "
        "or read in the wrong way, which sb3lm probe finds out",
        vocabulary);
  }
  if (before && nats - *before > kMuchLost) {
    return fmt::format("rounding costs {:.2f} nats a token: more --bits, or a plan, cost less",
                       nats - *before);
  }
  return "";
}

}  // namespace

std::optional<double> nats_of_text(const PackedModel& model, const std::string& text,
                                   Progress& progress) {
  const std::vector<double> nats = text_nats(model, text, progress);
  if (nats.empty()) return std::nullopt;
  return mean(nats);
}

std::optional<Sense> sense_of(const PackedModel& model, const std::string& text,
                              std::optional<double> before, Progress& progress) {
  const std::vector<double> each = text_nats(model, text, progress);
  if (each.empty()) return std::nullopt;
  const double nats = mean(each);
  Sense sense{.tokens = static_cast<int>(each.size()), .perplexity = maths::exp(nats)};
  if (before) sense.perplexity_before = maths::exp(*before);
  const Tokenizer& tokenizer = model.about.tokenizer;
  const ChatTemplate& chat = model.about.chat;
  for (const char* prompt : chat.present() ? kQuestions : kBeginnings) {
    const std::vector<int> ids = chat.present() ? apply_template(tokenizer, chat.first, prompt)
                                                : encode(tokenizer, prompt, true);
    sense.continuations.push_back({prompt, continued(model, ids)});
  }
  sense.advice = advice_of(nats, before, model.about.spec.vocabulary);
  return sense;
}

}  // namespace sb3lm
