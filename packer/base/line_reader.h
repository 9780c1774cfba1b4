// Lines that somebody types, and Ctrl-C while they do.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace sb3lm {

/// Notes Ctrl-C instead of ending the program, for as long as it lives. There is one at a time.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  /// Since forget().
  bool came() const;
  void forget();

  /// Waits for bytes of standard input: how many there are, 0 at its end, nothing if Ctrl-C came
  /// first. Throws bad_input with the system's reason.
  std::optional<std::size_t> read_input(std::span<char> into);
};

/// Lines of standard input; nothing at its end.
class LineReader {
 public:
  /// The next line, or an empty one if an interrupt came first. Throws bad_input.
  std::optional<std::string> next(Interrupts& interrupts);

 private:
  std::string waiting_;
};

}  // namespace sb3lm
