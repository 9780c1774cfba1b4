// A model's codes by their width: those of one width share their texts.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/model.h"
#include "quant/encoding.h"

namespace sb3lm {

using CodedTensors = std::vector<const CodedTensor*>;

/// The coded tensors of a model by number of bits, each width's in the order of their keys.
std::map<int, CodedTensors> codes_by_width(const Model& model);

struct WidthText {
  std::string codebook;  // empty if the encoding has none
  std::vector<std::string> streams;
};
/// All of one width's tensors in an encoding.
WidthText encode_width(const CodeEncoding& encoding, int bits, const CodedTensors& tensors);

}  // namespace sb3lm
