#include "last_error.h"

#include <cerrno>
#include <system_error>

#include "handle.h"

namespace sb3lm {
namespace {

struct Reason {
  DWORD windows;
  int general;
};

constexpr Reason kReasons[] = {{ERROR_FILE_NOT_FOUND, ENOENT},
                               {ERROR_PATH_NOT_FOUND, ENOENT},
                               {ERROR_INVALID_NAME, ENOENT},
                               {ERROR_BAD_NETPATH, ENOENT},
                               {ERROR_ACCESS_DENIED, EACCES},
                               {ERROR_SHARING_VIOLATION, EACCES},
                               {ERROR_LOCK_VIOLATION, EACCES},
                               {ERROR_USER_MAPPED_FILE, EACCES},
                               {ERROR_WRITE_PROTECT, EROFS},
                               {ERROR_FILE_EXISTS, EEXIST},
                               {ERROR_ALREADY_EXISTS, EEXIST},
                               {ERROR_DISK_FULL, ENOSPC},
                               {ERROR_HANDLE_DISK_FULL, ENOSPC},
                               {ERROR_NOT_ENOUGH_MEMORY, ENOMEM},
                               {ERROR_COMMITMENT_LIMIT, ENOMEM},
                               {ERROR_OUTOFMEMORY, ENOMEM},
                               {ERROR_BROKEN_PIPE, EPIPE},
                               {ERROR_NO_DATA, EPIPE},
                               {ERROR_FILENAME_EXCED_RANGE, ENAMETOOLONG}};

}  // namespace

std::string last_error_text() {
  const DWORD code = ::GetLastError();
  for (const Reason& reason : kReasons) {
    if (reason.windows == code) return std::generic_category().message(reason.general);
  }
  return "Windows error " + std::to_string(code);
}

}  // namespace sb3lm
