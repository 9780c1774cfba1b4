// Measures whether a model makes sense (model/sense.h).
#pragma once

#include <optional>
#include <string>

#include "base/progress.h"
#include "model/packed.h"
#include "model/sense.h"

namespace sb3lm {

/// Nats a token of the text's beginning, as much of it as the weights allow in a few seconds.
/// Nothing without a tokenizer, or if the text is no two tokens.
std::optional<double> nats_of_text(const PackedModel& model, const std::string& text,
                                   Progress& progress);

/// All of it. `before`: nats with the checkpoint's own weights, if these are others.
std::optional<Sense> sense_of(const PackedModel& model, const std::string& text,
                              std::optional<double> before, Progress& progress);

}  // namespace sb3lm
