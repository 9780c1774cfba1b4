#include "model/fingerprint.h"

#include <cstring>

#include "model/spec_fields.h"

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

template <class T>
void add_value(const T& value, Hash& hash) {
  if constexpr (SpecPart<T>) {
    each_field(value, [&](const auto&, const auto& item, const auto&) { add_value(item, hash); });
  } else if constexpr (std::is_same_v<T, std::vector<LayerSpec>>) {
    for (const LayerSpec& layer : value) add_value(layer, hash);
  } else if constexpr (std::is_same_v<T, std::vector<int>>) {
    hash.items(value);
  } else if constexpr (!std::is_same_v<T, std::string>) {  // a text is a name for people
    hash.numbers(value);
  }
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
  Hash hash;
  add_value(model.spec, hash);
  for (const auto& [key, tensor] : model.tensors) {
    hash.numbers(key.role, key.layer, key.expert);
    add_tensor(tensor, hash);
  }
  return hash.value();
}

}  // namespace sb3lm
