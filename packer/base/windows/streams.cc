#include "base/streams.h"

#include <fcntl.h>
#include <io.h>

#include <cstdio>
#include <cstdlib>

#include "handle.h"

namespace sb3lm {
namespace {

UINT code_page_before = 0;

HANDLE handle_of(Stream stream) {
  return ::GetStdHandle(stream == Stream::in    ? STD_INPUT_HANDLE
                        : stream == Stream::out ? STD_OUTPUT_HANDLE
                                                : STD_ERROR_HANDLE);
}

/// The terminal's lines are rewritten with escape sequences.
void allow_escapes(HANDLE console) {
  DWORD mode = 0;
  if (::GetConsoleMode(console, &mode) == 0) return;
  ::SetConsoleMode(console, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
}

}  // namespace

void prepare_streams() {
  for (std::FILE* file : {stdin, stdout, stderr}) ::_setmode(::_fileno(file), _O_BINARY);
  // The console keeps it after us.
  code_page_before = ::GetConsoleOutputCP();
  if (code_page_before == 0) return;
  ::SetConsoleOutputCP(CP_UTF8);
  std::atexit([] { ::SetConsoleOutputCP(code_page_before); });
  allow_escapes(handle_of(Stream::err));
}

bool is_terminal(Stream stream) {
  DWORD mode = 0;
  return ::GetConsoleMode(handle_of(stream), &mode) != 0;
}

bool leads_to(const std::filesystem::path& path, Stream stream) {
  BY_HANDLE_FILE_INFORMATION named{}, open{};
  if (::GetFileType(handle_of(stream)) != FILE_TYPE_DISK) return false;
  const Handle file(::CreateFileW(path.c_str(), 0,
                                  FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                                  OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr));
  return file.is_open() && ::GetFileInformationByHandle(file.get(), &named) != 0 &&
         ::GetFileInformationByHandle(handle_of(stream), &open) != 0 &&
         named.dwVolumeSerialNumber == open.dwVolumeSerialNumber &&
         named.nFileIndexHigh == open.nFileIndexHigh && named.nFileIndexLow == open.nFileIndexLow;
}

}  // namespace sb3lm
