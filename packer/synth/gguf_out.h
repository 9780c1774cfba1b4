// GGUF files, version 3.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "synth/float_model.h"

namespace sb3lm {

using GgufEntry = std::variant<std::uint32_t, float, bool, std::string, std::vector<std::string>,
                               std::vector<float>, std::vector<std::int32_t>>;
using GgufEntries = std::vector<std::pair<std::string, GgufEntry>>;

struct GgufTensorToWrite {
  std::string name;
  std::uint32_t type = 0;            // by its number
  std::vector<std::uint64_t> shape;  // rows first
  std::string bytes;
};

std::string write_gguf(const GgufEntries& entries, const std::vector<GgufTensorToWrite>& tensors);

enum class GgufWeights { f32, f16, q8_0 };

/// A model of an architecture that import/gguf reads, and what the file says more. Vectors are
/// floats; rows that are no whole blocks of Q8_0 become F16, as other programs have it.
std::string write_gguf_model(const FloatModel& model, std::string_view architecture,
                             GgufWeights weights, GgufEntries more);

/// The entries for the byte-level BPE of a tokenizer.json of ours.
GgufEntries gguf_tokenizer(std::string_view tokenizer_json);

}  // namespace sb3lm
