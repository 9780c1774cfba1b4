#include "import/families/gguf_names.h"

namespace sb3lm {
namespace {

constexpr NameRule kNames[] = {
    {Role::embedding, "token_embd"},
    {Role::position_embedding, "position_embd"},
    {Role::head, "output"},
    {Role::head_bias, "output.bias"},
    {Role::final_norm, "output_norm"},
    {Role::final_norm_bias, "output_norm.bias"},
    {Role::attention_norm, "blk.{L}.attn_norm"},
    {Role::attention_norm_bias, "blk.{L}.attn_norm.bias"},
    {Role::q, "blk.{L}.attn_q"},
    {Role::k, "blk.{L}.attn_k"},
    {Role::v, "blk.{L}.attn_v"},
    {Role::o, "blk.{L}.attn_output"},
    {Role::q_bias, "blk.{L}.attn_q.bias"},
    {Role::k_bias, "blk.{L}.attn_k.bias"},
    {Role::v_bias, "blk.{L}.attn_v.bias"},
    {Role::q, "blk.{L}.attn_qkv", {0, 1, 3}},
    {Role::k, "blk.{L}.attn_qkv", {1, 2, 3}},
    {Role::v, "blk.{L}.attn_qkv", {2, 3, 3}},
    {Role::q_bias, "blk.{L}.attn_qkv.bias", {0, 1, 3}},
    {Role::k_bias, "blk.{L}.attn_qkv.bias", {1, 2, 3}},
    {Role::v_bias, "blk.{L}.attn_qkv.bias", {2, 3, 3}},
    {Role::q_norm, "blk.{L}.attn_q_norm"},
    {Role::k_norm, "blk.{L}.attn_k_norm"},
    {Role::o_bias, "blk.{L}.attn_output.bias"},
    {Role::attention_after_norm, "blk.{L}.post_attention_norm"},
    {Role::ffn_norm, "blk.{L}.ffn_norm"},
    {Role::ffn_norm_bias, "blk.{L}.ffn_norm.bias"},
    {Role::gate, "blk.{L}.ffn_gate"},
    {Role::up, "blk.{L}.ffn_up"},
    {Role::up_bias, "blk.{L}.ffn_up.bias"},
    {Role::down, "blk.{L}.ffn_down"},
    {Role::down_bias, "blk.{L}.ffn_down.bias"},
    {Role::ffn_after_norm, "blk.{L}.post_ffw_norm"},
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
