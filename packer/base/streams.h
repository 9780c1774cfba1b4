// Standard input, output and error as the system sees them.
#pragma once

#include <filesystem>

namespace sb3lm {

enum class Stream { in, out, err };

/// Before anything is opened or written: a closed pipe and a full quota become errors of the write
/// instead of signals, a stream that the caller closed is no number for a file to get, and bytes
/// stay as they are.
void prepare_streams();

bool is_terminal(Stream stream);

/// Whether `path` is a name of what `stream` is.
bool leads_to(const std::filesystem::path& path, Stream stream);

}  // namespace sb3lm
