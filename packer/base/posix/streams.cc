#include "base/streams.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

namespace sb3lm {
namespace {

int number_of(Stream stream) {
  return stream == Stream::in    ? STDIN_FILENO
         : stream == Stream::out ? STDOUT_FILENO
                                 : STDERR_FILENO;
}

}  // namespace

void prepare_streams() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // Opened the wrong way round, so that using it still fails.
    const int wrong_way = stream == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    if (::fcntl(stream, F_GETFD) < 0) ::open("/dev/null", wrong_way);
  }
}

bool is_terminal(Stream stream) {
  return ::isatty(number_of(stream)) == 1;
}

bool leads_to(const std::filesystem::path& path, Stream stream) {
  struct stat named {
  }, open{};
  return ::stat(path.c_str(), &named) == 0 && ::fstat(number_of(stream), &open) == 0 &&
         named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

}  // namespace sb3lm
