// Whole files that are one compressed stream: zlib, gzip, zstd, xz.
#pragma once

#include <string>

#include "import/import.h"

namespace sb3lm {

/// By the first bytes.
bool is_compressed(Bytes bytes);

/// What the file holds. Throws bad_input for broken or cut data, bytes behind the stream, and for
/// what unpacks to far more than weights do.
std::string decompress(const NamedBytes& file);

}  // namespace sb3lm
