// Errors of every kind end here: one line, and the exit code of README.md, "Using it".
#include <fmt/format.h>

#include <new>

#include "base/error.h"
#include "commands.h"
#include "options.h"
#include "progress_tty.h"

namespace {

int report_error(const sb3lm::Error& error) {
  fmt::print(stderr, "sb3lm: {}\n", error.what());
  if (error.fault == sb3lm::Fault::bug) {
    fmt::print(stderr, "sb3lm: this is a bug in sb3lm; please report it with the command line\n");
  }
  return static_cast<int>(error.fault);
}

}  // namespace

int main(int argc, char** argv) {
  const sb3lm::CommandLine line = sb3lm::parse_command_line(argc, argv);
  sb3lm::TerminalProgress progress(line.quiet);
  try {
    return std::visit([&](const auto& options) { return sb3lm::run_command(options, progress); },
                      line.command);
  } catch (const sb3lm::Error& error) {
    progress.finish();
    return report_error(error);
  } catch (const std::bad_alloc&) {
    progress.finish();
    fmt::print(stderr, "sb3lm: not enough memory\n");
    return static_cast<int>(sb3lm::Fault::bad_input);
  } catch (const std::exception& error) {
    progress.finish();
    return report_error({sb3lm::Fault::bug, error.what()});
  }
}
