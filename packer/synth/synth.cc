#include "synth/synth.h"

#include <vector>

#include "base/error.h"
#include "base/half.h"
#include "import/json.h"
#include "import/pack_tensors.h"
#include "import/safetensors.h"
#include "synth/gguf_out.h"
#include "synth/hf_model.h"
#include "synth/llama2c_out.h"
#include "synth/mixture_model.h"
#include "synth/presets.h"
#include "synth/raw_bytes.h"
#include "synth/torch_models.h"
#include "synth/vocabulary.h"
#include "synth/weights.h"

namespace sb3lm {
namespace {

constexpr std::string_view kChatTemplate =
    "first: <bos><|user|>\\n{user}<|eot|>\\n<|assistant|>\\n\n"
    "next: <|eot|>\\n<|user|>\\n{user}<|eot|>\\n<|assistant|>\\n\n"
    "stop: <|eot|> <eos>\n";

/// {0} is the layer's number, {1} the expert's with its dot ("5."), or nothing for a stack.
struct Spelling {
  Role role;
  std::string_view plain;
  std::string_view hf;
};
constexpr Spelling kSpellings[] = {
    {Role::embedding, "tok_embeddings.weight", "embed_tokens.weight"},
    {Role::head, "output.weight", "lm_head.weight"},
    {Role::final_norm, "norm.weight", "final_norm.weight"},
    {Role::attention_norm, "layers.{0}.attention_norm.weight", "layers.{0}.input_norm.weight"},
    {Role::q, "layers.{0}.attention.wq.weight", "layers.{0}.self_attn.q_proj.weight"},
    {Role::k, "layers.{0}.attention.wk.weight", "layers.{0}.self_attn.k_proj.weight"},
    {Role::v, "layers.{0}.attention.wv.weight", "layers.{0}.self_attn.v_proj.weight"},
    {Role::o, "layers.{0}.attention.wo.weight", "layers.{0}.self_attn.o_proj.weight"},
    {Role::ffn_norm, "layers.{0}.ffn_norm.weight", "layers.{0}.post_norm.weight"},
    {Role::router, "layers.{0}.moe.router.weight", "layers.{0}.mlp.gate.weight"},
    {Role::q_bias, "layers.{0}.attention.wq.bias", "layers.{0}.self_attn.q_proj.bias"},
    {Role::k_bias, "layers.{0}.attention.wk.bias", "layers.{0}.self_attn.k_proj.bias"},
    {Role::v_bias, "layers.{0}.attention.wv.bias", "layers.{0}.self_attn.v_proj.bias"},
    {Role::shared_router, "layers.{0}.moe.shared_router.weight",
     "layers.{0}.mlp.shared_expert_gate.weight"},
    {Role::shared_gate, "layers.{0}.moe.shared.gate.weight",
     "layers.{0}.mlp.shared_expert.gate_proj.weight"},
    {Role::shared_up, "layers.{0}.moe.shared.up.weight",
     "layers.{0}.mlp.shared_expert.up_proj.weight"},
    {Role::shared_down, "layers.{0}.moe.shared.down.weight",
     "layers.{0}.mlp.shared_expert.down_proj.weight"},
    {Role::expert_gate, "layers.{0}.moe.experts.{1}gate.weight",
     "layers.{0}.mlp.experts.{1}gate_proj.weight"},
    {Role::expert_up, "layers.{0}.moe.experts.{1}up.weight",
     "layers.{0}.mlp.experts.{1}up_proj.weight"},
    {Role::expert_down, "layers.{0}.moe.experts.{1}down.weight",
     "layers.{0}.mlp.experts.{1}down_proj.weight"},
};

/// Writes one packed safetensors file, tensor by tensor.
class PackedWriter {
 public:
  PackedWriter(const SynthModel& model, const SynthOptions& options)
      : model_(model), layout_(model.layout), weights_(model, options) {}

  std::string write(Progress& progress) {
    each_tensor(model_.spec, progress,
                [this](const TensorKey& key, Shape shape) { add(key, shape); });
    return write_safetensors(tensors_, metadata());
  }

