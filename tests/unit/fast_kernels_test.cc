// Every kernel of every instruction set against its twin in plain C++, and the products against
// exact arithmetic: all storages, all codes, all column orders, sizes that end anywhere in a block.
#include "runtime_ref/fast_kernels.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

#include "base/half.h"
#include "runtime_ref/fast_inputs.h"

using namespace sb3lm;
using namespace sb3lm::fast;

namespace {

constexpr int kSizes[] = {1, 7, 8, 20, 36, 64, 127, 128, 129, 200, 256, 768, 2200};

std::vector<float> random_vector(std::size_t size, unsigned seed, float spread = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, spread);
  std::vector<float> x(size);
  for (float& value : x) value = normal(random);
  return x;
}

CodedTensor random_codes(int rows, int cols, int bits) {
  std::mt19937 random(static_cast<unsigned>(rows * 1000 + cols * 10 + bits));
  CodedTensor tensor{.shape = {rows, cols}, .format = CodeFormat::of_bits(bits)};
  for (int i = 0; i < rows * cols; ++i) {
    tensor.codes.push_back(static_cast<std::uint8_t>(random() & ((1u << bits) - 1)));
  }
  for (int r = 0; r < rows; ++r) {
    tensor.row_scale.push_back(half_from_double(0.01 * (1 + r % 7) * (r % 2 == 0 ? 1 : -1)));
  }
  tensor.row_scale[0] = 1;  // the smallest binary16 there is
  return tensor;
}

/// All ways in which a file may hold bits and nibbles: order, sign, code.
std::vector<PackedMatrix> every_view(const PackedMatrix& packed) {
  std::vector<PackedMatrix> views = {packed};
  PackedMatrix other = packed;
  if (packed.storage == PackedStorage::bits) {
    other.high_first = true;
    views.push_back(other);
    other.step = -2;
    other.offset = 1;
    views.push_back(other);
  } else if (packed.storage == PackedStorage::nibbles) {
    other.high_first = true;
    views.push_back(other);
    other.flip = 8;
    views.push_back(other);
  } else {
    other.flip = 128;
    views.push_back(other);
  }
  return views;
}

/// Products with the first `vectors` of x.
std::vector<float> multiply(const Kernels& kernels, const PackedMatrix& w,
                            const std::vector<std::vector<float>>& x, std::size_t vectors) {
  const auto rows = static_cast<std::size_t>(w.shape.rows);
  Inputs inputs(static_cast<std::size_t>(w.shape.cols), vectors);
  inputs.serve(w);
  for (std::size_t v = 0; v < vectors; ++v) {
    std::copy(x[v].begin(), x[v].end(), inputs.row(v));
    inputs.prepare(kernels, v, x[v].size());
  }
  std::vector<float> y(rows * vectors, -1);
  kernels.multiply(
      {&w, 0, rows, inputs.planes(column_order(w)), inputs.scales(), vectors, y.data(), rows});
  return y;
}

/// The promise of fast_kernels.h, with room for one rounding to float.
void check_bound(const PackedMatrix& w, const std::vector<float>& x, const float* y) {
  double largest = 0;
  for (const float value : x) largest = std::max(largest, std::fabs(static_cast<double>(value)));
  for (int r = 0; r < w.shape.rows; ++r) {
    double exact = 0, sizes = 0, terms = 0;
    for (int c = 0; c < w.shape.cols; ++c) {
      const double weight = static_cast<double>(w.level(r, c)) * w.scale(r);
      exact += weight * x[static_cast<std::size_t>(c)];
      sizes += std::fabs(weight);
      terms += std::fabs(weight * x[static_cast<std::size_t>(c)]);
    }
    const double bound = largest / kLargestFixed / 2 * sizes;
    // The step and its inverse are floats, so every q is off by a few parts in 2^24 besides.
    CHECK(std::fabs(exact - y[r]) <= bound * 1.001 + terms * 4e-7);
  }
}

}  // namespace

