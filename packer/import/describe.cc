#include "import/describe.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

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

/// What neither files nor shapes say: collected, so that it is asked for once. Until then a guess
/// stands in for it.
class MissingFacts {
 public:
  /// `what` is missing, `option` says it, and `hint` what the shapes suggest.
  void note(std::string_view what, std::string_view option, const std::string& hint) {
    const std::string text = fmt::format("{}: --convention {}{}", what, option, hint);
    if (std::ranges::find(texts_, text) == texts_.end()) texts_.push_back(text);
  }
  void check(const std::string& file) const {
    if (texts_.empty()) return;
    fail(Fault::bad_input, "{}: nothing says {}", file, fmt::join(texts_, "; nor "));
  }

 private:
  std::vector<std::string> texts_;
};

/// The head size that most models of these rows would have.
int likely_head_size(int query_rows, int kv_rows) {
  for (const int size : {64, 128, 32, 16, 8}) {
    if (query_rows % size == 0 && kv_rows % size == 0 && query_rows > size) return size;
  }
  return std::gcd(query_rows, kv_rows);
}

/// Of heads, KV heads and head size one is enough, rows give the others.
void complete_heads(int query_rows, int kv_rows, AttentionSpec& attention, MissingFacts& missing) {
  if (attention.head_size == 0 && attention.query_heads > 0) {
    attention.head_size = query_rows / attention.query_heads;
  }
  if (attention.head_size == 0 && attention.kv_heads > 0) {
    attention.head_size = kv_rows / attention.kv_heads;
  }
  if (attention.head_size == 0) {
    attention.head_size = likely_head_size(query_rows, kv_rows);
    missing.note("how large a head is", "head-size=N (or heads=N)",
                 fmt::format(" (q has {} rows and k {}: heads={} if a head has {})", query_rows,
                             kv_rows, query_rows / attention.head_size, attention.head_size));
  }
  if (attention.query_heads == 0) attention.query_heads = query_rows / attention.head_size;
  if (attention.kv_heads == 0) attention.kv_heads = kv_rows / attention.head_size;
}

void complete_feed_forward(const Index& index, const std::string& file, int layer,
                           FeedForwardSpec& ffn, MissingFacts& missing) {
  ffn.bias = index.contains({Role::up_bias, layer});
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
    ffn.top_k = std::min(2, ffn.routed_experts);
    missing.note("how many experts run", "top-k=N",
                 fmt::format(" (of {}; most models run {})", ffn.routed_experts, ffn.top_k));
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

/// What a layer has if there are tensors for it.
void complete_parts(const Index& index, int at, LayerSpec& layer) {
  AttentionSpec& attention = layer.attention;
  attention.qkv_bias = index.contains({Role::q_bias, at});
  attention.o_bias = index.contains({Role::o_bias, at});
  attention.query_gain = index.contains({Role::query_gain, at});
  if (index.contains({Role::q_norm, at})) attention.head_norm = HeadNorm::weighted;
  layer.start_mix = index.contains({Role::stream_mix, at});
  layer.branch_scales = index.contains({Role::attention_scale, at});
  layer.after_norms = index.contains({Role::attention_after_norm, at});
}

/// What comes before the layers, between passes and behind them.
void complete_ends(const Index& index, ModelSpec& spec) {
  const auto positions = index.find({Role::position_embedding});
  spec.learned_positions = positions == index.end() ? 0 : positions->second->extent.rows;
  if (spec.context == 0) spec.context = spec.learned_positions;
  // Rows beyond the context that is asked for are dropped.
  spec.learned_positions = std::min(spec.learned_positions, spec.context);
  spec.tied_head = !index.contains({Role::head});
  spec.head_bias = index.contains({Role::head_bias});
  if (index.contains({Role::final_norm_bias})) spec.norm = NormKind::layer;
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
  complete_ends(index, spec);
  MissingFacts missing;
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    const int at = static_cast<int>(i);
    LayerSpec& layer = spec.layers[i];
    if (const auto gain = index.find({Role::query_gain, at}); gain != index.end()) {
      layer.attention.query_heads = gain->second->extent.cols;
    }
    complete_heads(need(index, file, {Role::q, at}).rows, need(index, file, {Role::k, at}).rows,
                   layer.attention, missing);
    complete_parts(index, at, layer);
    complete_feed_forward(index, file, at, layer.feed_forward, missing);
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
    missing.note("the context", "context=N",
                 " (positions that it was trained with; no shape shows them)");
  }
  missing.check(file);
  facts.compare(file, spec);
  for (LayerSpec& layer : spec.layers) settle(layer);
  return assumed;
}

void override_spec(const Facts& facts, ModelSpec& spec) {
  facts.apply(spec, Saying::user);
  for (LayerSpec& layer : spec.layers) settle(layer);
}

}  // namespace sb3lm
