#include "support/random_model.h"

#include <bit>
#include <cmath>

#include "base/half.h"

namespace sb3lm::test {
namespace {

float rounded(double value, FloatType type) {
  const auto single = static_cast<float>(value);
  switch (type) {
    case FloatType::f16:
      return static_cast<float>(half_to_double(half_from_double(value)));
    case FloatType::bf16:
      return std::bit_cast<float>(std::bit_cast<std::uint32_t>(single) & 0xffff0000u);
    case FloatType::f32:
      break;
  }
  return single;
}

}  // namespace

std::vector<double> random_numbers(Random& random, std::size_t count) {
  std::vector<double> numbers(count);
  for (double& number : numbers) number = random.normal();
  return numbers;
}

CodedTensor random_codes(Random& random, Shape shape, int bits) {
  CodedTensor tensor{.shape = shape, .format = CodeFormat::of_bits(bits)};
  for (int i = 0; i < shape.rows * shape.cols; ++i) {
    tensor.codes.push_back(static_cast<std::uint8_t>(random.bits() >> 40 & ((1u << bits) - 1)));
  }
  for (int row = 0; row < shape.rows; ++row) {
    tensor.row_scale.push_back(half_from_double(std::ldexp(1 + random.uniform(), -6)));
  }
  return tensor;
}

FloatTensor random_floats(Random& random, Shape shape, FloatType type, Spread spread) {
  FloatTensor tensor{.shape = shape, .type = type};
  for (int i = 0; i < shape.rows * shape.cols; ++i) {
    tensor.values.push_back(rounded(spread.mean + spread.deviation * random.normal(), type));
  }
  return tensor;
}

Model random_model(const ModelSpec& spec, const std::vector<int>& bits, std::uint64_t seed) {
  Model model{.spec = spec};
  Random random(seed);
  std::size_t matrices = 0;
  for (const auto& [key, shape] : expected_tensors(spec)) {
    const bool norm = is_vector(key.role);
    if (norm || is_router(key.role)) {
      const Spread spread = norm ? Spread{1, 0.125} : Spread{0, 0.25};
      model.tensors[key] = random_floats(random, shape, FloatType::f16, spread);
      continue;
    }
    const int width = bits[matrices++ % bits.size()];
    if (width == 0) {
      model.tensors[key] = random_floats(random, shape, FloatType::f32, {0, 0.125});
    } else {
      model.tensors[key] = random_codes(random, shape, width);
    }
  }
  return model;
}

std::vector<double> table_indices(const CodedTensor& tensor) {
  const auto rows = static_cast<std::size_t>(tensor.shape.rows);
  const auto cols = static_cast<std::size_t>(tensor.shape.cols);
  const std::size_t groups = (cols + 7) / 8;
  std::vector<double> indices;
  for (std::size_t row = 0; row < rows; ++row) {
    for (int bit = tensor.format.bits - 1; bit >= 0; --bit) {
      for (std::size_t group = 0; group < groups; ++group) {
        std::size_t byte = 0;
        for (std::size_t col = 8 * group; col < 8 * group + 8; ++col) {
          const unsigned code = col < cols ? tensor.codes[row * cols + col] : 0u;
          byte = 2 * byte + (code >> bit & 1);
        }
        indices.push_back(static_cast<double>(byte + 256 * group + 1));
      }
    }
  }
  return indices;
}

}  // namespace sb3lm::test
