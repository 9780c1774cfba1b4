#include "progress_tty.h"

#include "base/streams.h"
#include "console.h"

namespace sb3lm {

namespace {
constexpr auto kRefresh = std::chrono::milliseconds(100);
// Before that a guess at the rest is worth little, and little is left to wait for.
constexpr double kSecondsBeforeGuess = 3;

/// ", 40 s left", if the stage has run long enough to tell.
std::string time_left(double fraction, double seconds) {
  if (fraction <= 0 || fraction >= 1 || seconds < kSecondsBeforeGuess) return "";
  const double left = seconds * (1 - fraction) / fraction;
  return left < 90 ? fmt::format(", {:.0f} s left", left)
                   : fmt::format(", {:.0f} min left", left / 60);
}
}  // namespace

TerminalProgress::TerminalProgress(bool quiet)
    : quiet_(quiet), terminal_(is_terminal(Stream::err)) {}

TerminalProgress::~TerminalProgress() {
  finish();
}

void TerminalProgress::report(std::string_view what, double fraction) {
  if (quiet_) return;
  const auto now = Clock::now();
  const bool fresh = what != stage_;
  if (fresh) {
    finish();
    stage_ = what;
    stage_start_ = now;
    if (!terminal_) print_err("{}\n", stage_);
  }
  if (!terminal_ || (!fresh && now - last_line_ < kRefresh && fraction < 1)) return;
  last_line_ = now;
  const double seconds = std::chrono::duration<double>(now - stage_start_).count();
  if (fraction < 0) {
    print_err("\r\033[K{} ({:.1f} s)", stage_, seconds);
  } else {
    print_err("\r\033[K{} {:3.0f} % ({:.1f} s{})", stage_, 100 * fraction, seconds,
              time_left(fraction, seconds));
  }
  line_open_ = true;
}

void TerminalProgress::finish() {
  if (line_open_) print_err("\n");
  line_open_ = false;
}

}  // namespace sb3lm
