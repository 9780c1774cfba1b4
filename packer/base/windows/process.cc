#include "base/process.h"

#include <cstdio>

#include "base/error.h"
#include "handle.h"
#include "last_error.h"
// After it.
#include <shellapi.h>

namespace sb3lm {
namespace {

/// As programs take their command line apart: backslashes count only before a quotation mark.
std::wstring quoted(const std::wstring& word) {
  std::wstring out = L"\"";
  std::size_t backslashes = 0;
  for (const wchar_t c : word) {
    if (c == L'"') out.append(backslashes + 1, L'\\');
    backslashes = c == L'\\' ? backslashes + 1 : 0;
    out += c;
  }
  return out.append(backslashes, L'\\') + L'"';
}

struct Pipe {
  Pipe() {
    SECURITY_ATTRIBUTES inherited{.nLength = sizeof inherited, .bInheritHandle = TRUE};
    HANDLE from = nullptr, to = nullptr;
    if (::CreatePipe(&from, &to, &inherited, 0) == 0) {
      fail(Fault::unsupported, "a pipe: {}", last_error_text());
    }
    ::SetHandleInformation(from, HANDLE_FLAG_INHERIT, 0);
    read = from;
    write = to;
  }
  HANDLE read = nullptr, write = nullptr;
};

std::string read_all(HANDLE pipe) {
  std::string text;
  char part[65536];
  for (DWORD size = 0; ::ReadFile(pipe, part, sizeof part, &size, nullptr) != 0 && size > 0;) {
    text.append(part, size);
  }
  return text;
}

}  // namespace

ProcessOutput run_process(const std::vector<std::string>& words) {
  std::wstring command;
  for (const std::string& word : words) command += quoted(std::filesystem::path(word)) + L" ";
  const Pipe pipe;
  const Handle from(pipe.read);
  Handle to(pipe.write);
  SECURITY_ATTRIBUTES inherited{.nLength = sizeof inherited, .bInheritHandle = TRUE};
  const Handle nothing(::CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE,
                                     FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited, OPEN_EXISTING,
                                     0, nullptr));
  STARTUPINFOW start{.cb = sizeof start,
                     .dwFlags = STARTF_USESTDHANDLES,
                     .hStdInput = nothing.get(),
                     .hStdOutput = to.get(),
                     .hStdError = nothing.get()};
  PROCESS_INFORMATION made{};
  if (::CreateProcessW(nullptr, command.data(), nullptr, nullptr, TRUE, 0, nullptr, nullptr, &start,
                       &made) == 0) {
    if (::GetLastError() == ERROR_FILE_NOT_FOUND) return {.exit_code = kProgramNotFound};
    fail(Fault::unsupported, "{}: cannot be started here: {}", words.at(0), last_error_text());
  }
  const Handle process(made.hProcess), thread(made.hThread);
  to.reset();  // or its end would never be seen
  ProcessOutput output{.text = read_all(from.get())};
  DWORD code = 0;
  ::WaitForSingleObject(process.get(), INFINITE);
  ::GetExitCodeProcess(process.get(), &code);
  output.exit_code = static_cast<int>(code);
  return output;
}

std::vector<std::string> program_words(int, char**) {
  // Those of main are in an older encoding, which has not every letter.
  int count = 0;
  wchar_t** const wide = ::CommandLineToArgvW(::GetCommandLineW(), &count);
  std::vector<std::string> words;
  for (int i = 0; wide != nullptr && i < count; ++i) {
    words.push_back(std::filesystem::path(wide[i]).string());
  }
  ::LocalFree(wide);
  return words;
}

std::filesystem::path program_folder() {
  std::wstring name(1 << 15, L'\0');
  name.resize(::GetModuleFileNameW(nullptr, name.data(), static_cast<DWORD>(name.size())));
  return std::filesystem::path(name).parent_path();
}

}  // namespace sb3lm
