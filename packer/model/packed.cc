#include "model/packed.h"

#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/half.h"

namespace sb3lm {
namespace {

struct Owned {
  std::vector<std::uint8_t> data;
  std::vector<std::uint16_t> scales;
};

void own(PackedMatrix& matrix, Owned owned) {
  auto held = std::make_shared<const Owned>(std::move(owned));
  const auto* scales = reinterpret_cast<const std::uint8_t*>(held->scales.data());
  matrix.data = held->data;
  matrix.scales = {scales, held->scales.size() * sizeof(std::uint16_t)};
  matrix.owner = std::move(held);
}

PackedMatrix pack(const FloatTensor& tensor) {
  auto held = std::make_shared<const std::vector<float>>(tensor.values);
  PackedMatrix matrix{.shape = tensor.shape};
  matrix.data = {reinterpret_cast<const std::uint8_t*>(held->data()), held->size() * sizeof(float)};
  matrix.owner = std::move(held);
  return matrix;
}

int per_byte(PackedStorage storage) {
  return storage == PackedStorage::bits ? 8 : storage == PackedStorage::nibbles ? 2 : 1;
}

PackedMatrix pack(const CodedTensor& tensor) {
  const int bits = tensor.format.bits;
  PackedMatrix matrix{.shape = tensor.shape,
                      .storage = bits == 1   ? PackedStorage::bits
                                 : bits <= 4 ? PackedStorage::nibbles
                                             : PackedStorage::bytes,
                      .step = tensor.format.step,
                      .offset = tensor.format.offset};
  const int per = per_byte(matrix.storage);
  const auto cols = static_cast<std::size_t>(tensor.shape.cols);
  const auto rows = static_cast<std::size_t>(tensor.shape.rows);
  const std::size_t row_bytes = (cols + static_cast<std::size_t>(per) - 1) / per;
  Owned owned{std::vector<std::uint8_t>(rows * row_bytes), tensor.row_scale};
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t col = 0; col < cols; ++col) {
      const auto shift = static_cast<int>(col % static_cast<std::size_t>(per)) * (8 / per);
      std::uint8_t& byte = owned.data[row * row_bytes + col / static_cast<std::size_t>(per)];
      byte = static_cast<std::uint8_t>(byte | tensor.codes[row * cols + col] << shift);
    }
  }
  own(matrix, std::move(owned));
  return matrix;
}

}  // namespace

int PackedMatrix::level(int row, int col) const {
  const int per = per_byte(storage);
  const std::uint8_t* bytes = data.data() + static_cast<std::size_t>(row) * row_bytes();
  const int within = high_first ? per - 1 - col % per : col % per;
  const int width = 8 / per;
  const int stored = (bytes[col / per] >> (within * width)) & ((1 << width) - 1);
  return step * (stored ^ flip) + offset;
}

float PackedMatrix::scale(int row) const {
  std::uint16_t bits = 0;
  std::memcpy(&bits, scales.data() + static_cast<std::size_t>(row) * sizeof(bits), sizeof(bits));
  return finite_half_to_float(bits);
}

void dequantise_row(const PackedMatrix& matrix, int row, std::span<float> out) {
  if (matrix.storage == PackedStorage::floats) {
    const std::size_t size = out.size_bytes();
    std::memcpy(out.data(), matrix.data.data() + static_cast<std::size_t>(row) * size, size);
    return;
  }
  const float scale = matrix.scale(row);
  for (std::size_t col = 0; col < out.size(); ++col) {
    out[col] = static_cast<float>(matrix.level(row, static_cast<int>(col))) * scale;
  }
}

PackedMatrix pack_tensor(const Tensor& tensor) {
  return std::visit([](const auto& held) { return pack(held); }, tensor);
}

PackedModel pack_weights(Model model) {
  std::map<TensorKey, Tensor> tensors = std::move(model.tensors);
  PackedModel packed{.about = std::move(model), .matrices = {}};
  packed.about.tensors.clear();
  while (!tensors.empty()) {
    packed.matrices.emplace(tensors.begin()->first, pack_tensor(tensors.begin()->second));
    tensors.erase(tensors.begin());
  }
  return packed;
}

}  // namespace sb3lm