TEST_CASE("products of codes are the same in every instruction set, and within their bound") {
  for (const int cols : kSizes) {
    for (const int bits : {1, 2, 3, 4, 5, 8}) {
      constexpr std::size_t kRows = 37, kVectors = 11;
      const PackedMatrix packed = pack_tensor(random_codes(kRows, cols, bits));
      std::vector<std::vector<float>> x;
      for (unsigned v = 0; v < kVectors; ++v) {
        x.push_back(random_vector(static_cast<std::size_t>(cols), v + 1));
      }
      for (const PackedMatrix& view : every_view(packed)) {
        CAPTURE(cols);
        CAPTURE(bits);
        std::vector<float> expected = multiply(scalar_kernels(), view, x, kVectors);
        for (std::size_t v = 0; v < x.size(); ++v) check_bound(view, x[v], &expected[v * kRows]);
        // Kernels take few and many vectors in different ways, and so many together.
        for (const std::size_t vectors : {11, 10, 9, 8, 3, 2}) {
          expected.resize(vectors * kRows);
          for (const Kernels* kernels : all_kernels()) {
            if (kernels == &scalar_kernels()) continue;
            CAPTURE(kernels->name);
            CAPTURE(vectors);
            CHECK(multiply(*kernels, view, x, vectors) == expected);
          }
        }
      }
    }
  }
}

TEST_CASE("every code in every place, against every byte of a vector") {
  // One column at a time differs from zero, and takes every value of a nibble or byte.
  for (const int bits : {1, 4, 8}) {
    const int codes = 1 << bits, cols = 130;
    CodedTensor tensor{.shape = {codes, cols}, .format = CodeFormat::of_bits(bits)};
    for (int r = 0; r < codes; ++r) {
      for (int c = 0; c < cols; ++c) {
        tensor.codes.push_back(static_cast<std::uint8_t>((r + c) % codes));
      }
      tensor.row_scale.push_back(0x3c00);
    }
    const PackedMatrix packed = pack_tensor(tensor);
    std::vector<std::vector<float>> x;
    for (int c = 0; c < cols; ++c) {
      std::vector<float> one(static_cast<std::size_t>(cols));
      one[static_cast<std::size_t>(c)] = c % 2 == 0 ? kLargestFixed : -kLargestFixed;
      one[static_cast<std::size_t>((c + 1) % cols)] = static_cast<float>(c * 251 % 32512);
      x.push_back(one);
    }
    for (const Kernels* kernels : all_kernels()) {
      CAPTURE(kernels->name);
      CAPTURE(bits);
      const std::vector<float> y = multiply(*kernels, packed, x, x.size());
      bool same = true;
      for (int v = 0; v < cols; ++v) {
        for (int r = 0; r < codes; ++r) {
          const auto at = static_cast<std::size_t>(v);
          const int next = (v + 1) % cols;
          const float expected =
              static_cast<float>(packed.level(r, v)) * x[at][at] +
              static_cast<float>(packed.level(r, next)) * x[at][static_cast<std::size_t>(next)];
          same = same &&
                 y[at * static_cast<std::size_t>(codes) + static_cast<std::size_t>(r)] == expected;
        }
      }
      CHECK(same);
    }
  }
}

TEST_CASE("the largest sums that are allowed do not overflow") {
  const int cols = kMostColumns;
  for (const int bits : {4, 8}) {
    CodedTensor tensor{.shape = {1, cols}, .format = CodeFormat::of_bits(bits)};
    tensor.codes.assign(static_cast<std::size_t>(cols), static_cast<std::uint8_t>((1 << bits) - 1));
    tensor.row_scale = {0x3c00};
    const PackedMatrix packed = pack_tensor(tensor);
    const std::vector<std::vector<float>> x(
        9, std::vector<float>(static_cast<std::size_t>(cols), kLargestFixed));
    const double level = (1 << (bits - 1)) - 1;
    const auto expected = static_cast<float>(level * kLargestFixed * cols);
    for (const Kernels* kernels : all_kernels()) {
      CAPTURE(kernels->name);
      CHECK(multiply(*kernels, packed, x, 1)[0] == expected);
      CHECK(multiply(*kernels, packed, x, 9) == std::vector<float>(9, expected));
    }
  }
}

