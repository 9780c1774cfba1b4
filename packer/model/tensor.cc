#include "model/tensor.h"

#include <charconv>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/half.h"

namespace sb3lm {
namespace {

enum class Home { top, layer, expert };

struct RoleRow {
  Role role;
  std::string_view name;
  Home home;
};

constexpr RoleRow kRoles[] = {
    {Role::embedding, "embedding", Home::top},
    {Role::head, "head", Home::top},
    {Role::final_norm, "final_norm", Home::top},
    {Role::attention_norm, "attention_norm", Home::layer},
    {Role::q, "q", Home::layer},
    {Role::k, "k", Home::layer},
    {Role::v, "v", Home::layer},
    {Role::o, "o", Home::layer},
    {Role::ffn_norm, "ffn_norm", Home::layer},
    {Role::router, "router", Home::layer},
    {Role::gate, "gate", Home::layer},
    {Role::up, "up", Home::layer},
    {Role::down, "down", Home::layer},
    {Role::shared_gate, "shared_gate", Home::layer},
    {Role::shared_up, "shared_up", Home::layer},
    {Role::shared_down, "shared_down", Home::layer},
    {Role::expert_gate, "expert_gate", Home::expert},
    {Role::expert_up, "expert_up", Home::expert},
    {Role::expert_down, "expert_down", Home::expert},
    {Role::q_bias, "q_bias", Home::layer},
    {Role::k_bias, "k_bias", Home::layer},
    {Role::v_bias, "v_bias", Home::layer},
    {Role::shared_router, "shared_router", Home::layer},
};

const RoleRow& row_of(Role role) {
  for (const RoleRow& row : kRoles) {
    if (row.role == role) return row;
  }
  throw Error(Fault::bug, "internal error: a role without a row");
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

void add_mixture(std::vector<std::pair<TensorKey, Shape>>& all, int layer, int width,
                 const FeedForwardSpec& ffn) {
  all.push_back({{Role::router, layer}, {ffn.routed_experts, width}});
  if (ffn.shared_gated) all.push_back({{Role::shared_router, layer}, {1, width}});
  if (ffn.shared_experts > 0) {
    all.push_back({{Role::shared_gate, layer}, {ffn.shared_hidden, width}});
    all.push_back({{Role::shared_up, layer}, {ffn.shared_hidden, width}});
    all.push_back({{Role::shared_down, layer}, {width, ffn.shared_hidden}});
  }
  for (int expert = 0; expert < ffn.routed_experts; ++expert) {
    all.push_back({{Role::expert_gate, layer, expert}, {ffn.hidden, width}});
    all.push_back({{Role::expert_up, layer, expert}, {ffn.hidden, width}});
    all.push_back({{Role::expert_down, layer, expert}, {width, ffn.hidden}});
  }
}

void add_layer(std::vector<std::pair<TensorKey, Shape>>& all, int layer, int width,
               const LayerSpec& spec) {
  const AttentionSpec& attention = spec.attention;
  const int query_width = attention.query_heads * attention.head_size;
  const int kv_width = attention.kv_heads * attention.head_size;
  all.push_back({{Role::attention_norm, layer}, {1, width}});
  all.push_back({{Role::q, layer}, {query_width, width}});
  all.push_back({{Role::k, layer}, {kv_width, width}});
  all.push_back({{Role::v, layer}, {kv_width, width}});
  if (attention.qkv_bias) {
    all.push_back({{Role::q_bias, layer}, {1, query_width}});
    all.push_back({{Role::k_bias, layer}, {1, kv_width}});
    all.push_back({{Role::v_bias, layer}, {1, kv_width}});
  }
  all.push_back({{Role::o, layer}, {width, query_width}});
  all.push_back({{Role::ffn_norm, layer}, {1, width}});
  const FeedForwardSpec& ffn = spec.feed_forward;
  if (ffn.is_mixture()) {
    add_mixture(all, layer, width, ffn);
    return;
  }
  all.push_back({{Role::gate, layer}, {ffn.hidden, width}});
  all.push_back({{Role::up, layer}, {ffn.hidden, width}});
  all.push_back({{Role::down, layer}, {width, ffn.hidden}});
}

}  // namespace

std::string_view role_name(Role role) {
  return row_of(role).name;
}

bool is_vector(Role role) {
  switch (role) {
    case Role::final_norm:
    case Role::attention_norm:
    case Role::ffn_norm:
    case Role::q_bias:
    case Role::k_bias:
    case Role::v_bias:
      return true;
    default:
      return false;
  }
}

bool is_router(Role role) {
  return role == Role::router || role == Role::shared_router;
}

Role role_from_name(std::string_view name) {
  for (const RoleRow& row : kRoles) {
    if (row.name == name) return row.role;
  }
  fail(Fault::bad_input, "'{}' is not a tensor role", name);
}

std::string tensor_key_text(const TensorKey& key) {
  const RoleRow& row = row_of(key.role);
  if (row.home == Home::top) return std::string(row.name);
  if (row.home == Home::layer) return fmt::format("layer {} {}", key.layer, row.name);
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
  const Home home = expert ? Home::expert : layer ? Home::layer : Home::top;
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
  std::vector<std::pair<TensorKey, Shape>> all;
  all.push_back({{Role::embedding}, {spec.vocabulary, spec.width}});
  for (std::size_t layer = 0; layer < spec.layers.size(); ++layer) {
    add_layer(all, static_cast<int>(layer), spec.width, spec.layers[layer]);
  }
  all.push_back({{Role::final_norm}, {1, spec.width}});
  if (!spec.tied_head) all.push_back({{Role::head}, {spec.vocabulary, spec.width}});
  return all;
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
