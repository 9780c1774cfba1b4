#include "encoding_choice.h"

#include <algorithm>
#include <vector>

#include "sb3/literal_block.h"

namespace sb3lm {
namespace {

constexpr const char* kPlain = "hex";
// More than a decoder's blocks and its codebook take, and than matches save in a mixed text.
constexpr std::int64_t kDecisive = 8192, kDecisiveShare = 200;

// As deflate's blocks of literals, which long texts get.
std::int64_t text_bytes(const CodeEncoding& encoding, int bits,
                        const std::vector<const CodedTensor*>& tensors) {
  const std::string codebook =
      encoding.codebook_letters(bits) > 0 ? encoding.codebook(bits, tensors) : "";
  std::vector<std::string> streams(static_cast<std::size_t>(encoding.streams(bits)));
  for (const CodedTensor* tensor : tensors) encoding.pack(*tensor, codebook, streams);
  BitString literals;
  for (const std::string& stream : streams) put_literal_block(literals, stream);
  return static_cast<std::int64_t>(literals.size() / 8 + codebook.size());
}

}  // namespace

EncodingPlan choose_encodings(const Model& model, const std::string& usual,
                              const std::function<std::size_t(const EncodingPlan&)>& size_of) {
  EncodingPlan plan(usual);
  if (usual == kPlain) return plan;
  std::map<int, std::vector<const CodedTensor*>> by_bits;
  for (const auto& [key, tensor] : model.tensors) {
    if (const auto* coded = std::get_if<CodedTensor>(&tensor)) {
      by_bits[coded->format.bits].push_back(coded);
    }
  }
  std::vector<int> open, same;
  for (const auto& [bits, tensors] : by_bits) {
    const std::int64_t ours = text_bytes(code_encoding(usual), bits, tensors),
                       plain = text_bytes(code_encoding(kPlain), bits, tensors);
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