TEST_CASE("fixed point: zeros, tiny and huge numbers, and what is not finite") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const Kernels* kernels : all_kernels()) {
    CAPTURE(kernels->name);
    for (const std::size_t size : {std::size_t{5}, std::size_t{128}, std::size_t{300}}) {
      std::vector<std::int16_t> q(padded_to(size, kBlock), 77);
      std::vector<float> x(size, 0.0F);
      CHECK(kernels->to_fixed(x.data(), size, q.data()).step == 0);
      CHECK(q == std::vector<std::int16_t>(q.size()));
      x[size - 1] = 3e38F;
      x[0] = -3e38F;
      const FixedScale huge = kernels->to_fixed(x.data(), size, q.data());
      CHECK(huge.step == 3e38F / kLargestFixed);
      CHECK(q[0] == -32512);
      CHECK(huge.sum == 0);
      x[size - 1] = x[0] = 1e-44F;  // too small for a step
      CHECK(kernels->to_fixed(x.data(), size, q.data()).step == 0);
      for (const float bad : {kInfinity, -kInfinity, std::nanf("")}) {
        x[size - 1] = bad;
        CHECK(std::isnan(kernels->to_fixed(x.data(), size, q.data()).step));
        x[size - 1] = 0;
        x[0] = bad;
        CHECK(std::isnan(kernels->to_fixed(x.data(), size, q.data()).step));
        x[0] = 1;
      }
    }
  }
}

TEST_CASE("planes hold the columns in every order") {
  std::vector<std::int16_t> q(2 * kBlock);
  for (std::size_t i = 0; i < q.size(); ++i) q[i] = static_cast<std::int16_t>(i * 253 - 32512);
  for (std::size_t order = 0; order < kOrders; ++order) {
    const auto fill = [&](const Kernels& kernels) {
      std::vector<std::int8_t> planes(2 * q.size());
      kernels.to_planes(q.data(), q.size(), static_cast<ColumnOrder>(order),
                        {planes.data(), planes.data() + q.size()});
      return planes;
    };
    const std::vector<std::int8_t> expected = fill(scalar_kernels());
    std::int64_t sum = 0, all = 0;
    for (std::size_t i = 0; i < q.size(); ++i) {
      sum += 256 * expected[i] + expected[q.size() + i];
      all += q[i];
    }
    CHECK(sum == all);
    for (const Kernels* kernels : all_kernels()) CHECK(fill(*kernels) == expected);
  }
}

TEST_CASE("products of floats, norms, activations and sums are those of plain C++") {
  for (const int size : kSizes) {
    const auto count = static_cast<std::size_t>(size);
    const std::vector<float> x = random_vector(count, 1), w = random_vector(count, 2, 30);
    FloatTensor tensor{.shape = {3, size}, .values = random_vector(3 * count, 3)};
    const PackedMatrix matrix = pack_tensor(tensor);
    const float* vectors[] = {x.data(), w.data()};
    const auto run = [&](const Kernels& kernels) {
      std::vector<std::vector<float>> out(4, std::vector<float>(count));
      out[3] = w;
      kernels.rms_norm(x.data(), w.data(), count, 1e-5F, out[0].data());
      kernels.swiglu(w.data(), x.data(), count, out[1].data());
      kernels.add_scaled(0.75F, x.data(), count, out[3].data());
      std::vector<float> y(6);
      kernels.multiply_floats({&matrix, 0, 3, vectors, 2, y.data(), 3});
      out[2] = y;
      return out;
    };
    const auto expected = run(scalar_kernels());
    for (const Kernels* kernels : all_kernels()) {
      CAPTURE(kernels->name);
      CAPTURE(size);
      const auto got = run(*kernels);
      for (std::size_t part = 0; part < got.size(); ++part) {
        for (std::size_t i = 0; i < got[part].size(); ++i) {
          const float tolerance =
              part == 2 ? 1e-5F * std::sqrt(static_cast<float>(size)) * 30 : 1e-6F;
          CHECK(std::fabs(got[part][i] - expected[part][i]) <=
                tolerance * std::max(1.0F, std::fabs(expected[part][i])));
        }
      }
    }
  }
}

