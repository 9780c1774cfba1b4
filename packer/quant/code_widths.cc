#include "quant/code_widths.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/entropy.h"

namespace sb3lm {
namespace {

// Bits, and a share of all, that two codebooks must save by entropy. Deflate, which has a code for
// each block, makes good for a part of it, and the second codebook takes some hundred bytes.
// Matrices that were trained and rounded alike differ by less than a hundredth.
constexpr double kDecisive = 8 * 8192, kDecisiveShare = 1.0 / 32;

struct Matrix {
  const CodedTensor* tensor = nullptr;
  std::size_t at = 0;  // among the width's
  double entropy = 0;  // of a code
};

std::vector<Matrix> by_entropy(const CodedTensors& tensors) {
  std::vector<Matrix> matrices;
  for (const CodedTensor* tensor : tensors) {
    const double bits = entropy_bits_of_bytes(tensor->codes);
    matrices.push_back({tensor, matrices.size(), bits / static_cast<double>(tensor->codes.size())});
  }
  std::stable_sort(matrices.begin(), matrices.end(),
                   [](const Matrix& a, const Matrix& b) { return a.entropy < b.entropy; });
  return matrices;
}

// Bits of the first 0, 1, .. matrices together.
template <class Iterator>
std::vector<double> running_entropies(Iterator first, Iterator last) {
  std::array<std::uint64_t, 256> counts{};
  std::vector<double> entropies = {0};
  for (; first != last; ++first) {
    for (const std::uint8_t code : first->tensor->codes) ++counts[code];
    entropies.push_back(entropy_bits(counts));
  }
  return entropies;
}

// How many matrices of low entropy are better served apart from the others; 0: none.
std::size_t low_entropy_count(const std::vector<Matrix>& matrices) {
  const std::vector<double> low = running_entropies(matrices.begin(), matrices.end()),
                            high = running_entropies(matrices.rbegin(), matrices.rend());
  const std::size_t count = matrices.size();
  const auto bits_of_cut = [&](std::size_t cut) { return low[cut] + high[count - cut]; };
  std::size_t best = 0;
  for (std::size_t cut = 1; cut < count; ++cut) {
    if (bits_of_cut(cut) < bits_of_cut(best)) best = cut;
  }
  const double saved = bits_of_cut(0) - bits_of_cut(best);
  return saved < std::max(kDecisive, bits_of_cut(0) * kDecisiveShare) ? 0 : best;
}

}  // namespace

std::map<int, CodedTensors> codes_by_width(const Model& model) {
  std::map<int, CodedTensors> widths;
  for (const auto& [key, tensor] : model.tensors) {
    const auto* coded = std::get_if<CodedTensor>(&tensor);
    if (coded != nullptr) widths[coded->format.bits].push_back(coded);
  }
  return widths;
}

std::vector<CodedTensors> text_groups(const CodeEncoding& encoding, int bits,
                                      const CodedTensors& tensors) {
  if (encoding.codebook_letters(bits) == 0) return {tensors};
  const std::vector<Matrix> matrices = by_entropy(tensors);
  const std::size_t low = low_entropy_count(matrices);
  if (low == 0) return {tensors};
  std::vector<bool> is_low(tensors.size(), false);
  for (std::size_t i = 0; i < low; ++i) is_low[matrices[i].at] = true;
  std::vector<CodedTensors> groups(2);
  for (std::size_t i = 0; i < tensors.size(); ++i) groups[is_low[i] ? 1 : 0].push_back(tensors[i]);
  return groups;
}

std::vector<GroupText> encode_width(const CodeEncoding& encoding, int bits,
                                    const CodedTensors& tensors) {
  std::vector<GroupText> texts;
  for (const CodedTensors& group : text_groups(encoding, bits, tensors)) {
    GroupText text;
    if (encoding.codebook_letters(bits) > 0) text.codebook = encoding.codebook(bits, group);
    text.streams.resize(static_cast<std::size_t>(encoding.streams(bits)));
    for (const CodedTensor* tensor : group) encoding.pack(*tensor, text.codebook, text.streams);
    texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace sb3lm
