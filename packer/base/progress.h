// How long work reports that it is still going. Libraries report here and never print.
#pragma once

#include <string_view>

namespace sb3lm {

class Progress {
 public:
  virtual ~Progress() = default;
  /// `what` is the current stage ("decoding weights"); `fraction` is 0..1, or negative if unknown.
  virtual void report(std::string_view what, double fraction) = 0;
};

/// Reports nowhere.
class SilentProgress final : public Progress {
 public:
  void report(std::string_view, double) override {}
};

}  // namespace sb3lm
