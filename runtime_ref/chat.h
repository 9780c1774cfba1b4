// A conversation with a model, turn by turn: only what is new is run, until the context is full.
#pragma once

#include <string_view>

#include "model/model.h"
#include "runtime_ref/conversation.h"
#include "runtime_ref/generate.h"

namespace sb3lm {

class Chat {
 public:
  /// `about` is the model's tokenizer and template; it and `decoder` must outlive the chat. Throws
  /// usage if there is no tokenizer, or for a sampling option outside its range.
  Chat(const Model& about, Decoder& decoder, const GenerateOptions& options);

  struct Reply {
    Generated made;
    std::size_t prompt_tokens = 0;    // run before the reply's first token
    std::size_t forgotten_turns = 0;  // that no longer fitted the context
  };
  /// The reply to what the user says. Without a template each text is continued on its own. If the
  /// context gets full, the oldest turns are forgotten (see Conversation) and the reply goes on; it
  /// ends with "context full" if this turn alone is too long. Throws usage, and changes nothing, if
  /// the text alone is.
  Reply say(std::string_view text, const OnToken& on_token);

  /// The same in parts, for callers without threads. begin() opens the turn and returns how many
  /// tokens are to be run before the reply; read() runs some of them, and returns whether some are
  /// left that need no logits; go_on() makes the reply, and more of it after on_token has ended it,
  /// which it may do only while decoder.position() + 1 < context().
  std::size_t begin(std::string_view text);
  bool read(std::size_t tokens);
  Reply go_on(const OnToken& on_token);

  /// As if nothing had been said.
  void reset();

  std::size_t tokens() const { return conversation_.size(); }
  int context() const { return decoder_.context(); }

 private:
  void open_turn(const std::vector<int>& tokens);
  std::vector<int> unfed() const;
  void make_room();
  bool has_room() const;

  const Model& about_;
  Decoder& decoder_;
  GenerateOptions options_;
  Sampler sampler_;
  std::vector<int> head_;
  Conversation conversation_;
  int left_ = 0;               // of the reply's tokens
  std::size_t forgotten_ = 0;  // turns, since the last part of a reply
  bool closed_ = true;         // the last reply ended with a stop token
};

}  // namespace sb3lm
