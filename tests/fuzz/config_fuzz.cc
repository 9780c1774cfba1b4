// Any bytes as the config.json beside a small float checkpoint, or as the index of its shards: a
// model or an Error, nothing else.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "import/import.h"
#include "import/safetensors.h"
#include "model/spec.h"
#include "model/tensor.h"

namespace {

using namespace sb3lm;

// A mixture of Qwen2-MoE's shape with zeros for weights.
std::string make_checkpoint() {
  ModelSpec spec{.width = 4, .vocabulary = 4, .context = 8, .layers = {{}}, .passes = {0}};
  spec.layers[0].attention = {.query_heads = 2, .kv_heads = 1, .head_size = 2, .qkv_bias = true};
  spec.layers[0].feed_forward = {.hidden = 4,
                                 .routed_experts = 2,
                                 .top_k = 1,
                                 .shared_experts = 1,
                                 .shared_hidden = 4,
                                 .shared_gated = true};
  const std::pair<Role, const char*> names[] = {
      {Role::embedding, "model.embed_tokens.weight"},
      {Role::attention_norm, "model.layers.0.input_layernorm.weight"},
      {Role::q, "model.layers.0.self_attn.q_proj.weight"},
      {Role::k, "model.layers.0.self_attn.k_proj.weight"},
      {Role::v, "model.layers.0.self_attn.v_proj.weight"},
      {Role::q_bias, "model.layers.0.self_attn.q_proj.bias"},
      {Role::k_bias, "model.layers.0.self_attn.k_proj.bias"},
      {Role::v_bias, "model.layers.0.self_attn.v_proj.bias"},
      {Role::o, "model.layers.0.self_attn.o_proj.weight"},
      {Role::ffn_norm, "model.layers.0.post_attention_layernorm.weight"},
      {Role::router, "model.layers.0.mlp.gate.weight"},
      {Role::shared_router, "model.layers.0.mlp.shared_expert_gate.weight"},
      {Role::shared_gate, "model.layers.0.mlp.shared_expert.gate_proj.weight"},
      {Role::shared_up, "model.layers.0.mlp.shared_expert.up_proj.weight"},
      {Role::shared_down, "model.layers.0.mlp.shared_expert.down_proj.weight"},
      {Role::expert_gate, "model.layers.0.mlp.experts.{}.gate_proj.weight"},
      {Role::expert_up, "model.layers.0.mlp.experts.{}.up_proj.weight"},
      {Role::expert_down, "model.layers.0.mlp.experts.{}.down_proj.weight"},
      {Role::final_norm, "model.norm.weight"},
  };
  std::vector<TensorToWrite> tensors;
  for (const auto& [key, shape] : expected_tensors(spec)) {
    for (const auto& [role, name] : names) {
      if (role != key.role) continue;
      const auto bytes = static_cast<std::size_t>(shape.rows) * shape.cols * 2;
      tensors.push_back({fmt::format(fmt::runtime(name), key.expert),
                         "BF16",
                         {shape.rows, shape.cols},
                         std::string(bytes, '\0')});
    }
  }
  return write_safetensors(tensors, {});
}

template <class Call>
void may_fail(Call call) {
  try {
    call();
  } catch (const Error& problem) {
    check(problem.fault != Fault::bug, problem.what());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string checkpoint = make_checkpoint();
  SilentProgress silent;
  const NamedBytes weights{"fuzz.safetensors", as_bytes(checkpoint)};
  const NamedBytes json{"fuzz.safetensors.index.json", {data, size}};
  may_fail([&] { import_from_memory({.checkpoint = weights, .config = json}, {}, silent); });
  may_fail([&] { import_from_memory({.checkpoint = json, .shards = {weights}}, {}, silent); });
  return 0;
}
