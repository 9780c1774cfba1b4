// Name rules of families: fused rows, transposed matrices, norms that lack 1. A model stored
// plainly and the same stored the other way must be one model.
#include <doctest/doctest.h>

#include <cstring>

#include "base/error.h"
#include "import/assemble.h"
#include "import/checkpoint_out.h"
#include "import/matrix_rule.h"
#include "import/safetensors.h"
#include "model/fingerprint.h"
#include "support/checkpoint_writer.h"

using namespace sb3lm;

namespace {

SilentProgress silent;

constexpr NameRule kPlain[] = {
    {Role::embedding, "wte"},
    {Role::attention_norm, "h.{L}.ln_1"},
    {Role::q, "h.{L}.q"},
    {Role::k, "h.{L}.k"},
    {Role::v, "h.{L}.v"},
    {Role::q_bias, "h.{L}.q_bias"},
    {Role::k_bias, "h.{L}.k_bias"},
    {Role::v_bias, "h.{L}.v_bias"},
    {Role::o, "h.{L}.o"},
    {Role::ffn_norm, "h.{L}.ln_2"},
    {Role::gate, "h.{L}.gate"},
    {Role::up, "h.{L}.up"},
    {Role::down, "h.{L}.mlp.down_proj"},
    {Role::final_norm, "ln_f"},
};

// As GPT-2 stores them: q, k and v in one, input x output; gate and up in one; norms less 1.
constexpr NameRule kFused[] = {
    {Role::embedding, "(transformer.|)wte"},
    {.role = Role::attention_norm, .pattern = "(transformer.|)h.{L}.ln_1", .plus_one = true},
    {Role::q, "(transformer.|)h.{L}.c_attn", {0, 1, 3}, true},
    {Role::k, "(transformer.|)h.{L}.c_attn", {1, 2, 3}, true},
    {Role::v, "(transformer.|)h.{L}.c_attn", {2, 3, 3}, true},
    {Role::q_bias, "(transformer.|)h.{L}.c_attn.bias", {0, 1, 3}},
    {Role::k_bias, "(transformer.|)h.{L}.c_attn.bias", {1, 2, 3}},
    {Role::v_bias, "(transformer.|)h.{L}.c_attn.bias", {2, 3, 3}},
    {.role = Role::o, .pattern = "(transformer.|)h.{L}.c_proj", .transposed = true},
    {Role::ffn_norm, "(transformer.|)h.{L}.ln_2"},
    {Role::gate, "(transformer.|)h.{L}.gate_up", {0, 1, 2}},
    {Role::up, "(transformer.|)h.{L}.gate_up", {1, 2, 2}},
    {Role::down, "(transformer.|)h.{L}.mlp.down_proj"},
    {Role::final_norm, "(transformer.|)ln_f"},
};

// As GPT-NeoX: q, k and v of a head side by side.
constexpr NameRule kPerHead[] = {
    {Role::q, "h.{L}.query_key_value", {0, 1, 3, true}},
    {Role::k, "h.{L}.query_key_value", {1, 2, 3, true}},
    {Role::v, "h.{L}.query_key_value", {2, 3, 3, true}},
    {Role::q_bias, "h.{L}.query_key_value.bias", {0, 1, 3, true}},
    {Role::k_bias, "h.{L}.query_key_value.bias", {1, 2, 3, true}},
    {Role::v_bias, "h.{L}.query_key_value.bias", {2, 3, 3, true}},
};

Family family_with(std::vector<std::span<const NameRule>> rules) {
  return {.name = "test",
          .model_types = {},
          .assumed = {{"rope", "half-split"}, {"heads", "3"}, {"context", "16"}},
          .rules = std::move(rules),
          .ignored = {".attn.bias"},
          .settled = {},
          .spellings = {}};
}

constexpr int kWidth = 12, kHidden = 20, kVocabulary = 10, kHeads = 3, kHeadSize = 4;

/// Rows of numbers that tell where they stood.
std::vector<float> numbers(int rows, int cols, float first) {
  std::vector<float> values;
  for (int i = 0; i < rows * cols; ++i) values.push_back(first + 0.25F * static_cast<float>(i));
  return values;
}

TensorToWrite tensor(const std::string& name, std::vector<std::int64_t> shape,
                     const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return {name, "F32", std::move(shape), std::move(bytes)};
}

std::vector<float> joined(std::initializer_list<std::vector<float>> parts) {
  std::vector<float> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::vector<float> transposed(const std::vector<float>& values, int rows, int cols) {
  std::vector<float> out;
  for (int col = 0; col < cols; ++col) {
    for (int row = 0; row < rows; ++row) out.push_back(values[row * cols + col]);
  }
  return out;
}

/// Rows of `length` of three matrices, head by head.
std::vector<float> by_head(const std::array<std::vector<float>, 3>& parts, int length) {
  std::vector<float> out;
  const int size = kHeadSize * length;
  for (int head = 0; head < kHeads; ++head) {
    for (const auto& part : parts) {
      out.insert(out.end(), part.begin() + head * size, part.begin() + (head + 1) * size);
    }
  }
  return out;
}

const std::array<std::vector<float>, 3> kQkv = {numbers(12, 12, 100), numbers(12, 12, 200),
                                                numbers(12, 12, 300)};
const std::array<std::vector<float>, 3> kBias = {numbers(1, 12, -1), numbers(1, 12, -20),
                                                 numbers(1, 12, -40)};
const std::vector<float> kGate = numbers(kHidden, kWidth, 500), kUp = numbers(kHidden, kWidth, 600);
const std::vector<float> kO = numbers(kWidth, kWidth, 400), kNorm = numbers(1, kWidth, 0.5F);

/// What all files have in common.
std::vector<TensorToWrite> common() {
  return {tensor("wte.weight", {kVocabulary, kWidth}, numbers(kVocabulary, kWidth, 0)),
          tensor("h.0.ln_2.weight", {kWidth}, kNorm),
          tensor("h.0.mlp.down_proj.weight", {kWidth, kHidden}, numbers(kWidth, kHidden, 700)),
          tensor("ln_f.weight", {kWidth}, numbers(1, kWidth, 9))};
}

std::string file_of(std::vector<TensorToWrite> more) {
  std::vector<TensorToWrite> all = common();
  for (TensorToWrite& one : more) all.push_back(std::move(one));
  return write_safetensors(all, {});
}

std::string plain_file() {
  const char* names[] = {"h.0.q", "h.0.k", "h.0.v"};
  std::vector<TensorToWrite> more = {tensor("h.0.ln_1.weight", {kWidth}, kNorm),
                                     tensor("h.0.o.weight", {kWidth, kWidth}, kO),
                                     tensor("h.0.gate.weight", {kHidden, kWidth}, kGate),
                                     tensor("h.0.up.weight", {kHidden, kWidth}, kUp)};
  for (std::size_t i = 0; i < 3; ++i) {
    more.push_back(tensor(std::string(names[i]) + ".weight", {kWidth, kWidth}, kQkv[i]));
    more.push_back(tensor(std::string(names[i]) + "_bias", {kWidth}, kBias[i]));
  }
  return file_of(std::move(more));
}

std::string fused_file() {
  std::vector<float> less = kNorm;
  for (float& value : less) value -= 1;
  const std::vector<float> rows = joined({kQkv[0], kQkv[1], kQkv[2]});
  return file_of(
      {tensor("h.0.ln_1.weight", {kWidth}, less),
       tensor("h.0.c_attn.weight", {kWidth, 3 * kWidth}, transposed(rows, 3 * kWidth, kWidth)),
       tensor("h.0.c_attn.bias", {3 * kWidth}, joined({kBias[0], kBias[1], kBias[2]})),
       tensor("h.0.c_proj.weight", {kWidth, kWidth}, transposed(kO, kWidth, kWidth)),
       tensor("h.0.gate_up.weight", {2 * kHidden, kWidth}, joined({kGate, kUp})),
       tensor("h.0.attn.bias", {1, 1, 2, 2}, {1, 0, 1, 1})});  // a mask
}

std::string per_head_file() {
  return file_of({tensor("h.0.ln_1.weight", {kWidth}, kNorm),
                  tensor("h.0.o.weight", {kWidth, kWidth}, kO),
                  tensor("h.0.gate.weight", {kHidden, kWidth}, kGate),
                  tensor("h.0.up.weight", {kHidden, kWidth}, kUp),
                  tensor("h.0.query_key_value.weight", {3 * kWidth, kWidth}, by_head(kQkv, kWidth)),
                  tensor("h.0.query_key_value.bias", {3 * kWidth}, by_head(kBias, 1))});
}

Model read(const std::string& bytes, const Family& family) {
  return assemble(parse_safetensors("m.safetensors", as_bytes(bytes)),
                  {.checkpoint = {"m.safetensors", as_bytes(bytes)}}, {}, silent, &family);
}

}  // namespace

TEST_CASE("fused, transposed and lessened tensors are the matrices of their roles") {
  const Model plain = read(plain_file(), family_with({kPlain}));
  CHECK(plain.spec.layers[0].attention.head_size == kHeadSize);
  for (const Model& other : {read(fused_file(), family_with({kFused})),
                             read(per_head_file(), family_with({kPerHead, kPlain}))}) {
    CHECK(other.spec == plain.spec);
    CHECK(model_fingerprint(other) == model_fingerprint(plain));
    CHECK(weight_at(other.at({Role::v, 0}), 5, 7) == 300 + 0.25 * (5 * kWidth + 7));
    CHECK(weight_at(other.at({Role::up, 0}), 1, 2) == 600 + 0.25 * (kWidth + 2));
    CHECK(weight_at(other.at({Role::k_bias, 0}), 0, 11) == -20 + 0.25 * 11);
  }
}

TEST_CASE("a sum that a half cannot hold becomes a float") {
  const FloatTensor norm{.shape = {1, 2}, .type = FloatType::bf16, .values = {0.0078125F, -1}};
  const std::string name = "norm";
  const Tensor out =
      obey_rule({.role = Role::final_norm, .pattern = "", .plus_one = true}, norm, {name, name}, 1);
  CHECK(std::get<FloatTensor>(out).type == FloatType::f32);
  CHECK(std::get<FloatTensor>(out).values == std::vector<float>{1.0078125F, 0});
}

TEST_CASE("packed codes are cut by rows, but neither transposed nor added to") {
  const CodedTensor coded{.shape = {4, 2},
                          .format = CodeFormat::of_bits(4),
                          .codes = {1, 2, 3, 4, 5, 6, 7, 8},
                          .row_scale = {10, 11, 12, 13}};
  const std::string file = "f", name = "w";
  const auto cut = [&](const NameRule& rule, int heads) {
    return std::get<CodedTensor>(obey_rule(rule, coded, {file, name}, heads));
  };
  const CodedTensor half = cut({Role::up, "", {1, 2, 2}}, 1);
  CHECK(half.shape == Shape{2, 2});
  CHECK(half.codes == std::vector<std::uint8_t>{5, 6, 7, 8});
  CHECK(half.row_scale == std::vector<std::uint16_t>{12, 13});
  const CodedTensor heads = cut({Role::q, "", {0, 1, 2, true}}, 2);
  CHECK(heads.codes == std::vector<std::uint8_t>{1, 2, 5, 6});
  CHECK(heads.row_scale == std::vector<std::uint16_t>{10, 12});
  CHECK_THROWS_WITH_AS(cut({Role::q, "", {0, 1, 3}}, 1),
                       "f: tensor 'w': its 4 rows are no 3 equal parts", Error);
  CHECK_THROWS_WITH_AS(cut({.role = Role::q, .pattern = "", .transposed = true}, 1),
                       "f: tensor 'w': packed codes cannot be transposed", Error);
  CHECK_THROWS_WITH_AS(cut({.role = Role::q, .pattern = "", .plus_one = true}, 1),
                       "f: tensor 'w': packed codes cannot be added to", Error);
}

TEST_CASE("a fused tensor that does not divide is refused by name") {
  CheckpointEditor file(fused_file());
  file.at("h.0.c_attn.bias") = tensor("h.0.c_attn.bias", {35}, numbers(1, 35, 0));
  CHECK_THROWS_WITH_AS(read(file.bytes(), family_with({kFused})),
                       "m.safetensors: tensor 'h.0.c_attn.bias': its 35 rows are no 3 equal parts",
                       Error);
}

TEST_CASE("what was fused is exported under the names of roles, and every family reads these") {
  const Model fused = read(fused_file(), family_with({kFused}));
  CHECK(fused.names.at({Role::k, 0}) == "layer 0 k");
  const CheckpointOut out = write_checkpoint(fused, silent);
  const Model back =
      import_from_memory({.checkpoint = {"out.safetensors", as_bytes(out.checkpoint)}}, {}, silent);
  CHECK(model_fingerprint(back) == model_fingerprint(fused));
}
