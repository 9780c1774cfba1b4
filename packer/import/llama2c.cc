// llama2.c version 0: seven 32-bit integers (width, hidden, layers, heads, KV heads, vocabulary,
// context), then every weight as a 32-bit float, each kind over all layers. A negative vocabulary
// means that the head is stored too. The file has no magic: its length must fit its header.
#include <array>

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
  layer.attention = {.query_heads = heads,
                     .kv_heads = kv_heads,
                     .head_size = width / heads,
                     .rope = {.layout = RopeLayout::interleaved, .dims = width / heads}};
  layer.feed_forward.hidden = hidden;
  for (int i = 0; i < layers; ++i) {
    layer.id = i;
    spec.layers.push_back(layer);
    spec.passes.push_back(i);
  }
  spec.validate(in.file());
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

/// Cuts the file into tensors.
class TensorReader {
 public:
  TensorReader(Reader& in, const ModelSpec& spec, std::vector<StoredTensor>& tensors)
      : in_(in), spec_(spec), tensors_(tensors) {
    for (const auto& [key, shape] : expected_tensors(spec)) shapes_[key] = shape;
  }

  void read(const TensorKey& key, const std::string& name) {
    in_.reading(fmt::format("tensor '{}'", name));
    const Shape shape = shapes_.at(key);
    const std::uint64_t offset = in_.offset();
    const auto count = static_cast<std::uint64_t>(shape.rows) * static_cast<unsigned>(shape.cols);
    tensors_.push_back({.name = name,
                        .type = "F32",
                        .shape = {shape.rows, shape.cols},
                        .bytes = in_.take(count * sizeof(float)),
                        .offset = offset});
  }

  void read_layers(Role role, const char* name) {
    for (int i = 0; i < static_cast<int>(spec_.layers.size()); ++i) {
      read({role, i}, fmt::format("layers.{}.{}", i, name));
    }
  }

 private:
  Reader& in_;
  const ModelSpec& spec_;
  std::vector<StoredTensor>& tensors_;
  std::map<TensorKey, Shape> shapes_;
};

}  // namespace

bool looks_like_llama2c(Bytes bytes) {
  if (bytes.size() < kHeaderBytes) return false;
  try {
    Reader in("", bytes);
    return file_bytes(read_header(in)) == bytes.size();
  } catch (const Error&) {
    return false;
  }
}

Container read_llama2c(const CheckpointFiles& files) {
  Reader in(files.checkpoint.file, files.checkpoint.bytes);
  const ModelSpec spec = read_header(in);
  const std::uint64_t needed = file_bytes(spec);
  if (needed != in.size()) {
    fail(Fault::bad_input,
         "{}: not a checkpoint that we know: as llama2.c version 0 its header asks for {} bytes, "
         "it has {}",
         in.file(), needed, in.size());
  }
  Container container{.file = in.file(), .format = "llama2.c", .spec = spec};
  TensorReader tensors(in, spec, container.tensors);
  tensors.read({Role::embedding}, "tok_embeddings");
  tensors.read_layers(Role::attention_norm, "attention_norm");
  tensors.read_layers(Role::q, "attention.wq");
  tensors.read_layers(Role::k, "attention.wk");
  tensors.read_layers(Role::v, "attention.wv");
  tensors.read_layers(Role::o, "attention.wo");
  tensors.read_layers(Role::ffn_norm, "ffn_norm");
  tensors.read_layers(Role::gate, "feed_forward.w1");
  tensors.read_layers(Role::down, "feed_forward.w2");
  tensors.read_layers(Role::up, "feed_forward.w3");
  tensors.read({Role::final_norm}, "norm");
  const auto head_size = static_cast<std::uint64_t>(spec.layers[0].attention.head_size);
  in.take(static_cast<std::uint64_t>(spec.context) * head_size * sizeof(float));
  if (!spec.tied_head) tensors.read({Role::head}, "output");
  return container;
}

}  // namespace sb3lm
