#include "import/families/gguf_names.h"

namespace sb3lm {
namespace {

constexpr NameRule kNames[] = {
    {Role::embedding, "token_embd"},
    {Role::head, "output"},
    {Role::final_norm, "output_norm"},
    {Role::attention_norm, "blk.{L}.attn_norm"},
    {Role::q, "blk.{L}.attn_q"},
    {Role::k, "blk.{L}.attn_k"},
    {Role::v, "blk.{L}.attn_v"},
    {Role::o, "blk.{L}.attn_output"},
    {Role::q_bias, "blk.{L}.attn_q.bias"},
    {Role::k_bias, "blk.{L}.attn_k.bias"},
    {Role::v_bias, "blk.{L}.attn_v.bias"},
    {Role::ffn_norm, "blk.{L}.ffn_norm"},
    {Role::gate, "blk.{L}.ffn_gate"},
    {Role::up, "blk.{L}.ffn_up"},
    {Role::down, "blk.{L}.ffn_down"},
    {Role::router, "blk.{L}.ffn_gate_inp"},
    {Role::expert_gate, "blk.{L}.ffn_gate_exps"},
    {Role::expert_up, "blk.{L}.ffn_up_exps"},
    {Role::expert_down, "blk.{L}.ffn_down_exps"},
};

}  // namespace

std::span<const NameRule> gguf_names() {
  return kNames;
}

}  // namespace sb3lm