 private:
  /// With flipped conventions silu is on the side that the file calls "up".
  Role file_role(Role role) const { return layout_.flipped ? swap_gate_and_up(role) : role; }

  std::string stem(const TensorKey& key) const {
    int number = key.layer;
    if (number >= 0 && !layout_.slots) {
      number = model_.spec.layers[static_cast<std::size_t>(number)].id;
    }
    const std::string expert = layout_.stacked ? "" : fmt::format("{}.", key.expert);
    for (const Spelling& row : kSpellings) {
      if (row.role != file_role(key.role)) continue;
      return fmt::format(fmt::runtime(layout_.hf_names ? row.hf : row.plain), number, expert);
    }
    // What every family reads.
    return tensor_key_text({file_role(key.role), number, layout_.stacked ? -1 : key.expert});
  }

  void add(const TensorKey& key, Shape shape) {
    const int bits = stored_bits(model_, key);
    if (bits == 16) {
      add_plain(key, shape);
      return;
    }
    if (key.expert > 0 && layout_.stacked) return;  // went with expert 0
    const int count = key.expert == 0 && layout_.stacked ? experts_of(key.layer) : 1;
    std::vector<CodedTensor> matrices;
    for (int i = 0; i < count; ++i) {
      TensorKey one = key;
      if (count > 1) one.expert = i;
      matrices.push_back(weights_.quantised(one, shape, bits));
    }
    GroupToPack group{.stem = stem(key),
                      .matrices = {},
                      .stacked = key.expert >= 0 && layout_.stacked,
                      .nibble_code = nibble_code(key.role)};
    for (const CodedTensor& matrix : matrices) group.matrices.push_back(&matrix);
    for (TensorToWrite& tensor : pack_group(group, conventions())) {
      tensors_.push_back(std::move(tensor));
    }
  }

  Conventions conventions() const {
    Conventions conventions;
    if (!layout_.flipped) return conventions;
    conventions.set("synth", "bit-order", "lsb");
    conventions.set("synth", "sign", "minus");
    conventions.set("synth", "nibble-order", "high");
    return conventions;
  }

  /// Offset 8; flipped: two's complement, and offset 4 for 3-bit matrices.
  std::string nibble_code(Role role) const {
    if (!layout_.flipped) return "offset8";
    return is_vocabulary_matrix(role) && model_.embedding_bits == 3 ? "offset4" : "twos";
  }

  int experts_of(int layer) const {
    return model_.spec.layers[static_cast<std::size_t>(layer)].feed_forward.routed_experts;
  }

  void add_plain(const TensorKey& key, Shape shape) {
    std::vector<std::uint16_t> halves;
    for (const float value : weights_.plain(key, shape)) halves.push_back(half_from_double(value));
    std::vector<std::int64_t> extents = {shape.cols};
    if (is_router(key.role)) extents.insert(extents.begin(), shape.rows);
    tensors_.push_back({stem(key), "F16", extents, raw_bytes(halves)});
  }

  std::map<std::string, std::string> metadata() const {
    Json ids = Json::array();
    Json passes = Json::array();
    for (const LayerSpec& layer : model_.spec.layers) ids.push_back(layer.id);
    for (const int pass : model_.spec.passes) {
      passes.push_back(model_.spec.layers[static_cast<std::size_t>(pass)].id);
    }
    std::map<std::string, std::string> all = {{"layer_ids", ids.dump()},
                                              {"pass_order", passes.dump()}};
    if (!model_.describes_itself) return all;
    put_spec(model_.spec, all);
    all["chat_template"] = kChatTemplate;
    return all;
  }

