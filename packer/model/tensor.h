// Weights by role, whatever the file called them.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "model/spec.h"

namespace sb3lm {

/// roles.def says what each of them is.
enum class Role {
#define ROLE(number, name, ...) name = (number),
#include "model/roles.def"
#undef ROLE
};

enum class RoleHome { model, layer, expert };
enum class RoleKind { lookup, matrix, router, norm, bias };

/// A row of roles.def but for its shape.
struct RoleRow {
  Role role;
  std::string_view name;
  RoleHome home;
  RoleKind kind;
  Role outlet;
  int bits;
};
const RoleRow& about(Role role);

/// Which tensor: `layer` is an index into ModelSpec::layers, -1 outside layers; `expert` is -1 for
/// all but routed experts.
struct TensorKey {
  Role role = Role::embedding;
  int layer = -1;
  int expert = -1;
  auto operator<=>(const TensorKey&) const = default;
};

/// "embedding", "layer 3 q", "layer 0 expert 5 gate".
std::string tensor_key_text(const TensorKey& key);
/// And back, for name maps. "layer 0 expert * gate" (expert -1) means all experts in one stack.
/// Throws bad_input that shows the spelling.
TensorKey tensor_key_from_text(std::string_view text);
/// "attention_norm" and so on, and back (nothing found: bad_input).
std::string_view role_name(Role role);
Role role_from_name(std::string_view name);

/// Norms and biases, which meet a vector item by item.
bool is_vector(Role role);
/// The small matrices that weigh experts.
bool is_router(Role role);
/// Embedding and head.
bool is_vocabulary_matrix(Role role);
/// The same matrix on the other side of a gated feed-forward; others stay what they are.
Role swap_gate_and_up(Role role);

struct Shape {
  int rows = 0;
  int cols = 0;
  bool operator==(const Shape&) const = default;
};

/// The shape that a tensor of this role has in (a layer of) a model, nothing if it has none.
std::optional<Shape> shape_of_role(Role role, const ModelSpec& spec, int layer);

/// Every tensor that a model of this spec must have, with its shape, in the order of roles.def,
/// layers by index and experts by number.
std::vector<std::pair<TensorKey, Shape>> expected_tensors(const ModelSpec& spec);
/// How many numbers they hold.
std::int64_t weight_count(const ModelSpec& spec);

/// How unsigned codes mean weights: weight = (step * code + offset) * row scale.
///   1 bit: step 2, offset -1 (so -1, +1);  3 bit: 1, -4;  4 bit: 1, -8;  8 bit: 1, -128.
struct CodeFormat {
  int bits = 0;
  int step = 1;
  int offset = 0;
  static CodeFormat of_bits(int bits) {
    return bits == 1 ? CodeFormat{1, 2, -1} : CodeFormat{bits, 1, -(1 << (bits - 1))};
  }
  int level(int code) const { return step * code + offset; }
  bool operator==(const CodeFormat&) const = default;
};

/// Quantised matrix, row-major, one unsigned code per byte, one binary16 scale per row.
struct CodedTensor {
  Shape shape;
  CodeFormat format;
  std::vector<std::uint8_t> codes;       // rows * cols, each < 2^bits
  std::vector<std::uint16_t> row_scale;  // rows, binary16 bit patterns, finite
};

enum class FloatType { f32, f16, bf16 };

/// Unquantised matrix (or vector, with one row), row-major.
struct FloatTensor {
  Shape shape;
  FloatType type = FloatType::f32;  // as stored in the file; every value is exact in it
  std::vector<float> values;
};

using Tensor = std::variant<FloatTensor, CodedTensor>;

Shape shape_of(const Tensor& tensor);
/// The exact weight as a double.
double weight_at(const Tensor& tensor, int row, int col);

}  // namespace sb3lm
