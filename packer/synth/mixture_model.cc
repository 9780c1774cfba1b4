#include "synth/mixture_model.h"

#include <bit>
#include <cstring>

#include "base/error.h"
#include "import/json.h"
#include "model/spec_fields.h"
#include "synth/weights.h"

namespace sb3lm {
namespace {

static_assert(std::endian::native == std::endian::little);

/// {0} is the layer's number, {1} the expert's.
struct Spelling {
  Role role;
  std::string_view name;
};
constexpr Spelling kSpellings[] = {
    {Role::embedding, "model.embed_tokens"},
    {Role::head, "lm_head"},
    {Role::final_norm, "model.norm"},
    {Role::attention_norm, "model.layers.{0}.input_layernorm"},
    {Role::q, "model.layers.{0}.self_attn.q_proj"},
    {Role::k, "model.layers.{0}.self_attn.k_proj"},
    {Role::v, "model.layers.{0}.self_attn.v_proj"},
    {Role::o, "model.layers.{0}.self_attn.o_proj"},
    {Role::ffn_norm, "model.layers.{0}.post_attention_layernorm"},
    {Role::gate, "model.layers.{0}.mlp.gate_proj"},
    {Role::up, "model.layers.{0}.mlp.up_proj"},
    {Role::down, "model.layers.{0}.mlp.down_proj"},
    {Role::router, "model.layers.{0}.block_sparse_moe.gate"},
    {Role::expert_gate, "model.layers.{0}.block_sparse_moe.experts.{1}.w1"},
    {Role::expert_up, "model.layers.{0}.block_sparse_moe.experts.{1}.w3"},
    {Role::expert_down, "model.layers.{0}.block_sparse_moe.experts.{1}.w2"},
};

std::string name_of(const TensorKey& key) {
  for (const Spelling& row : kSpellings) {
    if (row.role != key.role) continue;
    return fmt::format(fmt::runtime(row.name), key.layer, key.expert) + ".weight";
  }
  fail(Fault::bug, "internal error: mixtures have no name for {}", tensor_key_text(key));
}

std::string header_text(const ModelSpec& spec) {
  Json header = Json::object();
  std::size_t offset = 0;
  for (const auto& [key, shape] : expected_tensors(spec)) {
    const std::size_t bytes =
        sizeof(float) * static_cast<std::size_t>(shape.rows) * static_cast<std::size_t>(shape.cols);
    Json extents = Json::array({shape.cols});
    if (!is_vector(key.role)) extents = Json::array({shape.rows, shape.cols});
    header[name_of(key)] = {
        {"dtype", "F32"}, {"shape", extents}, {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the data starts aligned
  return text;
}

std::string config_text(const ModelSpec& spec) {
  Json config = {{"model_type", spec.family},
                 {"hidden_size", spec.width},
                 {"vocab_size", spec.vocabulary},
                 {"num_hidden_layers", spec.layers.size()},
                 {"max_position_embeddings", spec.context},
                 {"rms_norm_eps", spec.norm_eps},
                 {"tie_word_embeddings", spec.tied_head},
                 {"hidden_act", "silu"}};
  Json kv_heads = Json::array(), has_rope = Json::array();
  for (const LayerSpec& layer : spec.layers) {
    const AttentionSpec& attention = layer.attention;
    const FeedForwardSpec& ffn = layer.feed_forward;
    check(ffn.activation == Activation::silu, "a mixture with an activation that has no name here");
    kv_heads.push_back(attention.kv_heads);
    has_rope.push_back(attention.rope.layout == RopeLayout::none ? 0 : 1);
    config["num_attention_heads"] = attention.query_heads;
    config["head_dim"] = attention.head_size;
    if (has_rope.back() == 1) config["rope_theta"] = attention.rope.base;
    config[ffn.is_mixture() ? "moe_intermediate_size" : "intermediate_size"] = ffn.hidden;
    if (!ffn.is_mixture()) continue;
    config["num_local_experts"] = ffn.routed_experts;
    config["num_experts_per_tok"] = ffn.top_k;
    config["norm_topk_prob"] = ffn.router_norm == RouterNorm::chosen;
  }
  config["num_key_value_heads"] = kv_heads;
  config["no_rope_layers"] = has_rope;
  return config.dump(1) + "\n";
}

}  // namespace

SyntheticFiles write_mixture_model(const SynthModel& model, const SynthOptions& options,
                                   Progress& progress) {
  const WeightSource weights(model, options);
  std::size_t items = 0;
  for (const auto& [key, shape] : expected_tensors(model.spec)) {
    items += static_cast<std::size_t>(shape.rows) * static_cast<std::size_t>(shape.cols);
  }
  const std::string header = header_text(model.spec);
  const std::uint64_t length = header.size();
  SyntheticFiles files{.checkpoint = std::string(sizeof(length), '\0'),
                       .config = config_text(model.spec)};
  std::string& out = files.checkpoint;
  std::memcpy(out.data(), &length, sizeof(length));
  out.reserve(out.size() + header.size() + items * sizeof(float));
  out += header;
  each_tensor(model.spec, progress, [&](const TensorKey& key, Shape shape) {
    const std::vector<float> values = weights.plain(key, shape);
    out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  });
  return files;
}

}  // namespace sb3lm
