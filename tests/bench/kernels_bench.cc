// The fast engine's kernels one by one, for every instruction set of this processor. Items per
// second are weights (times vectors) for products, elements otherwise.
#include <benchmark/benchmark.h>

#include <random>
#include <string>

#include "runtime_ref/fast_inputs.h"

using namespace sb3lm;
using namespace sb3lm::fast;

namespace {

constexpr int kRows = 768, kCols = 768;

PackedMatrix random_matrix(int bits) {
  std::mt19937 random(1);
  CodedTensor tensor{.shape = {kRows, kCols}, .format = CodeFormat::of_bits(bits)};
  for (int i = 0; i < kRows * kCols; ++i) {
    tensor.codes.push_back(static_cast<std::uint8_t>(random() & ((1u << bits) - 1)));
  }
  tensor.row_scale.assign(kRows, 0x2000);
  return pack_tensor(tensor);
}

void products(benchmark::State& state, const Kernels* kernels, int bits) {
  const auto vectors = static_cast<std::size_t>(state.range(0));
  const PackedMatrix matrix = random_matrix(bits);
  Inputs inputs(kCols, vectors);
  inputs.serve(matrix);
  for (std::size_t v = 0; v < vectors; ++v) {
    for (int i = 0; i < kCols; ++i) inputs.row(v)[i] = static_cast<float>((i * 37) % 100 - 50);
    inputs.prepare(*kernels, v, kCols);
  }
  std::vector<float> y(vectors * kRows);
  for (auto _ : state) {
    kernels->multiply({&matrix, 0, kRows, inputs.planes(column_order(matrix)), inputs.scales(),
                       vectors, y.data(), kRows});
    benchmark::DoNotOptimize(y.data());
  }
  state.SetItemsProcessed(state.iterations() * kRows * kCols * static_cast<std::int64_t>(vectors));
}

void preparing(benchmark::State& state, const Kernels* kernels) {
  Inputs inputs(kCols, 1);
  inputs.serve(random_matrix(4));
  for (int i = 0; i < kCols; ++i) inputs.row(0)[i] = static_cast<float>(i % 100 - 50);
  for (auto _ : state) inputs.prepare(*kernels, 0, kCols);
  state.SetItemsProcessed(state.iterations() * kCols);
}

void attention(benchmark::State& state, const Kernels* kernels) {
  constexpr std::size_t kHeads = 4, kSize = 64;
  const auto positions = static_cast<std::size_t>(state.range(0));
  const std::size_t blocks = (positions + kKvBlock - 1) / kKvBlock;
  std::vector<std::int16_t> numbers(2 * kSize * kKvBlock, 1000);
  std::vector<float> steps(kKvBlock, 1e-4F);
  const KvBlock block{.keys = numbers.data(),
                      .values = numbers.data() + kSize * kKvBlock,
                      .key_steps = steps.data(),
                      .value_steps = steps.data()};
  const std::vector<KvBlock> all(blocks, block);
  std::vector<float> q(kHeads * kSize, 0.1F), scores(kHeads * blocks * kKvBlock), out(q.size());
  for (auto _ : state) {
    kernels->attend({.q = q.data(),
                     .heads = kHeads,
                     .head_size = kSize,
                     .positions = positions,
                     .blocks = all.data(),
                     .kv_head = 0,
                     .kv_heads = 1,
                     .scores = scores.data(),
                     .out = out.data()});
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(positions * out.size()));
}

void swiglu(benchmark::State& state, const Kernels* kernels) {
  const std::vector<float> gate(kCols, 0.5F), up(kCols, 0.25F);
  std::vector<float> out(kCols);
  for (auto _ : state) {
    kernels->swiglu(gate.data(), up.data(), kCols, out.data());
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * kCols);
}

}  // namespace

int main(int argc, char** argv) {
  for (const Kernels* kernels : all_kernels()) {
    const std::string name = kernels->name;
    for (const int bits : {1, 4, 8}) {
      benchmark::RegisterBenchmark((name + "/products " + std::to_string(bits) + " bit").c_str(),
                                   products, kernels, bits)
          ->Arg(1)
          ->Arg(32);
    }
    benchmark::RegisterBenchmark((name + "/attention").c_str(), attention, kernels)->Arg(256);
    benchmark::RegisterBenchmark((name + "/fixed point").c_str(), preparing, kernels);
    benchmark::RegisterBenchmark((name + "/swiglu").c_str(), swiglu, kernels);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
