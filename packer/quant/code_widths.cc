#include "quant/code_widths.h"

namespace sb3lm {

std::map<int, CodedTensors> codes_by_width(const Model& model) {
  std::map<int, CodedTensors> widths;
  for (const auto& [key, tensor] : model.tensors) {
    const auto* coded = std::get_if<CodedTensor>(&tensor);
    if (coded != nullptr) widths[coded->format.bits].push_back(coded);
  }
  return widths;
}

WidthText encode_width(const CodeEncoding& encoding, int bits, const CodedTensors& tensors) {
  WidthText text;
  if (encoding.codebook_letters(bits) > 0) text.codebook = encoding.codebook(bits, tensors);
  text.streams.resize(static_cast<std::size_t>(encoding.streams(bits)));
  for (const CodedTensor* tensor : tensors) encoding.pack(*tensor, text.codebook, text.streams);
  return text;
}

}  // namespace sb3lm
