// How large a project becomes when an editor saves it again.
#pragma once

#include <cstddef>
#include <map>
#include <string>

namespace sb3lm {

/// The archive of these files with zlib at level 6, which is what Scratch's editors (through JSZip)
/// write. The text of project.json is taken as it is; an editor may spell it a little differently.
std::size_t resaved_bytes(const std::map<std::string, std::string>& files);

}  // namespace sb3lm
