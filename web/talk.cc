#include "talk.h"

#include <chrono>

#include "tools/reply.h"

namespace sb3lm {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kReadAtOnce = 8;  // tokens; of a large model some 50 ms

}  // namespace

Talk::Talk(const RunOptions& options, Progress& progress)
    : native_(options.input, options.engine, progress),
      decoder_(native_.decoder(options.context, 1)) {
  const Model& about = native_.about();
  if (!about.tokenizer.present()) return;
  chat_ = std::make_unique<Chat>(about, *decoder_, generate_options(about, options));
}

void Talk::begin(std::string_view text) {
  ids_.clear();
  shown_ = forgotten_ = 0;
  stop_reason_.clear();
  chat_->begin(text);
  reading_ = true;
}

bool Talk::go_on(double milliseconds, const std::function<void(std::string_view)>& take) {
  const Clock::time_point end =
      Clock::now() + std::chrono::microseconds(static_cast<std::int64_t>(1000 * milliseconds));
  while (reading_) {
    reading_ = chat_->read(kReadAtOnce);
    if (Clock::now() >= end) return true;
  }
  const Chat::Reply part = chat_->go_on([&](int token) {
    ids_.push_back(token);
    // Decoding the whole reply keeps the leading space right.
    const std::string text = decode(native_.about().tokenizer, ids_);
    take(std::string_view(text).substr(std::min(shown_, text.size())));
    shown_ = text.size();
    return Clock::now() < end || decoder_->position() + 1 >= decoder_->context();
  });
  forgotten_ += part.forgotten_turns;
  stop_reason_ = part.made.stop_reason;
  return stop_reason_ == "stopped";
}

void Talk::reset() {
  chat_->reset();
}

}  // namespace sb3lm
