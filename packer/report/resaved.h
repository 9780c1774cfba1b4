// How large a project becomes when an editor saves it again.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "unpack/unpack.h"

namespace sb3lm {

/// The archive of these files with zlib at level 6, which is what Scratch's editors (through JSZip)
/// write. The text of project.json is taken as it is; an editor may spell it a little differently.
std::size_t resaved_bytes(const std::map<std::string, std::string>& files);

/// The same for a project that is saved while its weights are unpacked: with a talk just begun, and
/// with one that fills the context.
struct UsedSize {
  std::size_t least = 0, most = 0;
};

/// About: indices from some rows of each matrix, and activations as if their digits were random.
/// Nothing for kernels other than `tables`.
std::optional<UsedSize> used_bytes(std::size_t resaved, const scratch::Program& program,
                                   const Unpacked& unpacked);

}  // namespace sb3lm
