// A conversation in slices, so that the worker can hear of "stop" between them.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime_ref/chat.h"
#include "tools/native.h"

namespace sb3lm {

class Talk {
 public:
  Talk(const RunOptions& options, Progress& progress);

  const NativeModel& native() const { return native_; }
  /// Without a tokenizer it is a model to build only: nothing below may be called.
  bool can_talk() const { return chat_ != nullptr; }

  void begin(std::string_view text);
  /// Works for about `milliseconds`, hands over the bytes of text that came, and returns whether
  /// there is more to come.
  bool go_on(double milliseconds, const std::function<void(std::string_view)>& take);
  void reset();

  std::size_t said() const { return ids_.size(); }  // tokens of the reply so far
  std::size_t tokens() const { return chat_->tokens(); }
  int context() const { return chat_->context(); }
  std::size_t forgotten() const { return forgotten_; }  // turns, by this reply
  const std::string& stop_reason() const { return stop_reason_; }

 private:
  NativeModel native_;
  std::unique_ptr<Decoder> decoder_;
  std::unique_ptr<Chat> chat_;
  bool reading_ = false;
  std::vector<int> ids_;
  std::size_t shown_ = 0;  // bytes of their text
  std::size_t forgotten_ = 0;
  std::string stop_reason_;
};

}  // namespace sb3lm
