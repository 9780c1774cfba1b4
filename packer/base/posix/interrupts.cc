// A byte in a pipe wakes the reader of a line whichever thread the signal came to and however close
// before it waited.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <iterator>

#include "base/error.h"
#include "base/line_reader.h"

namespace sb3lm {
namespace {

volatile std::sig_atomic_t interrupted = 0;
int wakeup[2] = {-1, -1};  // the handler writes to the second
struct sigaction before {};

[[noreturn]] void fail_reading() {
  fail(Fault::bad_input, "standard input: {}", std::strerror(errno));
}

}  // namespace

Interrupts::Interrupts() {
  if (::pipe2(wakeup, O_CLOEXEC | O_NONBLOCK) != 0) {
    fail(Fault::bad_input, "a pipe for Ctrl-C: {}", std::strerror(errno));
  }
  struct sigaction action {};
  action.sa_handler = [](int) {
    const int saved = errno;
    interrupted = 1;
    const char byte = 0;
    // A full pipe wakes the reader too.
    [[maybe_unused]] const ssize_t written = ::write(wakeup[1], &byte, 1);
    errno = saved;
  };
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, &before);
}

Interrupts::~Interrupts() {
  ::sigaction(SIGINT, &before, nullptr);
  ::close(wakeup[0]);
  ::close(wakeup[1]);
}

bool Interrupts::came() const {
  return interrupted != 0;
}

void Interrupts::forget() {
  char bytes[64];
  while (::read(wakeup[0], bytes, sizeof(bytes)) > 0) {
  }
  interrupted = 0;
}

std::optional<std::size_t> Interrupts::read_input(std::span<char> into) {
  while (true) {
    pollfd sources[] = {{STDIN_FILENO, POLLIN, 0}, {wakeup[0], POLLIN, 0}};
    if (::poll(sources, std::size(sources), -1) < 0 && errno != EINTR) fail_reading();
    if (sources[1].revents != 0) return std::nullopt;
    if (sources[0].revents == 0) continue;
    const ssize_t size = ::read(STDIN_FILENO, into.data(), into.size());
    if (size < 0) fail_reading();
    return static_cast<std::size_t>(size);
  }
}

}  // namespace sb3lm
