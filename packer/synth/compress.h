// One compressed stream, as programs that save checkpoints make it. The bytes depend on the version
// of the library.
#pragma once

#include <string>
#include <string_view>

namespace sb3lm {

enum class Compression { none, zlib, zstd, xz };

std::string compress(std::string_view bytes, Compression how);

}  // namespace sb3lm
