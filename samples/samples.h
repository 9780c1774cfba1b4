// Texts of this folder that are built into the program, so that it finds them wherever it runs.
#pragma once

#include <string_view>

namespace sb3lm {

/// Text of a file below samples, such as "english.txt". Throws bug if it is not built in.
std::string_view sample_file(std::string_view name);

}  // namespace sb3lm
