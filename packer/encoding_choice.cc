#include "encoding_choice.h"

#include <algorithm>
#include <vector>

#include "quant/code_widths.h"
#include "sb3/literal_block.h"

namespace sb3lm {
namespace {

constexpr const char* kPlain = "hex";
// More than a decoder's blocks and its codebook take, and than matches save in a mixed text.
constexpr std::int64_t kDecisive = 8192, kDecisiveShare = 200;

// As deflate's blocks of literals, which long texts get.
std::int64_t text_bytes(std::string_view encoding, int bits, const CodedTensors& tensors) {
  BitString literals;
  std::size_t codebooks = 0;
  for (const GroupText& text : encode_width(code_encoding(encoding), bits, tensors)) {
    for (const std::string& stream : text.streams) put_literal_block(literals, stream);
    codebooks += text.codebook.size();
  }
  return static_cast<std::int64_t>(literals.size() / 8 + codebooks);
}

}  // namespace

EncodingPlan choose_encodings(const Model& model, const std::string& usual,
                              const std::function<std::size_t(const EncodingPlan&)>& size_of) {
  EncodingPlan plan(usual);
  if (usual == kPlain) return plan;
  std::vector<int> open, same;
  for (const auto& [bits, tensors] : codes_by_width(model)) {
    const std::int64_t ours = text_bytes(usual, bits, tensors),
                       plain = text_bytes(kPlain, bits, tensors);
    if (ours == plain) {  // most likely the same text
      same.push_back(bits);
    } else if (std::abs(ours - plain) <= std::max(kDecisive, plain / kDecisiveShare)) {
      open.push_back(bits);
    } else if (plain < ours) {
      plan.by_bits[bits] = kPlain;
    }
  }
  if (open.empty()) return plan;
  open.insert(open.end(), same.begin(), same.end());
  std::size_t least = size_of(plan);
  for (const int bits : open) {
    EncodingPlan other = plan;
    other.by_bits[bits] = kPlain;
    const std::size_t size = size_of(other);
    if (size >= least) continue;
    plan = std::move(other);
    least = size;
  }
  return plan;
}

}  // namespace sb3lm
