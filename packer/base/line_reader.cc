#include "base/line_reader.h"

#include <utility>

#include "base/error.h"

namespace sb3lm {
namespace {

constexpr std::size_t kLongestLine = 1 << 20;

}  // namespace

std::optional<std::string> LineReader::next(Interrupts& interrupts) {
  while (true) {
    if (const std::size_t end = waiting_.find('\n'); end != std::string::npos) {
      std::string line = waiting_.substr(0, end);
      waiting_.erase(0, end + 1);
      if (line.ends_with('\r')) line.pop_back();  // as Windows ends lines
      return line;
    }
    char part[4096];
    const std::optional<std::size_t> size = interrupts.read_input(part);
    if (!size) return "";
    if (size == 0 && waiting_.empty()) return std::nullopt;
    if (size == 0) return std::exchange(waiting_, "");
    waiting_.append(part, *size);
    if (waiting_.size() > kLongestLine) {
      fail(Fault::bad_input, "standard input: a line of more than {} bytes", kLongestLine);
    }
  }
}

}  // namespace sb3lm
