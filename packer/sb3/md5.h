// MD5 (RFC 1321), which names Scratch's assets. Not for security.
#pragma once

#include <string>
#include <string_view>

namespace sb3lm {

/// The digest as 32 lower-case hexadecimal digits.
std::string md5_hex(std::string_view bytes);

}  // namespace sb3lm
