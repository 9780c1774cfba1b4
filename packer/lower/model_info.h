// The item of JSON in the list `model info`: what makes an .sb3 self-describing (report, export,
// run, compare and logits read it; unpack/unpack.cc is the reader).
#pragma once

#include <string>

#include "lower/layout.h"
#include "lower/lower.h"
#include "model/model.h"

namespace sb3lm {

std::string write_model_info(const Model& model, const Layout& layout, const LowerOptions& options);

/// Its part about the tokenizer.
std::string write_tokenizer_info(const Tokenizer& tokenizer);

}  // namespace sb3lm
