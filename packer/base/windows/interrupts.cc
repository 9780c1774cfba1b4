// Ctrl-C ends what waits for a console's line by itself. What waits for a pipe goes on waiting.
#include <atomic>

#include "base/error.h"
#include "base/line_reader.h"
#include "handle.h"
#include "last_error.h"

namespace sb3lm {
namespace {

std::atomic<bool> interrupted = false;

BOOL WINAPI note_interrupt(DWORD event) {
  if (event != CTRL_C_EVENT) return FALSE;
  interrupted = true;
  return TRUE;
}

[[noreturn]] void fail_reading() {
  fail(Fault::bad_input, "standard input: {}", last_error_text());
}

/// Nothing if Ctrl-C came; empty at the end, which is Ctrl-Z at the beginning of a line.
std::optional<std::wstring> read_units(HANDLE console, std::size_t most) {
  constexpr wchar_t kEnd = 0x1a;
  std::wstring units(most, L'\0');
  DWORD count = 0;
  const bool done =
      ::ReadConsoleW(console, units.data(), static_cast<DWORD>(most), &count, nullptr) != 0;
  if (interrupted && count == 0) return std::nullopt;
  if (!done) fail_reading();
  units.resize(count);
  if (units.starts_with(kEnd)) units.clear();
  return units;
}

std::optional<std::size_t> read_console(HANDLE console, std::span<char> into) {
  constexpr std::size_t kMostBytes = 3;  // of UTF-8, for a unit of UTF-16
  std::optional<std::wstring> units = read_units(console, into.size() / kMostBytes - 1);
  if (!units || units->empty()) return units ? std::optional<std::size_t>(0) : std::nullopt;
  if (IS_HIGH_SURROGATE(units->back())) {
    const std::optional<std::wstring> low = read_units(console, 1);
    if (!low) return std::nullopt;
    *units += *low;
  }
  return static_cast<std::size_t>(
      ::WideCharToMultiByte(CP_UTF8, 0, units->data(), static_cast<int>(units->size()), into.data(),
                            static_cast<int>(into.size()), nullptr, nullptr));
}

}  // namespace

Interrupts::Interrupts() {
  interrupted = false;
  ::SetConsoleCtrlHandler(note_interrupt, TRUE);
}

Interrupts::~Interrupts() {
  ::SetConsoleCtrlHandler(note_interrupt, FALSE);
}

bool Interrupts::came() const {
  return interrupted;
}

void Interrupts::forget() {
  interrupted = false;
}

std::optional<std::size_t> Interrupts::read_input(std::span<char> into) {
  const HANDLE input = ::GetStdHandle(STD_INPUT_HANDLE);
  DWORD mode = 0, size = 0;
  if (::GetConsoleMode(input, &mode) != 0) return read_console(input, into);
  if (::ReadFile(input, into.data(), static_cast<DWORD>(into.size()), &size, nullptr) != 0)
    return size;
  if (::GetLastError() == ERROR_BROKEN_PIPE) return 0;
  fail_reading();
}

}  // namespace sb3lm
