#include "synth/torch_models.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <span>

#include "base/error.h"
#include "base/half.h"
#include "base/portable_math.h"
#include "import/json.h"
#include "synth/raw_bytes.h"
#include "synth/torch_out.h"
#include "synth/weights.h"

namespace sb3lm {
namespace {

static_assert(std::endian::native == std::endian::little);

/// {} is the layer's number. Several roles, or layers, with one name are its rows, one after the
/// other.
struct Spelling {
  Role role;
  std::string_view name;
  int rank = 1;             // of vectors: a number, a vector, or the rows of a matrix
  bool counts_own = false;  // {} counts only the layers that have one
};

constexpr Spelling kGolf[] = {
    {Role::embedding, "tok_emb.weight"},
    {Role::bigram_embedding, "bigram.embed.weight"},
    {Role::bigram_proj, "bigram.proj.weight"},
    {Role::bigram_scale, "bigram.scale", 0},
    {Role::smear_share, "smear.gate"},
    {Role::value_embedding, "ve_shared.embed.weight"},
    {Role::value_proj, "ve_shared.proj.weight"},
    {Role::value_scale, "ve_shared.scale", 0},
    {Role::value_layer_scale, "ve_layer_scales.{}", 1, true},
    {Role::skip_scale, "skip_weights", 2},
    {Role::stream_mix, "blocks.{}.resid_mix", 2},
    {Role::start_mix, "blocks.{}.resid_mix", 2},
    {Role::attention_scale, "blocks.{}.attn_scale"},
    {Role::ffn_scale, "blocks.{}.mlp_scale"},
    {Role::query_gain, "blocks.{}.attn.q_gain"},
    {Role::q, "blocks.{}.attn.c_q.weight"},
    {Role::k, "blocks.{}.attn.c_k.weight"},
    {Role::v, "blocks.{}.attn.c_v.weight"},
    {Role::o, "blocks.{}.attn.proj.weight"},
    {Role::up, "blocks.{}.mlp.fc.weight"},
    {Role::down, "blocks.{}.mlp.proj.weight"},
};

constexpr Spelling kShard[] = {
    {Role::embedding, "tok_emb.weight"},
    {Role::attention_norm, "blocks.{}.attn_norm.weight"},
    {Role::q, "blocks.{}.attn.wq.weight"},
    {Role::k, "blocks.{}.attn.wk.weight"},
    {Role::v, "blocks.{}.attn.wv.weight"},
    {Role::o, "blocks.{}.attn.wo.weight"},
    {Role::ffn_norm, "blocks.{}.mlp_norm.weight"},
    {Role::gate, "blocks.{}.mlp.w1.weight"},
    {Role::up, "blocks.{}.mlp.w3.weight"},
    {Role::down, "blocks.{}.mlp.w2.weight"},
    {Role::final_norm, "norm.weight"},
};

constexpr Spelling kFusedShard[] = {
    {Role::embedding, "tok_emb.weight"},        {Role::attention_norm, "blocks.{}.ln1.weight"},
    {Role::q, "blocks.{}.attn.qkv.weight"},     {Role::k, "blocks.{}.attn.qkv.weight"},
    {Role::v, "blocks.{}.attn.qkv.weight"},     {Role::o, "blocks.{}.attn.proj.weight"},
    {Role::ffn_norm, "blocks.{}.ln2.weight"},   {Role::gate, "blocks.{}.mlp.gate_up.weight"},
    {Role::up, "blocks.{}.mlp.gate_up.weight"}, {Role::down, "blocks.{}.mlp.down.weight"},
    {Role::final_norm, "ln_f.weight"},
};

std::span<const Spelling> spellings_of(const SynthModel& model) {
  if (model.format != SynthFormat::shard) return kGolf;
  return model.fused ? std::span<const Spelling>(kFusedShard) : std::span<const Spelling>(kShard);
}

template <class T>
void append(std::string& bytes, T number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

/// What `m` calls codes; pull request 585 called all but embeddings alike.
std::string_view how_stored(const SynthModel& model, const TensorKey& key, int bits) {
  if (about(key.role).kind == RoleKind::lookup) return "int8";
  const bool told_apart = model.bits.at(Role::q) != model.bits.at(Role::up);
  return told_apart && bits == 5 ? "int5" : "int6";
}

class TorchModelWriter {
 public:
  TorchModelWriter(const SynthModel& model, const SynthOptions& options)
      : model_(model), weights_(model, options) {}

  std::vector<TorchTensor> tensors(Progress& progress) {
    each_tensor(model_.spec, progress,
                [this](const TensorKey& key, Shape shape) { add(key, shape); });
    return std::move(tensors_);
  }

 private:
  const Spelling& spelling_of(Role role) const {
    for (const Spelling& row : spellings_of(model_)) {
      if (row.role == role) return row;
    }
    fail(Fault::bug, "internal error: {} has no name in preset {}", role_name(role), model_.name);
  }

  void add(const TensorKey& key, Shape shape) {
    const Spelling& spelling = spelling_of(key.role);
    const int number = spelling.counts_own ? own_[key.role]++ : key.layer;
    const std::string name = fmt::format(fmt::runtime(spelling.name), number);
    const auto [at, is_new] = index_.emplace(name, tensors_.size());
    if (is_new) tensors_.push_back({.name = name});
    TorchTensor& tensor = tensors_[at->second];
    set_shape(tensor, is_vector(key.role) ? spelling.rank : 2, shape);
    const int bits = stored_bits(model_, key);
    bits == 16 ? add_plain(tensor, key, shape) : add_codes(tensor, key, shape, bits);
  }

  static void set_shape(TorchTensor& tensor, int rank, Shape shape) {
    if (rank == 0) return;
    if (rank == 1) {
      tensor.shape = {shape.cols};
    } else if (tensor.shape.empty()) {
      tensor.shape = {shape.rows, shape.cols};
    } else {
      tensor.shape[0] += shape.rows;
    }
  }

  void add_plain(TorchTensor& tensor, const TensorKey& key, Shape shape) {
    const SynthFormat format = model_.format;
    tensor.type = format == SynthFormat::shard  ? "BF16"
                  : format == SynthFormat::golf ? "F16"
                                                : "F32";
    for (const float value : weights_.plain(key, shape)) {
      if (tensor.type == "F32") {
        append(tensor.bytes, value);
      } else {
        append(tensor.bytes, tensor.type == "F16" ? half_from_double(value) : bfloat16_bits(value));
      }
    }
  }

  void add_codes(TorchTensor& tensor, const TensorKey& key, Shape shape, int bits) {
    const CodedTensor matrix = weights_.quantised(key, shape, bits);
    tensor.type = "I8";
    tensor.how = how_stored(model_, key, bits);
    for (const std::uint8_t code : matrix.codes) {
      tensor.bytes += static_cast<char>(matrix.format.level(code));
    }
    for (const std::uint16_t scale : matrix.row_scale) append(tensor.row_scales, scale);
  }

  const SynthModel& model_;
  WeightSource weights_;
  std::vector<TorchTensor> tensors_;
  std::map<std::string, std::size_t> index_;
  std::map<Role, int> own_;
};

/// RoPE's cosines or sines, which modules keep as buffers that are no weights.
TorchTensor rope_table(const ModelSpec& spec, const char* name, double portable::Turn::*part) {
  constexpr double kFullTurn = 6.283185307179586;
  const RopeSpec& rope = spec.layers.front().attention.rope;
  const int pairs = rope.dims / 2;
  TorchTensor table{.name = name, .type = "BF16", .shape = {spec.context, pairs}};
  for (int position = 0; position < spec.context; ++position) {
    for (int pair = 0; pair < pairs; ++pair) {
      const double frequency = portable::exp(portable::log(rope.base) * -2 * pair / rope.dims);
      const double turns = position * frequency / kFullTurn;
      const double rest = std::ldexp(std::floor(std::ldexp(turns - std::floor(turns), 53)), -53);
      append(table.bytes, bfloat16_bits(static_cast<float>(portable::turn(rest).*part)));
    }
  }
  return table;
}

std::string shard_config(const ModelSpec& spec) {
  const AttentionSpec& first = spec.layers.front().attention;
  const Json json = {{"vocab_size", spec.vocabulary},
                     {"dim", spec.width},
                     {"n_layers", spec.layers.size()},
                     {"n_heads", first.query_heads},
                     {"head_dim", first.head_size},
                     {"mlp_hidden", spec.layers.front().feed_forward.hidden},
                     {"max_seq_len", spec.context},
                     {"attention_pattern", first.window > 0 ? "gemma4" : "all_global"},
                     {"sliding_window", first.window},
                     {"engram_enabled", false},
                     {"lm_head_logit_cap", spec.logit_cap},
                     {"z_loss_weight", 1e-4},
                     {"optimizer", "muon"}};
  return json.dump();
}

}  // namespace

std::string write_torch_model(const SynthModel& model, const SynthOptions& options,
                              Progress& progress) {
  std::vector<TorchTensor> tensors = TorchModelWriter(model, options).tensors(progress);
  if (model.format == SynthFormat::golf) {
    return write_torch(tensors, {.layout = TorchLayout::records, .compression = Compression::zstd});
  }
  if (model.format == SynthFormat::golf_clean) {
    return write_torch(tensors, {.layout = TorchLayout::clean, .compression = Compression::zlib});
  }
  tensors.push_back(rope_table(model.spec, "rope_cos", &portable::Turn::cosine));
  tensors.push_back(rope_table(model.spec, "rope_sin", &portable::Turn::sine));
  return write_torch(tensors, {.layout = TorchLayout::model,
                               .config = shard_config(model.spec),
                               .config_class = model.fused ? "config Config" : "",
                               .folder = "model"});
}

}  // namespace sb3lm
