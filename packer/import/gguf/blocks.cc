// Blocks of 32 weights (Q4_0 to Q8_0) have one or two binary16 numbers in front: a step, and where
// codes count from 0 the least weight. Blocks of 256 (Q2_K to Q6_K) have small scales for groups of
// 16 or 32, which count in units of the block's own binary16 numbers.
#include "import/gguf/blocks.h"

#include <array>
#include <cstring>

#include "base/half.h"

namespace sb3lm {
namespace {

using Block = const std::uint8_t*;

float half_at(Block at) {
  std::uint16_t bits = 0;
  std::memcpy(&bits, at, sizeof bits);
  return static_cast<float>(half_to_double(bits));
}

int low(std::uint8_t byte) {
  return byte & 15;
}
int high(std::uint8_t byte) {
  return byte >> 4;
}
/// Bit `at` of bytes that hold one bit for each weight.
int bit(Block bits, int at) {
  return bits[at / 8] >> (at % 8) & 1;
}

// The first half of a block of 32 is in the low nibbles, the second in the high ones.

void q4_0(Block block, float* weights) {
  const float step = half_at(block);
  for (int i = 0; i < 16; ++i) {
    weights[i] = static_cast<float>(low(block[2 + i]) - 8) * step;
    weights[16 + i] = static_cast<float>(high(block[2 + i]) - 8) * step;
  }
}

void q4_1(Block block, float* weights) {
  const float step = half_at(block), least = half_at(block + 2);
  for (int i = 0; i < 16; ++i) {
    weights[i] = static_cast<float>(low(block[4 + i])) * step + least;
    weights[16 + i] = static_cast<float>(high(block[4 + i])) * step + least;
  }
}

void q5_0(Block block, float* weights) {
  const float step = half_at(block);
  const Block fifth = block + 2, nibbles = block + 6;
  for (int i = 0; i < 16; ++i) {
    const int first = low(nibbles[i]) + 16 * bit(fifth, i);
    const int second = high(nibbles[i]) + 16 * bit(fifth, 16 + i);
    weights[i] = static_cast<float>(first - 16) * step;
    weights[16 + i] = static_cast<float>(second - 16) * step;
  }
}

void q5_1(Block block, float* weights) {
  const float step = half_at(block), least = half_at(block + 2);
  const Block fifth = block + 4, nibbles = block + 8;
  for (int i = 0; i < 16; ++i) {
    const int first = low(nibbles[i]) + 16 * bit(fifth, i);
    const int second = high(nibbles[i]) + 16 * bit(fifth, 16 + i);
    weights[i] = static_cast<float>(first) * step + least;
    weights[16 + i] = static_cast<float>(second) * step + least;
  }
}

void q8_0(Block block, float* weights) {
  const float step = half_at(block);
  for (int i = 0; i < 32; ++i) {
    weights[i] = static_cast<float>(static_cast<std::int8_t>(block[2 + i])) * step;
  }
}

/// Two bits of weight `at` of 256: byte at % 32 of its half has four of them, 32 apart.
int two_bits(Block bytes, int at) {
  return bytes[at / 128 * 32 + at % 32] >> (at % 128 / 32 * 2) & 3;
}

void q2_k(Block block, float* weights) {
  const Block scales = block, codes = block + 16;
  const float step = half_at(block + 80), least = half_at(block + 82);
  for (int i = 0; i < 256; ++i) {
    const std::uint8_t both = scales[i / 16];
    weights[i] = step * static_cast<float>(low(both)) * static_cast<float>(two_bits(codes, i)) -
                 least * static_cast<float>(high(both));
  }
}

void q3_k(Block block, float* weights) {
  const Block third = block, codes = block + 32, scales = block + 96;
  const float step = half_at(block + 108);
  for (int i = 0; i < 256; ++i) {
    const int group = i / 16;
    const int four = group < 8 ? low(scales[group]) : high(scales[group - 8]);
    const int two = scales[8 + group % 4] >> (group / 4 * 2) & 3;
    // Bit k of byte j is weight 32 k + j's.
    const int code = two_bits(codes, i) - 4 * (1 - (third[i % 32] >> (i / 32) & 1));
    weights[i] = step * static_cast<float>((four | two << 4) - 32) * static_cast<float>(code);
  }
}

/// Of Q4_K and Q5_K: two numbers of 6 bits for each of 8 groups, in 12 bytes.
struct GroupScale {
  int scale, least;
};
GroupScale group_scale(Block scales, int group) {
  if (group < 4) return {scales[group] & 63, scales[group + 4] & 63};
  return {low(scales[group + 4]) | scales[group - 4] >> 6 << 4,
          high(scales[group + 4]) | scales[group] >> 6 << 4};
}

/// 64 weights share 32 bytes: the first half of them is in the low nibbles.
int nibble(Block bytes, int at) {
  const std::uint8_t both = bytes[at / 64 * 32 + at % 32];
  return at % 64 < 32 ? low(both) : high(both);
}

template <class Code>
void with_group_scales(Block block, float* weights, Code code) {
  const float step = half_at(block), least = half_at(block + 2);
  for (int group = 0; group < 8; ++group) {
    const GroupScale of = group_scale(block + 4, group);
    const float own_step = step * static_cast<float>(of.scale);
    const float own_least = least * static_cast<float>(of.least);
    for (int i = 32 * group; i < 32 * (group + 1); ++i) {
      weights[i] = own_step * static_cast<float>(code(i)) - own_least;
    }
  }
}

void q4_k(Block block, float* weights) {
  with_group_scales(block, weights, [codes = block + 16](int i) { return nibble(codes, i); });
}

void q5_k(Block block, float* weights) {
  const Block fifth = block + 16, codes = block + 48;
  with_group_scales(block, weights, [fifth, codes](int i) {
    return nibble(codes, i) + 16 * (fifth[i % 32] >> (i / 32) & 1);
  });
}

void q6_k(Block block, float* weights) {
  const Block codes = block, upper = block + 128, scales = block + 192;
  const float step = half_at(block + 208);
  for (int i = 0; i < 256; ++i) {
    // In each half of 128, 64 bytes hold weights j and 64 + j.
    const std::uint8_t both = codes[i / 128 * 64 + i % 64];
    const int four = i % 128 < 64 ? low(both) : high(both);
    const int code = (four | two_bits(upper, i) << 4) - 32;
    weights[i] = step * static_cast<float>(static_cast<std::int8_t>(scales[i / 16])) *
                 static_cast<float>(code);
  }
}

constexpr std::array<GgufType, 14> kTypes{{
    {0, "F32", 1, 4},
    {1, "F16", 1, 2},
    {30, "BF16", 1, 2},
    {28, "F64", 1, 8},
    {2, "Q4_0", 32, 18, q4_0},
    {3, "Q4_1", 32, 20, q4_1},
    {6, "Q5_0", 32, 22, q5_0},
    {7, "Q5_1", 32, 24, q5_1},
    {8, "Q8_0", 32, 34, q8_0},
    {10, "Q2_K", 256, 84, q2_k},
    {11, "Q3_K", 256, 110, q3_k},
    {12, "Q4_K", 256, 144, q4_k},
    {13, "Q5_K", 256, 176, q5_k},
    {14, "Q6_K", 256, 210, q6_k},
}};

}  // namespace

const GgufType* gguf_type(std::uint32_t number) {
  for (const GgufType& type : kTypes) {
    if (type.number == number) return &type;
  }
  return nullptr;
}

std::string gguf_type_names() {
  std::string names;
  for (const GgufType& type : kTypes) {
    names += names.empty() ? "" : ", ";
    names += type.name;
  }
  return names;
}

std::string decode_blocks(const GgufType& type, Bytes blocks) {
  const std::size_t count = blocks.size() / type.bytes;
  std::string floats(count * type.weights * sizeof(float), '\0');
  std::array<float, 256> weights{};
  for (std::size_t i = 0; i < count; ++i) {
    type.decode(blocks.data() + i * type.bytes, weights.data());
    std::memcpy(floats.data() + i * type.weights * sizeof(float), weights.data(),
                type.weights * sizeof(float));
  }
  return floats;
}

}  // namespace sb3lm
