#include "model/tensor.h"

#include <algorithm>
#include <charconv>
#include <span>

#include "base/error.h"
#include "base/half.h"

namespace sb3lm {
namespace {

constexpr RoleRow kRoles[] = {
#define ROLE(number, name, home, kind, outlet, component, bits, ...) \
  {Role::name, #name, RoleHome::home, RoleKind::kind, Role::outlet, (bits)},
#include "model/roles.def"
#undef ROLE
};

int query_width(const AttentionSpec& attention) {
  return attention.query_heads * attention.head_size;
}

int kv_width(const AttentionSpec& attention) {
  return attention.kv_heads * attention.head_size;
}

constexpr std::string_view kExpertPrefix = "expert_";

/// Takes "WORD NUMBER " off the front of `text`; "*" reads as -1 where `star` allows it.
std::optional<int> take_number(std::string_view& text, std::string_view word, bool star) {
  if (!text.starts_with(word)) return std::nullopt;
  std::string_view rest = text.substr(word.size());
  int value = -1;
  if (star && rest.starts_with("* ")) {
    rest.remove_prefix(1);
  } else {
    const auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (problem != std::errc() || value < 0) return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  }
  if (!rest.starts_with(" ")) return std::nullopt;
  text = rest.substr(1);
  return value;
}

using ExpectedTensors = std::vector<std::pair<TensorKey, Shape>>;

void add_role(const RoleRow& row, const ModelSpec& spec, int layer, int expert,
              ExpectedTensors& all) {
  if (const auto shape = shape_of_role(row.role, spec, layer)) {
    all.push_back({{row.role, layer, expert}, *shape});
  }
}

void add_layer(const ModelSpec& spec, int layer, std::span<const RoleRow> rows,
               ExpectedTensors& all) {
  const auto is_experts = [](const RoleRow& row) { return row.home == RoleHome::expert; };
  const int experts = spec.layers[static_cast<std::size_t>(layer)].feed_forward.routed_experts;
  for (auto row = rows.begin(); row != rows.end();) {
    if (!is_experts(*row)) {
      add_role(*row++, spec, layer, -1, all);
      continue;
    }
    // All matrices of one expert lie together.
    const auto end = std::find_if_not(row, rows.end(), is_experts);
    for (int expert = 0; expert < experts; ++expert) {
      std::for_each(row, end, [&](const RoleRow& r) { add_role(r, spec, layer, expert, all); });
    }
    row = end;
  }
}

}  // namespace

const RoleRow& about(Role role) {
  for (const RoleRow& row : kRoles) {
    if (row.role == role) return row;
  }
  throw Error(Fault::bug, "internal error: a role without a row");
}

std::string_view role_name(Role role) {
  return about(role).name;
}

bool is_vector(Role role) {
  const RoleKind kind = about(role).kind;
  return kind == RoleKind::norm || kind == RoleKind::bias;
}

bool is_router(Role role) {
  return about(role).kind == RoleKind::router;
}

bool is_vocabulary_matrix(Role role) {
  return role == Role::embedding || role == Role::head;
}

Role swap_gate_and_up(Role role) {
  constexpr std::string_view kGate = "gate", kUp = "up";
  const std::string_view name = role_name(role);
  const auto other = [&](std::string_view own, std::string_view theirs) {
    return role_from_name(std::string(name.substr(0, name.size() - own.size())).append(theirs));
  };
  if (name.ends_with(kGate)) return other(kGate, kUp);
  if (name.ends_with(kUp)) return other(kUp, kGate);
  return role;
}

std::optional<Shape> shape_of_role(Role role, const ModelSpec& s, int layer) {
  const LayerSpec none;
  [[maybe_unused]] const LayerSpec& of =
      layer < 0 ? none : s.layers[static_cast<std::size_t>(layer)];
  [[maybe_unused]] const AttentionSpec& a = of.attention;
  [[maybe_unused]] const FeedForwardSpec& f = of.feed_forward;
  switch (role) {
#define ROLE(number, name, home, kind, outlet, component, bits, rows, columns, when) \
  case Role::name:                                                                   \
    if (!(when)) return std::nullopt;                                                \
    return Shape{(rows), (columns)};
#include "model/roles.def"
#undef ROLE
  }
  return std::nullopt;
}

Role role_from_name(std::string_view name) {
  for (const RoleRow& row : kRoles) {
    if (row.name == name) return row.role;
  }
  fail(Fault::bad_input, "'{}' is not a tensor role", name);
}

std::string tensor_key_text(const TensorKey& key) {
  const RoleRow& row = about(key.role);
  if (row.home == RoleHome::model) return std::string(row.name);
  if (row.home == RoleHome::layer) return fmt::format("layer {} {}", key.layer, row.name);
  const std::string expert = key.expert < 0 ? "*" : std::to_string(key.expert);
  return fmt::format("layer {} expert {} {}", key.layer, expert,
                     row.name.substr(kExpertPrefix.size()));
}

TensorKey tensor_key_from_text(std::string_view text) {
  const std::string_view whole = text;
  const std::optional<int> layer = take_number(text, "layer ", false);
  const std::optional<int> expert = layer ? take_number(text, "expert ", true) : std::nullopt;
  const std::string name =
      expert ? std::string(kExpertPrefix) + std::string(text) : std::string(text);
  const RoleHome home = expert ? RoleHome::expert : layer ? RoleHome::layer : RoleHome::model;
  for (const RoleRow& row : kRoles) {
    if (row.name == name && row.home == home) {
      return {row.role, layer.value_or(-1), expert.value_or(-1)};
    }
  }
  fail(Fault::bad_input,
       "'{}' is not a role; roles read 'embedding', 'layer 3 q', 'layer 0 expert 5 gate' or, for a "
       "stack of experts, 'layer 0 expert * gate'",
       whole);
}

std::vector<std::pair<TensorKey, Shape>> expected_tensors(const ModelSpec& spec) {
  const auto is_outside = [](const RoleRow& row) { return row.home == RoleHome::model; };
  const std::span<const RoleRow> rows(kRoles);
  const auto layers = std::find_if_not(rows.begin(), rows.end(), is_outside);
  const auto behind = std::find_if(layers, rows.end(), is_outside);
  ExpectedTensors all;
  std::for_each(rows.begin(), layers,
                [&](const RoleRow& row) { add_role(row, spec, -1, -1, all); });
  for (std::size_t layer = 0; layer < spec.layers.size(); ++layer) {
    add_layer(spec, static_cast<int>(layer), {layers, behind}, all);
  }
  std::for_each(behind, rows.end(), [&](const RoleRow& row) { add_role(row, spec, -1, -1, all); });
  return all;
}

std::int64_t weight_count(const ModelSpec& spec) {
  std::int64_t weights = 0;
  for (const auto& [key, shape] : expected_tensors(spec)) {
    weights += std::int64_t{shape.rows} * shape.cols;
  }
  return weights;
}

Shape shape_of(const Tensor& tensor) {
  return std::visit([](const auto& held) { return held.shape; }, tensor);
}

double weight_at(const Tensor& tensor, int row, int col) {
  const Shape shape = shape_of(tensor);
  const auto at = static_cast<std::size_t>(row) * static_cast<std::size_t>(shape.cols) +
                  static_cast<std::size_t>(col);
  if (const auto* plain = std::get_if<FloatTensor>(&tensor)) return plain->values[at];
  const auto& coded = std::get<CodedTensor>(tensor);
  return coded.format.level(coded.codes[at]) *
         half_to_double(coded.row_scale[static_cast<std::size_t>(row)]);
}

}  // namespace sb3lm
