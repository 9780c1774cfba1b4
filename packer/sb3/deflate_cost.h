// What each part of a deflated file costs: the bits of a raw deflate stream (RFC 1951), shared out
// over ranges of the output. Only counts; the output itself is not made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"

namespace sb3lm {

/// Bits per range; range i is the output bytes from ends[i - 1] (0 for the first) up to ends[i].
/// A literal belongs to its byte, a match to the bytes that it copies; block headers, code tables
/// and end marks are shared pro rata by the bytes of their block. The padding of the last byte
/// belongs to the last range, so that the sum is 8 times the stream's size.
/// `ends` ascends (equal neighbours are empty ranges) and its last is the size of the output.
/// Throws bad_input with `file` and the byte at fault if the stream is broken, has another output
/// size or goes on after its end; unsupported over 1 GiB.
std::vector<std::uint64_t> deflate_cost(const std::string& file, Bytes stream,
                                        std::span<const std::size_t> ends);

/// How a whole raw deflate stream is built.
struct DeflateShape {
  std::uint64_t bits = 0;        // without the padding of the last byte
  std::uint64_t last_block = 0;  // first bit of the last block
  bool has_stored = false;       // has blocks that must begin at a whole byte
};
/// Throws as deflate_cost does. `size`: of the output.
DeflateShape deflate_shape(const std::string& file, Bytes stream, std::size_t size);

}  // namespace sb3lm
