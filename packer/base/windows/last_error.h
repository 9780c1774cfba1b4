// What Windows says went wrong, in the words that the other systems have for it.
#pragma once

#include <string>

namespace sb3lm {

/// Of GetLastError().
std::string last_error_text();

}  // namespace sb3lm
