// What `model info` says of a model besides its tensors and its tokenizer: how it was read and
// changed, how to talk with it.
#pragma once

#include <string>

#include "model/json_value.h"
#include "model/model.h"

namespace sb3lm {

/// Of a model whose spec is read. Throws bad_input that begins with `what`.
void read_about(const JsonFields& info, const std::string& what, Model& model);

}  // namespace sb3lm
