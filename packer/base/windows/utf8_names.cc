// Names of files in narrow strings are UTF-8 here, as elsewhere. libstdc++ asks the C library for
// each of their letters, and msvcrt.dll has no locale with UTF-8; the linker leads the question
// here (cmake/cross.cmake: --wrap).
#include <cwchar>

#include "handle.h"

namespace {

/// The bytes of the letter that begins with `first`; 0: none does.
int length_of(unsigned char first) {
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

constexpr std::size_t kWrong = static_cast<std::size_t>(-1);
constexpr std::size_t kCut = static_cast<std::size_t>(-2);

}  // namespace

extern "C" std::size_t __wrap_mbrtowc(wchar_t* to, const char* from, std::size_t size,
                                      std::mbstate_t* state) {
  // A letter of four bytes has two units: one for three bytes, one for the last.
  if (*state != 0 && size > 0) {
    *to = static_cast<wchar_t>(*state);
    *state = 0;
    return 1;
  }
  if (size == 0) return kCut;
  const int length = length_of(static_cast<unsigned char>(*from));
  if (length == 0) return kWrong;
  if (size < static_cast<std::size_t>(length)) return kCut;
  wchar_t units[2];
  const int count = ::MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, from, length, units, 2);
  if (count == 0) return kWrong;
  *to = units[0];
  if (count == 1) return *from == 0 ? 0 : static_cast<std::size_t>(length);
  *state = units[1];
  return 3;
}
