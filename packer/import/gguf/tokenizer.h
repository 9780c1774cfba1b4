// The tokenizer inside a GGUF file (tokenizer.ggml.*).
#pragma once

#include <optional>

#include "import/gguf/file.h"
#include "model/tokenizer.h"

namespace sb3lm {

/// Nothing if the file has none. Throws bad_input, or unsupported with the name of what is not
/// handled.
std::optional<Tokenizer> read_gguf_tokenizer(const GgufFile& file);

}  // namespace sb3lm
