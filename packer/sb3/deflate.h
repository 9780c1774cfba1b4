// Raw deflate streams (RFC 1951) of project files. libdeflate does the work, except on long texts
// of evenly mixed letters, as weights are: it looks for matches there that cost more than the
// letters do, more or less so by what came before. Such a text gets a block of literals of its own
// where that is smaller.
#pragma once

#include <string>
#include <string_view>

namespace sb3lm {

/// `bytes` deflated at libdeflate's `level` (1 to 12). Same bytes and same libdeflate, same stream.
/// Empty if the stream would not be smaller.
std::string deflate(std::string_view bytes, int level);

}  // namespace sb3lm
