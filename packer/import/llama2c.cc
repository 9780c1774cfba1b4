// llama2.c's checkpoints. All begin with seven 32-bit integers: width, hidden, layers, heads, KV
// heads, vocabulary, context.
//   version 0: that is the header; a negative vocabulary means that the head is stored too. Every
//     weight is a 32-bit float, each kind over all layers. There is no magic number: the length
//     must fit the header.
//   version 1: "24ka", the version, the seven, a byte that is not 0 if the head is the embedding,
//     zeros up to byte 256; floats in another order, without the tables of RoPE.
//   version 2: the same with the size of a group after that byte. Vectors are floats; a matrix is
//     one code in a byte for each weight, then a float for each group: weight = code * float.
#include <array>
#include <cstring>
#include <optional>

#include "base/reader.h"
#include "import/formats.h"

namespace sb3lm {
namespace {

constexpr std::uint64_t kShortHeader = 28, kLongHeader = 256;
constexpr std::int32_t kMax = 1 << 20;

struct Header {
  int version = 0;
  int group = 0;  // weights that share a factor; 0: floats
  ModelSpec spec;
  std::uint64_t bytes() const { return version == 0 ? kShortHeader : kLongHeader; }
};

struct Kind {
  Role role;
  const char* name;
};
constexpr std::array<Kind, 12> kOrder{{
    {Role::embedding, "tok_embeddings"},
    {Role::attention_norm, "attention_norm"},
    {Role::q, "attention.wq"},
    {Role::k, "attention.wk"},
    {Role::v, "attention.wv"},
    {Role::o, "attention.wo"},
    {Role::ffn_norm, "ffn_norm"},
    {Role::gate, "feed_forward.w1"},
    {Role::down, "feed_forward.w2"},
    {Role::up, "feed_forward.w3"},
    {Role::final_norm, "norm"},  // version 0 has the tables of RoPE after it
    {Role::head, "output"},
}};

ModelSpec spec_of(const std::array<std::int32_t, 7>& fields, bool tied_head, Reader& in) {
  const auto [width, hidden, layers, heads, kv_heads, vocabulary, context] = fields;
  ModelSpec spec{.family = "llama2.c",
                 .width = width,
                 .vocabulary = vocabulary,
                 .context = context,
                 .tied_head = tied_head,
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

/// Leaves the reader at the first weight.
Header read_header(Reader& in) {
  in.reading("llama2.c header");
  Header header;
  if (looks_like_later_llama2c(in.rest())) {
    in.u32();
    header.version = in.i32();
    if (header.version != 1 && header.version != 2) {
      in.fail("version {} is neither 1 nor 2", header.version);
    }
  }
  std::array<std::int32_t, 7> fields{};
  for (std::int32_t& field : fields) field = in.i32();
  auto& [width, hidden, layers, heads, kv_heads, vocabulary, context] = fields;
  for (const std::int32_t field : {width, hidden, layers, heads, kv_heads, context}) {
    if (field < 1 || field > kMax) in.fail("{} is outside 1..{}", field, kMax);
  }
  const bool may_be_negative = header.version == 0;
  if (vocabulary == 0 || vocabulary > kMax || vocabulary < (may_be_negative ? -kMax : 1)) {
    in.fail("vocabulary {} is outside 1..{}", vocabulary, kMax);
  }
  if (layers > 512) in.fail("{} layers are more than 512", layers);
  if (width % heads != 0) in.fail("{} heads do not divide the width {}", heads, width);
  const bool tied_head = header.version == 0 ? vocabulary > 0 : in.u8() != 0;
  vocabulary = std::abs(vocabulary);
  if (header.version == 2) {
    header.group = in.i32();
    if (header.group < 1 || header.group > kMax) {
      in.fail("a group of {} weights is outside 1..{}", header.group, kMax);
    }
  }
  header.spec = spec_of(fields, tied_head, in);
  in.seek(header.bytes());
  return header;
}

std::uint64_t table_bytes(const Header& header) {
  if (header.version != 0) return 0;
  return sizeof(float) * static_cast<std::uint64_t>(header.spec.context) *
         static_cast<std::uint64_t>(header.spec.layers.front().attention.head_size);
}

std::uint64_t weights_in(const Shape& shape) {
  return static_cast<std::uint64_t>(shape.rows) * static_cast<std::uint64_t>(shape.cols);
}

/// Bytes that a file with this header has. At most 512 layers of 7 matrices of at most 2^40
/// weights: 64 bits are enough.
std::uint64_t file_bytes(const Header& header) {
  std::uint64_t bytes = header.bytes() + table_bytes(header);
  for (const auto& [key, shape] : expected_tensors(header.spec)) {
    const std::uint64_t weights = weights_in(shape);
    const bool coded = header.group > 0 && !is_vector(key.role);
    bytes += coded ? weights + weights / static_cast<std::uint64_t>(header.group) * sizeof(float)
                   : weights * sizeof(float);
  }
  return bytes;
}

/// Cuts the file into tensors.
class TensorReader {
 public:
  TensorReader(Reader& in, const Header& header, Container& container)
      : in_(in), header_(header), container_(container) {
    for (const auto& [key, shape] : expected_tensors(header.spec)) shapes_[key] = shape;
  }

  void read_all() {
    for (const Kind& kind : kOrder) {
      if (header_.version == 0 || is_vector(kind.role)) read(kind);
      if (kind.role == Role::final_norm) in_.take(table_bytes(header_));
    }
    if (header_.version == 0) return;
    for (const Kind& kind : kOrder) {
      if (!is_vector(kind.role)) read(kind);
    }
  }

 private:
  void read(const Kind& kind) {
    if (about(kind.role).home == RoleHome::model) {
      if (shapes_.contains({kind.role})) read({kind.role}, kind.name);
      return;
    }
    for (int i = 0; i < static_cast<int>(header_.spec.layers.size()); ++i) {
      read({kind.role, i}, fmt::format("layers.{}.{}", i, kind.name));
    }
  }

  void read(const TensorKey& key, const std::string& name) {
    in_.reading(fmt::format("tensor '{}'", name));
    const Shape shape = shapes_.at(key);
    StoredTensor tensor{
        .name = name, .type = "F32", .shape = {shape.rows, shape.cols}, .offset = in_.offset()};
    const bool coded = header_.group > 0 && !is_vector(key.role);
    tensor.bytes = coded ? decoded(weights_in(shape)) : in_.take(weights_in(shape) * sizeof(float));
    container_.tensors.push_back(std::move(tensor));
  }

  Bytes decoded(std::uint64_t weights) {
    const auto group = static_cast<std::uint64_t>(header_.group);
    if (weights % group != 0) in_.fail("its {} weights are no groups of {}", weights, group);
    const Bytes codes = in_.take(weights);
    const Bytes factors = in_.take(weights / group * sizeof(float));
    std::string floats(weights * sizeof(float), '\0');
    for (std::uint64_t i = 0; i < weights; ++i) {
      float factor = 0;
      std::memcpy(&factor, factors.data() + i / group * sizeof(float), sizeof factor);
      const float weight = static_cast<float>(static_cast<std::int8_t>(codes[i])) * factor;
      std::memcpy(floats.data() + i * sizeof(float), &weight, sizeof weight);
    }
    return container_.keep(std::move(floats));
  }

  Reader& in_;
  const Header& header_;
  Container& container_;
  std::map<TensorKey, Shape> shapes_;
};

}  // namespace

bool looks_like_later_llama2c(Bytes bytes) {
  return as_text(bytes).starts_with("24ka");
}

bool looks_like_llama2c(Bytes bytes) {
  if (bytes.size() < kShortHeader) return false;
  try {
    Reader in("", bytes);
    return file_bytes(read_header(in)) == bytes.size();
  } catch (const Error&) {
    return false;
  }
}

Container read_llama2c(const CheckpointFiles& files) {
  Reader in(files.checkpoint.file, files.checkpoint.bytes);
  const Header header = read_header(in);
  const std::uint64_t needed = file_bytes(header);
  if (needed != in.size()) {
    fail(Fault::bad_input,
         "{}: not a checkpoint that we know: as llama2.c version {} its header asks for {} bytes, "
         "it has {}",
         in.file(), header.version, needed, in.size());
  }
  Container container{.file = in.file(), .format = "llama2.c", .spec = header.spec};
  if (header.group > 0) container.blocks = fmt::format("Q8_0 in groups of {}", header.group);
  TensorReader(in, header, container).read_all();
  return container;
}

}  // namespace sb3lm
