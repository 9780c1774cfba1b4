#include "model/fingerprint.h"

#include <cstring>

namespace sb3lm {
namespace {

/// FNV-1a, eight bytes at a time.
class Hash {
 public:
  void bytes(const void* data, std::size_t size) {
    const auto* at = static_cast<const unsigned char*>(data);
    for (; size >= sizeof(std::uint64_t); size -= sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, at, sizeof(word));
      mix(word);
      at += sizeof(word);
    }
    for (; size > 0; --size) mix(*at++);
  }

  template <class... Numbers>
  void numbers(const Numbers&... values) {
    (bytes(&values, sizeof(values)), ...);
  }

  template <class T>
  void items(const std::vector<T>& values) {
    numbers(values.size());
    bytes(values.data(), values.size() * sizeof(T));
  }

  std::uint64_t value() const { return value_; }

 private:
  void mix(std::uint64_t word) {
    value_ = (value_ ^ word) * 0x100000001b3u;
    value_ ^= value_ >> 32;  // the product only moves bits up
  }

  std::uint64_t value_ = 0xcbf29ce484222325u;
};

void add_layer(const LayerSpec& layer, Hash& hash) {
  const AttentionSpec& a = layer.attention;
  const FeedForwardSpec& f = layer.feed_forward;
  hash.numbers(a.query_heads, a.kv_heads, a.head_size, a.rope.layout);
  if (a.rope.layout != RopeLayout::none) hash.numbers(a.rope.base, a.rope.dims, a.rope.sign);
  hash.numbers(a.qkv_bias, f.shared_gated);
  hash.numbers(f.hidden, f.routed_experts, f.shared_experts, f.shared_hidden);
  if (f.is_mixture()) hash.numbers(f.top_k, f.router_norm);
}

void add_tensor(const Tensor& tensor, Hash& hash) {
  const Shape shape = shape_of(tensor);
  hash.numbers(tensor.index(), shape.rows, shape.cols);
  if (const auto* coded = std::get_if<CodedTensor>(&tensor)) {
    hash.numbers(coded->format.bits, coded->format.step, coded->format.offset);
    hash.items(coded->codes);
    hash.items(coded->row_scale);
  } else {
    hash.items(std::get<FloatTensor>(tensor).values);
  }
}

}  // namespace

std::uint64_t model_fingerprint(const Model& model) {
  const ModelSpec& spec = model.spec;
  Hash hash;
  hash.numbers(spec.width, spec.vocabulary, spec.context, spec.norm_eps, spec.tied_head);
  for (const LayerSpec& layer : spec.layers) add_layer(layer, hash);
  hash.items(spec.passes);
  for (const auto& [key, tensor] : model.tensors) {
    hash.numbers(key.role, key.layer, key.expert);
    add_tensor(tensor, hash);
  }
  return hash.value();
}

}  // namespace sb3lm
