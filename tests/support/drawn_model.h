// Small models drawn at random over everything that a description can say. Fields come from the
// tables of model/spec_fields.h, encodings from their registry, so that new ones are drawn too.
#pragma once

#include <cstdint>
#include <string>

#include "model/model.h"
#include "pack.h"

namespace sb3lm::test {

struct DrawnModel {
  std::uint64_t seed = 0;
  Model model;          // no tokenizer
  PackRequest request;  // for which player, kernel and encoding
};

/// The same seed gives the same model. Fields have their defaults half of the time; a layer whose
/// fields contradict each other is drawn again.
DrawnModel draw_model(std::uint64_t seed);

/// "f32", "4 bits".
std::string storage_name(const Tensor& tensor);

/// What can be told of a model that fails: how to draw it again, and what it is.
std::string about_drawn(const DrawnModel& drawn);

}  // namespace sb3lm::test