TEST_CASE("swiglu at the ends of the exponential") {
  const std::vector<float> gate = {-1e4F, -200, -100, -88, 0,  88,  200,  1e4F, -1e4F,
                                   -200,  -100, -88,  0,   88, 200, 1e4F, 0.5F};
  const std::vector<float> up(gate.size(), 2);
  for (const Kernels* kernels : all_kernels()) {
    CAPTURE(kernels->name);
    std::vector<float> out(gate.size());
    kernels->swiglu(gate.data(), up.data(), gate.size(), out.data());
    for (std::size_t i = 0; i < gate.size(); ++i) {
      const double exact = gate[i] / (1 + std::exp(-static_cast<double>(gate[i]))) * 2;
      CHECK(std::fabs(out[i] - exact) <= 1e-6 * std::fabs(exact) + 1e-30);
    }
  }
}

// First position that is seen, and the number of positions.
constexpr std::array<std::array<std::size_t, 2>, 12> kSeen = {{{0, 1},
                                                               {0, 2},
                                                               {0, 15},
                                                               {0, 63},
                                                               {0, 64},
                                                               {0, 65},
                                                               {0, 130},
                                                               {0, 192},
                                                               {1, 2},
                                                               {14, 15},
                                                               {63, 192},
                                                               {17, 130}}};

TEST_CASE("attention over any number of positions, heads and sizes") {
  for (const std::size_t head_size : {std::size_t{12}, std::size_t{16}, std::size_t{64}}) {
    for (const std::size_t heads :
         {std::size_t{1}, std::size_t{3}, std::size_t{4}, std::size_t{6}}) {
      constexpr std::size_t kBlocks = 3, kKvHeads = 2;
      const std::size_t padded = padded_to(head_size, kHeadPadding);
      std::mt19937 random(7);
      std::vector<std::int16_t> numbers(kBlocks * kKvHeads * kKvBlock * (head_size + padded));
      for (std::int16_t& number : numbers) {
        number = static_cast<std::int16_t>(static_cast<int>(random() % 65025) - 32512);
      }
      std::vector<float> steps(kBlocks * 2 * kKvHeads * kKvBlock);
      for (float& step : steps) step = 1e-4F * static_cast<float>(random() % 3 + 1);
      std::vector<KvBlock> blocks;
      for (std::size_t b = 0; b < kBlocks; ++b) {
        std::int16_t* keys = numbers.data() + b * kKvHeads * kKvBlock * (head_size + padded);
        float* key_steps = steps.data() + b * 2 * kKvHeads * kKvBlock;
        blocks.push_back({keys, keys + kKvHeads * kKvBlock * head_size, key_steps,
                          key_steps + kKvHeads * kKvBlock});
      }
      const std::vector<float> q = random_vector(heads * head_size, 5, 0.3F);
      for (const auto& [first_seen, end] : kSeen) {
        const std::size_t first = first_seen, positions = end;
        const auto run = [&](const Kernels& kernels) {
          std::vector<float> scores(heads * kBlocks * kKvBlock), out(heads * padded);
          kernels.attend({.q = q.data(),
                          .heads = heads,
                          .head_size = head_size,
                          .first = first,
                          .positions = positions,
                          .blocks = blocks.data(),
                          .kv_head = 1,
                          .kv_heads = kKvHeads,
                          .scores = scores.data(),
                          .out = out.data()});
          return out;
        };
        const std::vector<float> expected = run(scalar_kernels());
        for (const Kernels* kernels : all_kernels()) {
          CAPTURE(kernels->name);
          CAPTURE(first);
          CAPTURE(positions);
          const std::vector<float> got = run(*kernels);
          for (std::size_t i = 0; i < got.size(); ++i) {
            CHECK(std::fabs(got[i] - expected[i]) <= 2e-4F);
          }
        }
      }
    }
  }
}

TEST_CASE("a packed matrix gives back the codes that went in") {
  for (const int bits : {1, 2, 3, 4, 5, 6, 7, 8}) {
    for (const int cols : {1, 2, 7, 8, 9, 33}) {
      const CodedTensor tensor = random_codes(3, cols, bits);
      const PackedMatrix packed = pack_tensor(tensor);
      std::vector<float> row(static_cast<std::size_t>(cols));
      for (int r = 0; r < 3; ++r) {
        dequantise_row(packed, r, row);
        for (int c = 0; c < cols; ++c) {
          CHECK(row[static_cast<std::size_t>(c)] == static_cast<float>(weight_at(tensor, r, c)));
        }
      }
    }
  }
}
