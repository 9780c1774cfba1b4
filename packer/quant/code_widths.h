// A model's codes by their width, and who shares a text: all of one width in general.
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

/// One width's tensors by the texts that they share. Two groups, those of low and of high entropy,
/// where one codebook would serve neither well; each is in the order of `tensors`.
std::vector<CodedTensors> text_groups(const CodeEncoding& encoding, int bits,
                                      const CodedTensors& tensors);

struct GroupText {
  std::string codebook;  // empty if the encoding has none
  std::vector<std::string> streams;
};
/// All of one width's tensors in an encoding, a text for each group.
std::vector<GroupText> encode_width(const CodeEncoding& encoding, int bits,
                                    const CodedTensors& tensors);

}  // namespace sb3lm
