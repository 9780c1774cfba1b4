// Tells models apart by what they compute with.
#pragma once

#include <cstdint>

#include "model/model.h"

namespace sb3lm {

/// A 64-bit hash of spec and weights (names, tokenizer and the like left out). Two models of one
/// checkpoint with equal fingerprints compute the same; it is no proof against forgery.
std::uint64_t model_fingerprint(const Model& model);

}  // namespace sb3lm
