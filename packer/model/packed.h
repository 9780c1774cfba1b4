// Weights as they lie in a checkpoint: several to a byte, where they are. What the fast engine
// reads; everything that changes weights works on Tensor instead.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "base/file.h"
#include "model/model.h"

namespace sb3lm {

enum class PackedStorage : std::uint8_t {
  bits,     // eight to a byte
  nibbles,  // two to a byte
  bytes,
  floats,  // 32-bit, aligned, without row scales
};

/// A matrix, row-major, each row padded to whole bytes. A weight is
/// (step * (stored ^ flip) + offset) * row scale.
struct PackedMatrix {
  Shape shape;
  PackedStorage storage = PackedStorage::floats;
  bool high_first = false;  // where a byte's first column is: bits and nibbles only
  std::uint8_t flip = 0;
  int step = 1;
  int offset = 0;
  Bytes data;
  Bytes scales;                       // binary16 of each row, unaligned, finite
  std::shared_ptr<const void> owner;  // keeps data and scales alive

  std::size_t row_bytes() const { return data.size() / static_cast<std::size_t>(shape.rows); }
  /// step * (stored ^ flip) + offset; not for floats.
  int level(int row, int col) const;
  float scale(int row) const;
};

inline Shape shape_of(const PackedMatrix& matrix) {
  return matrix.shape;
}

/// out[c] = the weight in row `row`, rounded to a float where it is none.
void dequantise_row(const PackedMatrix& matrix, int row, std::span<float> out);

/// A model whose weights stay packed.
struct PackedModel {
  Model about;  // everything but the tensors
  std::map<TensorKey, PackedMatrix> matrices;
};

/// Packs tensor by tensor and frees each, so that never two copies of all weights exist. Codes of 1
/// bit become bits, up to 4 bits nibbles, wider ones bytes.
PackedModel pack_weights(Model model);
PackedMatrix pack_tensor(const Tensor& tensor);

}  // namespace sb3lm
