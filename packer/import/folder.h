// A folder as people download it: which of its files is the checkpoint.
#pragma once

#include <filesystem>

namespace sb3lm {

/// The path itself unless it is a folder, else the checkpoint in it: those that Hugging Face's
/// programs name, or the only file that looks like one by its name. Throws bad_input if there is
/// none, or several among which the user must choose.
std::filesystem::path checkpoint_in(const std::filesystem::path& given);

}  // namespace sb3lm
