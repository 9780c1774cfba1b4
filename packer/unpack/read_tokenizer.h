// The tokenizer inside an .sb3, from the lists that the text blocks use.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "model/tokenizer.h"
#include "scratch/ir.h"

namespace sb3lm {

/// `info` is the JSON of model info's "tokenizer" (null: none). Throws bad_input like unpack.
Tokenizer read_tokenizer(const std::string& file, const scratch::Program& program,
                         const nlohmann::json& info);

}  // namespace sb3lm
