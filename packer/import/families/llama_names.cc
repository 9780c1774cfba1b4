#include "import/families/llama_names.h"

namespace sb3lm {
namespace {

constexpr NameRule kNames[] = {
    {Role::embedding, "embed_tokens"},
    {Role::head, "lm_head"},
    {Role::q, "layers.{L}.self_attn.q_proj"},
    {Role::k, "layers.{L}.self_attn.k_proj"},
    {Role::v, "layers.{L}.self_attn.v_proj"},
    {Role::o, "layers.{L}.self_attn.o_proj"},
    {Role::q_bias, "layers.{L}.self_attn.q_proj.bias"},
    {Role::k_bias, "layers.{L}.self_attn.k_proj.bias"},
    {Role::v_bias, "layers.{L}.self_attn.v_proj.bias"},
    {Role::o_bias, "layers.{L}.self_attn.o_proj.bias"},
    {Role::gate, "layers.{L}.mlp.gate_proj"},
    {Role::up, "layers.{L}.mlp.up_proj"},
    {Role::down, "layers.{L}.mlp.down_proj"},
};

}  // namespace

std::span<const NameRule> llama_names() {
  return kNames;
}

}  // namespace sb3lm
