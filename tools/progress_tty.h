// Progress on standard error: one rewritten line on a terminal, a plain line per stage otherwise.
#pragma once

#include <chrono>
#include <string>

#include "base/progress.h"

namespace sb3lm {

class TerminalProgress final : public Progress {
 public:
  explicit TerminalProgress(bool quiet);
  ~TerminalProgress() override;
  void report(std::string_view what, double fraction) override;
  /// Ends the rewritten line, before something else is printed.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  bool quiet_;
  bool terminal_;
  std::string stage_;
  Clock::time_point stage_start_, last_line_;
  bool line_open_ = false;
};

}  // namespace sb3lm
