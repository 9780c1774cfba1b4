#include "import/describe.h"

#include <algorithm>

#include "base/error.h"

namespace sb3lm {
namespace {

Shape need(const Index& index, const std::string& file, const TensorKey& key) {
  const auto found = index.find(key);
  if (found == index.end()) {
    fail(Fault::bad_input, "{}: no tensor for {}", file, tensor_key_text(key));
  }
  return found->second->extent;
}

/// Of heads, KV heads and head size one is enough, rows give the others.
void complete_heads(const std::string& file, int query_rows, int kv_rows,
                    AttentionSpec& attention) {
  if (attention.head_size == 0 && attention.query_heads > 0) {
    attention.head_size = query_rows / attention.query_heads;
  }
  if (attention.head_size == 0 && attention.kv_heads > 0) {
    attention.head_size = kv_rows / attention.kv_heads;
  }
  if (attention.head_size == 0) {
    fail(Fault::bad_input,
         "{}: nothing says how large a head is; add --convention head-size=N (or heads=N)", file);
  }
  if (attention.query_heads == 0) attention.query_heads = query_rows / attention.head_size;
  if (attention.kv_heads == 0) attention.kv_heads = kv_rows / attention.head_size;
}

void complete_feed_forward(const Index& index, const std::string& file, int layer,
                           FeedForwardSpec& ffn) {
  const auto router = index.find({Role::router, layer});
  ffn.routed_experts = router == index.end() ? 0 : router->second->extent.rows;
  ffn.shared_experts = 0;
  ffn.shared_hidden = 0;
  if (!ffn.is_mixture()) {
    ffn.gated = index.contains({Role::gate, layer}) || !index.contains({Role::up, layer});
    ffn.hidden = need(index, file, {ffn.gated ? Role::gate : Role::up, layer}).rows;
    return;
  }
  if (ffn.top_k == 0) {
    fail(Fault::bad_input, "{}: nothing says how many experts run; add --convention top-k=N", file);
  }
  const auto has_experts = [&](Role role) {
    return index.contains({role, layer}) || index.contains({role, layer, 0});
  };
  ffn.gated = has_experts(Role::expert_gate) || !has_experts(Role::expert_up);
  const Role into = ffn.gated ? Role::expert_gate : Role::expert_up;
  ffn.hidden = need(index, file, {into, layer, index.contains({into, layer}) ? -1 : 0}).rows;
  const Role shared_into = ffn.gated ? Role::shared_gate : Role::shared_up;
  if (const auto shared = index.find({shared_into, layer}); shared != index.end()) {
    ffn.shared_experts = 1;
    ffn.shared_hidden = shared->second->extent.rows;
    ffn.shared_gated = index.contains({Role::shared_router, layer});
  }
}

/// What comes before the layers, and between passes.
void complete_start(const Index& index, ModelSpec& spec) {
  if (const auto table = index.find({Role::bigram_embedding}); table != index.end()) {
    spec.bigram_buckets = table->second->extent.rows;
    spec.bigram_width = table->second->extent.cols;
  }
  if (const auto table = index.find({Role::value_embedding}); table != index.end()) {
    spec.value_width = table->second->extent.cols;
  }
  spec.smear = index.contains({Role::smear_share});
  spec.skips = index.contains({Role::skip_scale});
}

/// As many layers as have a factor for it, the last ones unless it is said which.
void complete_values(const Index& index, const Facts& facts, ModelSpec& spec) {
  if (facts.is_stated("value-embedding")) return;
  int own = 0;
  while (index.contains({Role::value_layer_scale, own})) ++own;
  const int layers = static_cast<int>(spec.layers.size());
  for (int layer = std::max(layers - own, 0); layer < layers; ++layer) {
    spec.layers[static_cast<std::size_t>(layer)].attention.value_embedding = true;
  }
}

/// What facts about all layers say too much of one.
void settle(LayerSpec& layer) {
  RopeSpec& rope = layer.attention.rope;
  if (rope.layout == RopeLayout::none) {
    rope = {};
  } else if (rope.dims == 0) {
    rope.dims = layer.attention.head_size;
  }
  FeedForwardSpec& ffn = layer.feed_forward;
  if (ffn.is_mixture()) return;
  ffn.top_k = 0;
  ffn.router_norm = FeedForwardSpec{}.router_norm;
}

}  // namespace

Index index_groups(const std::vector<NamedGroup>& named) {
  Index index;
  for (const NamedGroup& entry : named) {
    const auto [at, is_new] = index.emplace(entry.key, &entry);
    if (!is_new) {
      entry.group->fail("it has the role of '{}' too: {}", at->second->group->stem,
                        tensor_key_text(entry.key));
    }
  }
  return index;
}

std::vector<ShapeFact> derive_spec(const Index& index, const std::string& file,
                                   const Family& family, Facts& facts, ModelSpec& spec) {
  facts.apply(spec);
  const Shape embedding = need(index, file, {Role::embedding});
  spec.width = embedding.cols;
  spec.vocabulary = embedding.rows;
  spec.tied_head = !index.contains({Role::head});
  complete_start(index, spec);
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    const int at = static_cast<int>(i);
    LayerSpec& layer = spec.layers[i];
    if (const auto gain = index.find({Role::query_gain, at}); gain != index.end()) {
      layer.attention.query_heads = gain->second->extent.cols;
    }
    complete_heads(file, need(index, file, {Role::q, at}).rows,
                   need(index, file, {Role::k, at}).rows, layer.attention);
    layer.attention.qkv_bias = index.contains({Role::q_bias, at});
    layer.attention.query_gain = index.contains({Role::query_gain, at});
    layer.start_mix = index.contains({Role::stream_mix, at});
    layer.branch_scales = index.contains({Role::attention_scale, at});
    complete_feed_forward(index, file, at, layer.feed_forward);
  }
  complete_values(index, facts, spec);
  std::vector<ShapeFact> assumed;
  if (family.assume != nullptr) assumed = family.assume(spec);
  Facts implied;
  for (const ShapeFact& one : assumed) {
    if (!facts.is_stated(one.fact)) implied.set(file, one.fact, one.text);
    facts.set(file, one.fact, one.text, Saying::assumed);
  }
  implied.apply(spec);
  if (spec.context == 0) {
    fail(Fault::bad_input, "{}: nothing says the context; add --convention context=N", file);
  }
  facts.compare(file, spec);
  for (LayerSpec& layer : spec.layers) settle(layer);
  return assumed;
}

void override_spec(const Facts& facts, ModelSpec& spec) {
  facts.apply(spec, Saying::user);
  for (LayerSpec& layer : spec.layers) settle(layer);
}

}  // namespace sb3lm
