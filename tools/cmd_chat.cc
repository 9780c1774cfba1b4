// run --chat: a conversation in the terminal. Ctrl-C stops a reply, not the program.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <iterator>
#include <optional>

#include "base/error.h"
#include "base/memory.h"
#include "commands.h"
#include "console.h"
#include "native.h"
#include "reply.h"
#include "runtime_ref/chat.h"

namespace sb3lm {
namespace {

using Clock = std::chrono::steady_clock;

volatile std::sig_atomic_t interrupted = 0;
int wakeup = -1;  // the end that the handler writes to

/// Notes Ctrl-C instead of ending the program, for as long as it lives. A byte in a pipe wakes the
/// reader of a line whichever thread the signal came to and however close before it waited.
class CatchInterrupts {
 public:
  CatchInterrupts() {
    if (::pipe2(pipe_, O_CLOEXEC | O_NONBLOCK) != 0) {
      fail(Fault::bad_input, "a pipe for Ctrl-C: {}", std::strerror(errno));
    }
    wakeup = pipe_[1];
    struct sigaction action {};
    action.sa_handler = [](int) {
      const int before = errno;
      interrupted = 1;
      const char byte = 0;
      // A full pipe wakes the reader too.
      [[maybe_unused]] const ssize_t written = ::write(wakeup, &byte, 1);
      errno = before;
    };
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGINT, &action, &before_);
  }
  ~CatchInterrupts() {
    ::sigaction(SIGINT, &before_, nullptr);
    ::close(pipe_[0]);
    ::close(pipe_[1]);
  }
  CatchInterrupts(const CatchInterrupts&) = delete;
  CatchInterrupts& operator=(const CatchInterrupts&) = delete;

  /// Readable once Ctrl-C came since forget().
  int descriptor() const { return pipe_[0]; }

  void forget() {
    char bytes[64];
    while (::read(pipe_[0], bytes, sizeof(bytes)) > 0) {
    }
    interrupted = 0;
  }

 private:
  int pipe_[2] = {-1, -1};
  struct sigaction before_ {};
};

/// Lines of standard input; nothing at its end.
class LineReader {
 public:
  /// The next line, or an empty one if `interrupts` came first.
  std::optional<std::string> next(const CatchInterrupts& interrupts) {
    while (true) {
      if (const std::size_t end = waiting_.find('\n'); end != std::string::npos) {
        std::string line = waiting_.substr(0, end);
        waiting_.erase(0, end + 1);
        return line;
      }
      pollfd sources[] = {{STDIN_FILENO, POLLIN, 0}, {interrupts.descriptor(), POLLIN, 0}};
      if (::poll(sources, std::size(sources), -1) < 0 && errno != EINTR) {
        fail(Fault::bad_input, "standard input: {}", std::strerror(errno));
      }
      if (sources[1].revents != 0) return "";
      if (sources[0].revents == 0) continue;
      char part[4096];
      const ssize_t size = ::read(STDIN_FILENO, part, sizeof(part));
      if (size < 0) fail(Fault::bad_input, "standard input: {}", std::strerror(errno));
      if (size == 0 && waiting_.empty()) return std::nullopt;
      if (size == 0) return std::exchange(waiting_, "");
      waiting_.append(part, static_cast<std::size_t>(size));
      if (waiting_.size() > kLongestLine) {
        fail(Fault::bad_input, "standard input: a line of more than {} bytes", kLongestLine);
      }
    }
  }

 private:
  static constexpr std::size_t kLongestLine = 1 << 20;
  std::string waiting_;
};

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
        terminal_(::isatty(STDIN_FILENO) == 1) {}

  void run() {
    CatchInterrupts interrupts;
    if (terminal_)
      note("/reset forgets the conversation, /stats measures it, /quit or Ctrl-D ends");
    LineReader lines;
    while (true) {
      interrupts.forget();
      if (terminal_) print_out("> ");
      flush_out();
      const std::optional<std::string> line = lines.next(interrupts);
      if (!line || *line == "/quit") break;
      if (line->empty() && interrupted != 0) print_out("\n");
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
      return interrupted == 0;
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
