// run --chat: a conversation in the terminal. Ctrl-C stops a reply, not the program.

#include <chrono>
#include <optional>

#include "base/error.h"
#include "base/line_reader.h"
#include "base/memory.h"
#include "base/streams.h"
#include "commands.h"
#include "console.h"
#include "native.h"
#include "reply.h"
#include "runtime_ref/chat.h"

namespace sb3lm {
namespace {

using Clock = std::chrono::steady_clock;

double seconds(Clock::duration time) {
  return std::chrono::duration<double>(time).count();
}

/// Tokens and time, summed over the session.
struct Meter {
  std::size_t prompt_tokens = 0, reply_tokens = 0;
  double prompt_seconds = 0, reply_seconds = 0;

  std::string text(const Chat& chat) const {
    const auto rate = [](std::size_t tokens, double time) {
      return time > 0 ? static_cast<double>(tokens) / time : 0;
    };
    return fmt::format(
        "{} tokens said at {:.0f} a second, {} read at {:.0f} a second; {} of {} positions taken; "
        "at most {:.1f} MiB of memory",
        reply_tokens, rate(reply_tokens, reply_seconds), prompt_tokens,
        rate(prompt_tokens, prompt_seconds), chat.tokens(), chat.context(),
        static_cast<double>(peak_resident_bytes()) / (1 << 20));
  }
};

class Session {
 public:
  Session(const NativeModel& native, const RunOptions& options)
      : about_(native.about()),
        decoder_(native.decoder(options.context, options.threads)),
        chat_(about_, *decoder_, generate_options(about_, options)),
        terminal_(is_terminal(Stream::in)) {}

  void run() {
    if (terminal_)
      note("/reset forgets the conversation, /stats measures it, /quit or Ctrl-D ends");
    LineReader lines;
    while (true) {
      interrupts_.forget();
      if (terminal_) print_out("> ");
      flush_out();
      const std::optional<std::string> line = lines.next(interrupts_);
      if (!line || *line == "/quit") break;
      if (line->empty() && interrupts_.came()) print_out("\n");
      if (!line->empty()) obey(*line);
    }
    note(meter_.text(chat_));
  }

 private:
  /// What is about the conversation, not of it.
  static void note(const std::string& text) { print_err("[{}]\n", text); }

  void obey(const std::string& line) {
    if (line == "/reset") {
      chat_.reset();
      note("a new conversation");
    } else if (line == "/stats") {
      note(meter_.text(chat_));
    } else if (line.front() == '/') {
      note("there are /reset, /stats and /quit");
    } else {
      say(line);
    }
  }

  void say(const std::string& line) {
    ReplyPrinter printer(about_);
    const Clock::time_point start = Clock::now();
    Clock::time_point first = start;
    const auto on_token = [&](int token) {
      if (first == start) first = Clock::now();
      printer.print(token);
      return !interrupts_.came();
    };
    try {
      const Chat::Reply reply = chat_.say(line, on_token);
      printer.finish();
      if (first == start) first = Clock::now();
      meter_.prompt_tokens += reply.prompt_tokens;
      meter_.prompt_seconds += seconds(first - start);
      // The first token comes with the prompt.
      meter_.reply_tokens += reply.made.tokens.empty() ? 0 : reply.made.tokens.size() - 1;
      meter_.reply_seconds += seconds(Clock::now() - first);
      explain(reply);
    } catch (const Error& error) {
      if (error.fault != Fault::usage) throw;
      note(error.what());
    }
  }

  void explain(const Chat::Reply& reply) const {
    if (reply.forgotten_turns == 1) note("the context was full: the oldest turn is forgotten");
    if (reply.forgotten_turns > 1) {
      note(fmt::format("the context was full: the oldest {} turns are forgotten",
                       reply.forgotten_turns));
    }
    const std::string& reason = reply.made.stop_reason;
    if (reason != "stop token") note(reason);
  }

  const Model& about_;
  std::unique_ptr<Decoder> decoder_;
  Chat chat_;
  bool terminal_;
  Meter meter_;
  Interrupts interrupts_;
};

}  // namespace

int chat_command(const NativeModel& native, const RunOptions& options) {
  if (!native.about().tokenizer.present()) {
    fail(Fault::usage, "--chat: the model has no tokenizer; --tokenizer names one");
  }
  Session(native, options).run();
  return 0;
}

}  // namespace sb3lm
