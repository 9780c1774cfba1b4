#include "runtime_ref/chat.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace sb3lm {
namespace {

/// What goes in front once the first turn is forgotten: the start token, if turns begin with it.
std::vector<int> head_of(const Model& about) {
  const std::vector<TemplatePart>& first = about.chat.first;
  const bool starts = !first.empty() && first.front().kind == TemplatePart::Kind::token &&
                      first.front().token == about.tokenizer.bos;
  return starts ? std::vector<int>{about.tokenizer.bos} : std::vector<int>{};
}

}  // namespace

Chat::Chat(const Model& about, Decoder& decoder, const GenerateOptions& options)
    : about_(about),
      decoder_(decoder),
      options_(options),
      sampler_(options.sampling, decoder.vocabulary()),
      head_(head_of(about)),
      conversation_(head_, decoder.context()) {
  if (!about.tokenizer.present()) fail(Fault::usage, "chat: the model has no tokenizer");
}

void Chat::reset() {
  conversation_.clear();
  decoder_.reset();
  sampler_ = Sampler(options_.sampling, decoder_.vocabulary());
  closed_ = true;
}

std::vector<int> Chat::unfed() const {
  std::vector<int> tokens = conversation_.tokens();
  tokens.erase(tokens.begin(), tokens.begin() + decoder_.position());
  return tokens;
}

bool Chat::has_room() const {
  return conversation_.size() < static_cast<std::size_t>(decoder_.context());
}

/// Forgets turns if any can go; the rest is to be run again from the start.
void Chat::make_room() {
  const std::size_t forgotten = conversation_.shift();
  if (forgotten > 0) decoder_.reset();
  forgotten_ += forgotten;
}

void Chat::open_turn(const std::vector<int>& tokens) {
  if (tokens.size() + head_.size() >= static_cast<std::size_t>(decoder_.context())) {
    fail(Fault::usage, "{} tokens leave no room in a context of {}", tokens.size(),
         decoder_.context());
  }
  if (!about_.chat.present()) reset();
  // A reply that was cut off is closed before the next turn.
  if (!closed_ && !about_.chat.stop_ids.empty()) conversation_.add(about_.chat.stop_ids.front());
  conversation_.start_turn(tokens);
  closed_ = false;
  if (!has_room()) make_room();
}

std::size_t Chat::begin(std::string_view text) {
  const ChatTemplate& chat = about_.chat;
  std::vector<int> tokens;
  if (!chat.present()) {
    tokens = encode(about_.tokenizer, text, true);
  } else if (conversation_.empty()) {
    tokens = apply_template(about_.tokenizer, chat.first, text);
  } else {
    tokens = apply_template(about_.tokenizer, chat.next, text, false);
  }
  forgotten_ = 0;
  open_turn(tokens);
  left_ = options_.max_new_tokens;
  return unfed().size();
}

bool Chat::read(std::size_t tokens) {
  const std::vector<int> waiting = unfed();
  const std::size_t count = std::min(tokens, waiting.size() - 1);
  const std::span<const int> some = std::span(waiting).first(count);
  for (const int token : some) sampler_.saw(token);
  if (count > 0) decoder_.run(some, 0, {});
  return count + 1 < waiting.size();
}

Chat::Reply Chat::go_on(const OnToken& on_token) {
  Reply reply;
  // The last token waits for the next turn, as it does when nobody ends the reply.
  if (left_ <= 0 && options_.max_new_tokens > 0) {
    reply.made.stop_reason = "length";
    return reply;
  }
  GenerateOptions options = options_;
  while (true) {
    options.max_new_tokens = left_;
    Generated part = generate_after(decoder_, sampler_, unfed(), options, on_token);
    for (const int token : part.tokens) conversation_.add(token);
    left_ -= static_cast<int>(part.tokens.size());
    reply.made.tokens.insert(reply.made.tokens.end(), part.tokens.begin(), part.tokens.end());
    reply.made.stop_reason = part.stop_reason;
    closed_ = part.stop_reason == "stop token";
    if (closed_) conversation_.add(part.unfed);
    const bool is_full = part.stop_reason == "context full";
    if (is_full) make_room();
    if (is_full && has_room()) continue;
    reply.forgotten_turns = std::exchange(forgotten_, 0);
    return reply;
  }
}

Chat::Reply Chat::say(std::string_view text, const OnToken& on_token) {
  const std::size_t prompt_tokens = begin(text);
  Reply reply = go_on(on_token);
  reply.prompt_tokens = prompt_tokens;
  return reply;
}

}  // namespace sb3lm