  const SynthModel& model_;
  const SynthLayout& layout_;
  WeightSource weights_;
  std::vector<TensorToWrite> tensors_;
};

/// What the flipped layout needs to be read back.
std::string sidecar_of(const SynthModel& model) {
  if (!model.layout.flipped) return "";
  const Json json = {{"bit-order", "lsb"},
                     {"sign", "minus"},
                     {"nibble-order", "high"},
                     {"nibble-code", "twos"},
                     {"embedding-code", model.embedding_bits == 3 ? "offset4" : "twos"},
                     {"swiglu", "up"}};
  return json.dump(2) + "\n";
}

/// What a format's files are usually called, and who writes them. `write` gives all but the
/// tokenizer, if that is a file of its own.
struct FormatRow {
  SynthFormat format;
  const char* checkpoint_name;
  const char* tokenizer_name;
  std::string (*tokenizer)(int vocabulary);
  SyntheticFiles (*write)(const SynthModel&, const SynthOptions&, Progress&);
};

SyntheticFiles packed_files(const SynthModel& model, const SynthOptions& options,
                            Progress& progress) {
  return {.checkpoint = PackedWriter(model, options).write(progress), .sidecar = sidecar_of(model)};
}

FloatModel float_model(const SynthModel& model, const WeightSource& weights) {
  return {.spec = model.spec, .weights = [&weights](const TensorKey& key, Shape shape) {
            return weights.plain(key, shape);
          }};
}

SyntheticFiles llama2c_files(const SynthModel& model, const SynthOptions& options,
                             Progress& /*progress*/) {
  const WeightSource weights(model, options);
  return {.checkpoint = write_llama2c(float_model(model, weights), 0)};
}

SyntheticFiles gguf_files(const SynthModel& model, const SynthOptions& options,
                          Progress& /*progress*/) {
  const WeightSource weights(model, options);
  return {.checkpoint =
              write_gguf_model(float_model(model, weights), "qwen2", GgufWeights::q8_0,
                               gguf_tokenizer(byte_level_tokenizer_json(model.spec.vocabulary)))};
}

SyntheticFiles torch_files(const SynthModel& model, const SynthOptions& options,
                           Progress& progress) {
  return {.checkpoint = write_torch_model(model, options, progress)};
}

constexpr const char* kJson = "tokenizer.json";
constexpr FormatRow kFormats[] = {
    {SynthFormat::packed, "model.safetensors", kJson, spaced_tokenizer_json, packed_files},
    {SynthFormat::llama2c, "model.bin", "tokenizer.bin", tokenizer_bin, llama2c_files},
    {SynthFormat::gguf, "model.gguf", "", nullptr, gguf_files},
    {SynthFormat::golf, "model.ptz", kJson, spaced_tokenizer_json, torch_files},
    {SynthFormat::golf_clean, "model.ptz", kJson, spaced_tokenizer_json, torch_files},
    {SynthFormat::mixture, "model.safetensors", kJson, byte_level_tokenizer_json,
     write_mixture_model},
    {SynthFormat::hf, "model.safetensors", kJson, byte_level_tokenizer_json, write_hf_model},
    {SynthFormat::shard, "model.pt", kJson, spaced_tokenizer_json, torch_files},
};

const FormatRow& about(SynthFormat format) {
  for (const FormatRow& row : kFormats) {
    if (row.format == format) return row;
  }
  fail(Fault::bug, "internal error: a synthetic format that is in no row");
}

// A vocabulary has bytes, letters and some pieces.
constexpr int kSmallestVocabulary = 512;

}  // namespace

SyntheticFiles make_synthetic(const SynthOptions& options, Progress& progress) {
  SynthModel model = synth_model(options.preset);
  if (options.layers != 0) keep_layers(model, options.layers);
  if (options.vocabulary != 0) {
    if (options.vocabulary < kSmallestVocabulary || options.vocabulary > model.spec.vocabulary) {
      fail(Fault::usage, "vocabulary {}: with preset {} it is {} to {}", options.vocabulary,
           options.preset, kSmallestVocabulary, model.spec.vocabulary);
    }
    model.spec.vocabulary = options.vocabulary;
    model.describes_itself = true;
  }
  if (options.layout) model.layout = *options.layout;
  const FormatRow& format = about(model.format);
  SyntheticFiles files = format.write(model, options, progress);
  files.checkpoint_name = format.checkpoint_name;
  if (format.tokenizer != nullptr) files.tokenizer = format.tokenizer(model.spec.vocabulary);
  files.tokenizer_name = format.tokenizer_name;
  return files;
}

}  // namespace sb3lm
