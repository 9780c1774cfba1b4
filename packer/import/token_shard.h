// Texts as token ids, in the form in which parameter-golf's programs read them (fineweb_val_*.bin).
#pragma once

#include <string>
#include <vector>

#include "base/file.h"

namespace sb3lm {

/// Whether a file begins as such a file does; a text in UTF-8 never does.
bool is_token_shard(Bytes bytes);

/// 256 little-endian 32-bit integers, of which the first three are 20240520, 1 and the number of
/// ids; then the ids, 16 bits each. Throws bad_input (`file` in front) for anything else.
std::vector<int> read_token_shard(const std::string& file, Bytes bytes);

}  // namespace sb3lm
