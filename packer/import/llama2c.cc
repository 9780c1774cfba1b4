// llama2.c version 0: seven 32-bit integers (width, hidden, layers, heads, KV heads, vocabulary,
// context), then every weight as a 32-bit float, each kind over all layers. A negative vocabulary
// means that the head is stored too. The file has no magic: its length must fit its header.
#include <array>
#include <cmath>

#include "base/reader.h"
#include "import/formats.h"

namespace sb3lm {
namespace {

constexpr std::uint64_t kHeaderBytes = 28;

ModelSpec read_header(Reader& in) {
  in.reading("llama2.c header");
  std::array<std::int32_t, 7> fields{};
  for (std::int32_t& field : fields) field = in.i32();
  const auto [width, hidden, layers, heads, kv_heads, vocabulary, context] = fields;
  constexpr std::int32_t kMax = 1 << 20;
  for (const std::int32_t field : {width, hidden, layers, heads, kv_heads, context}) {
    if (field < 1 || field > kMax) in.fail("{} is outside 1..{}", field, kMax);
  }
  if (vocabulary == 0 || vocabulary > kMax || vocabulary < -kMax) {
    in.fail("vocabulary {} is outside 1..{}", vocabulary, kMax);
  }
  if (layers > 512) in.fail("{} layers are more than 512", layers);
  if (width % heads != 0) in.fail("{} heads do not divide the width {}", heads, width);

  ModelSpec spec{.family = "llama2.c",
                 .width = width,
                 .vocabulary = std::abs(vocabulary),
                 .context = context,
                 .tied_head = vocabulary > 0,
                 .layers = {},
                 .passes = {}};
  LayerSpec layer;
  layer.attention = {
      .query_heads = heads, .kv_heads = kv_heads, .head_size = width / heads, .rope = {}};
  layer.feed_forward.hidden = hidden;
  for (int i = 0; i < layers; ++i) {
    layer.id = i;
    spec.layers.push_back(layer);
    spec.passes.push_back(i);
  }
  return spec;
}

/// Bytes that a file with this header has. At most 512 layers of 7 matrices of at most 2^40
/// weights: 64 bits are enough.
std::uint64_t file_bytes(const ModelSpec& spec) {
  std::uint64_t weights = 0;
  for (const auto& [key, shape] : expected_tensors(spec)) {
    weights += static_cast<std::uint64_t>(shape.rows) * static_cast<std::uint64_t>(shape.cols);
  }
  const auto head_size = static_cast<std::uint64_t>(spec.layers.front().attention.head_size);
  weights += static_cast<std::uint64_t>(spec.context) * head_size;
  return kHeaderBytes + 4 * weights;
}

class WeightReader {
 public:
  WeightReader(Reader& in, Model& model) : in_(in), model_(model) {
    for (const auto& [key, shape] : expected_tensors(model.spec)) shapes_[key] = shape;
  }

  void read(const TensorKey& key, const std::string& name) {
    in_.reading(fmt::format("tensor '{}'", name));
    const Shape shape = shapes_.at(key);
    FloatTensor tensor{.shape = shape, .type = FloatType::f32, .values = {}};
    const auto count = static_cast<std::size_t>(shape.rows) * static_cast<std::size_t>(shape.cols);
    tensor.values.resize(count);
    const Bytes raw = in_.take(count * sizeof(float));
    std::memcpy(tensor.values.data(), raw.data(), raw.size());
    for (std::size_t i = 0; i < count; ++i) {
      if (!std::isfinite(tensor.values[i])) in_.fail("element {} is not finite", i);
    }
    model_.tensors.emplace(key, std::move(tensor));
    model_.names.emplace(key, name);
    model_.source.tensors.push_back({name, "F32", {shape.rows, shape.cols}});
  }

  void read_layers(Role role, const char* name) {
    for (int i = 0; i < static_cast<int>(model_.spec.layers.size()); ++i) {
      read({role, i}, fmt::format("layers.{}.{}", i, name));
    }
  }

 private:
  Reader& in_;
  Model& model_;
  std::map<TensorKey, Shape> shapes_;
};

}  // namespace

Model import_llama2c(const CheckpointFiles& files,
                     const std::map<std::string, std::string>& options, Progress& progress) {
  Reader in(files.checkpoint.file, files.checkpoint.bytes);
  Model model;
  model.spec = read_header(in);
  Conventions conventions;
  conventions.set("llama2.c", "rope", "interleaved");
  conventions.set("llama2.c", "context", std::to_string(model.spec.context));
  apply_settings(files, {}, options, conventions);
  for (LayerSpec& layer : model.spec.layers) {
    layer.attention.rope = conventions.rope(layer.attention.head_size);
  }
  model.spec.norm_eps = conventions.number("norm-eps");
  model.spec.validate(in.file());
  const std::uint64_t needed = file_bytes(model.spec);
  if (needed != in.size()) {
    fail(Fault::bad_input,
         "{}: not a checkpoint that we know: as llama2.c version 0 its header asks for {} bytes, "
         "it has {}",
         in.file(), needed, in.size());
  }

  const bool swap = conventions.is("swiglu", "up");
  const auto side = [swap](Role role) { return swap ? swap_gate_and_up(role) : role; };
  WeightReader weights(in, model);
  model.source.format = "llama2.c";
  weights.read({Role::embedding}, "tok_embeddings");
  weights.read_layers(Role::attention_norm, "attention_norm");
  weights.read_layers(Role::q, "attention.wq");
  weights.read_layers(Role::k, "attention.wk");
  weights.read_layers(Role::v, "attention.wv");
  weights.read_layers(Role::o, "attention.wo");
  weights.read_layers(Role::ffn_norm, "ffn_norm");
  weights.read_layers(side(Role::gate), "feed_forward.w1");
  weights.read_layers(Role::down, "feed_forward.w2");
  weights.read_layers(side(Role::up), "feed_forward.w3");
  weights.read({Role::final_norm}, "norm");
  const auto head_size = static_cast<std::uint64_t>(model.spec.layers[0].attention.head_size);
  in.take(static_cast<std::uint64_t>(model.spec.context) * head_size * sizeof(float));
  if (!model.spec.tied_head) weights.read({Role::head}, "output");
  if (conventions.count("context") < model.spec.context) {
    model.spec.context = conventions.count("context");
  }
  progress.report("reading weights", 1);
  model.conventions = conventions.in_force();
  return model;
}

}  // namespace sb3lm
