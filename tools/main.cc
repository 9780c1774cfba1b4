// Errors of every kind end here: one line, and the exit code of README.md, "Using it".
#include <algorithm>
#include <new>
#include <string>
#include <system_error>

#include "base/error.h"
#include "base/process.h"
#include "base/streams.h"
#include "commands.h"
#include "console.h"
#include "options.h"
#include "progress_tty.h"

namespace {

/// One line, without what would move a terminal's cursor: names in files may hold anything.
std::string printable(std::string text) {
  constexpr unsigned char kFirst = ' ', kDelete = 0x7f;
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < kFirst || c == kDelete; }, '?');
  return text;
}

int report_error(const sb3lm::Error& error) {
  sb3lm::print_err("sb3lm: {}\n", printable(error.what()));
  if (error.fault == sb3lm::Fault::bug) {
    sb3lm::print_err("sb3lm: this is a bug in sb3lm; please report it with the command line\n");
  }
  return static_cast<int>(error.fault);
}

int run(std::vector<std::string> words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  const sb3lm::CommandLine line =
      sb3lm::parse_command_line(static_cast<int>(words.size()), pointers.data());
  sb3lm::TerminalProgress progress(line.quiet);
  const int status = std::visit(
      [&](const auto& options) { return sb3lm::run_command(options, progress); }, line.command);
  sb3lm::flush_out();
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  sb3lm::prepare_streams();
  try {
    return run(sb3lm::program_words(argc, argv));
  } catch (const sb3lm::Error& error) {
    return report_error(error);
  } catch (const std::bad_alloc&) {
    return report_error({sb3lm::Fault::bad_input, "not enough memory"});
  } catch (const std::system_error& error) {  // it refuses a file, a thread
    return report_error({sb3lm::Fault::bad_input, error.what()});
  } catch (const std::exception& error) {
    return report_error({sb3lm::Fault::bug, error.what()});
  }
}
