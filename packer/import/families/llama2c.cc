// llama2.c's checkpoints, whose container (import/llama2c.cc) names tensors as Meta's own code does
// and describes the model.
#include "import/families/families.h"

namespace sb3lm {
namespace {

constexpr NameRule kNames[] = {
    {Role::embedding, "tok_embeddings"},
    {Role::head, "output"},
    {Role::final_norm, "norm"},
    {Role::attention_norm, "layers.{L}.attention_norm"},
    {Role::q, "layers.{L}.attention.wq"},
    {Role::k, "layers.{L}.attention.wk"},
    {Role::v, "layers.{L}.attention.wv"},
    {Role::o, "layers.{L}.attention.wo"},
    {Role::ffn_norm, "layers.{L}.ffn_norm"},
    {Role::gate, "layers.{L}.feed_forward.w1"},
    {Role::up, "layers.{L}.feed_forward.w3"},
    {Role::down, "layers.{L}.feed_forward.w2"},
};

}  // namespace

const Family& llama2c_family() {
  static const Family family{.name = "llama2.c",
                             .model_types = {},
                             .assumed = {},
                             .rules = {kNames},
                             .ignored = {},
                             .settled = {"swiglu"},
                             .spellings = {}};
  return family;
}

}  // namespace sb3lm
