#include "synth/llama2c_out.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>

#include "synth/raw_bytes.h"

namespace sb3lm {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::size_t kLongHeader = 256;
constexpr Role kVersion0[] = {
    Role::embedding, Role::attention_norm, Role::q,    Role::k,  Role::v,         Role::o,
    Role::ffn_norm,  Role::gate,           Role::down, Role::up, Role::final_norm};
constexpr Role kVectors[] = {Role::attention_norm, Role::ffn_norm, Role::final_norm};
constexpr Role kMatrices[] = {Role::embedding, Role::q,    Role::k,  Role::v,   Role::o,
                              Role::gate,      Role::down, Role::up, Role::head};

class Llama2cWriter {
 public:
  Llama2cWriter(const FloatModel& model, int version) : model_(model), version_(version) {
    for (const auto& [key, shape] : expected_tensors(model.spec)) {
      shapes_[key] = shape;
      const int weights = shape.rows * shape.cols;
      while (!is_vector(key.role) && weights % group_ != 0) group_ /= 2;
    }
  }

  std::string write() {
    header();
    if (version_ == 0) {
      for (const Role role : kVersion0) put(role);
      tables();
      put(Role::head);
    } else {
      for (const Role role : kVectors) put(role);
      for (const Role role : kMatrices) put(role);
    }
    return std::move(out_);
  }

 private:
  void header() {
    const ModelSpec& spec = model_.spec;
    const LayerSpec& layer = spec.layers.front();
    if (version_ > 0) out_ = "24ka" + raw_bytes(std::vector<std::int32_t>{version_});
    out_ += raw_bytes(std::vector<std::int32_t>{
        spec.width, layer.feed_forward.hidden, static_cast<std::int32_t>(spec.layers.size()),
        layer.attention.query_heads, layer.attention.kv_heads,
        version_ > 0 || spec.tied_head ? spec.vocabulary : -spec.vocabulary, spec.context});
    if (version_ == 0) return;
    out_ += spec.tied_head ? '\1' : '\0';
    if (version_ == 2) out_ += raw_bytes(std::vector<std::int32_t>{group_});
    out_.resize(kLongHeader, '\0');
  }

  void put(Role role) {
    const bool once = about(role).home == RoleHome::model;
    const int layers = once ? 1 : static_cast<int>(model_.spec.layers.size());
    for (int layer = 0; layer < layers; ++layer) {
      const TensorKey key{role, once ? -1 : layer};
      const auto shape = shapes_.find(key);
      if (shape == shapes_.end()) return;  // a tied head
      const std::vector<float> weights = model_.weights(key, shape->second);
      version_ == 2 && !is_vector(role) ? put_groups(weights) : put_floats(weights);
    }
  }

  void put_floats(const std::vector<float>& weights) { out_ += raw_bytes(weights); }

  void put_groups(const std::vector<float>& weights) {
    std::vector<std::int8_t> codes;
    std::vector<float> factors;
    const auto group = static_cast<std::size_t>(group_);
    for (std::size_t first = 0; first < weights.size(); first += group) {
      float largest = 0;
      for (std::size_t i = first; i < first + group; ++i) {
        largest = std::max(largest, std::fabs(weights[i]));
      }
      const float factor = largest / 127;
      factors.push_back(factor);
      for (std::size_t i = first; i < first + group; ++i) {
        codes.push_back(factor == 0
                            ? std::int8_t{0}
                            : static_cast<std::int8_t>(std::nearbyint(weights[i] / factor)));
      }
    }
    out_ += raw_bytes(codes) + raw_bytes(factors);
  }

  /// Cosines and sines, which readers ignore.
  void tables() {
    const auto head_size = model_.spec.layers.front().attention.head_size;
    out_.append(sizeof(float) * static_cast<std::size_t>(model_.spec.context * head_size), '\0');
  }

  const FloatModel& model_;
  int version_, group_ = 32;
  std::map<TensorKey, Shape> shapes_;
  std::string out_;
};

}  // namespace

std::string write_llama2c(const FloatModel& model, int version) {
  return Llama2cWriter(model, version).write();
}

}  // namespace sb3lm
