#include "support/float_files.h"

#include <cstring>

#include "base/error.h"
#include "import/safetensors.h"
#include "synth/raw_bytes.h"
#include "synth/torch_out.h"

namespace sb3lm::test {
namespace {

std::string name_of(const TensorKey& key) {
  const auto layer = [&key](const char* own) {
    return fmt::format("model.layers.{}.{}.weight", key.layer, own);
  };
  switch (key.role) {
    case Role::embedding:
      return "model.embed_tokens.weight";
    case Role::head:
      return "lm_head.weight";
    case Role::final_norm:
      return "model.norm.weight";
    case Role::attention_norm:
      return layer("input_layernorm");
    case Role::q:
      return layer("self_attn.q_proj");
    case Role::k:
      return layer("self_attn.k_proj");
    case Role::v:
      return layer("self_attn.v_proj");
    case Role::o:
      return layer("self_attn.o_proj");
    case Role::ffn_norm:
      return layer("post_attention_layernorm");
    case Role::gate:
      return layer("mlp.gate_proj");
    case Role::up:
      return layer("mlp.up_proj");
    case Role::down:
      return layer("mlp.down_proj");
    default:
      fail(Fault::bug, "a Llama has no {}", tensor_key_text(key));
  }
}

/// Neighbours 2j and 2j + 1 of a head become j and j + half.
std::vector<float> half_split(const std::vector<float>& rows, Shape shape, int head_size) {
  std::vector<float> out;
  const auto cols = static_cast<std::ptrdiff_t>(shape.cols);
  for (int row = 0; row < shape.rows; ++row) {
    const int in_head = row % head_size, half = head_size / 2;
    const int from = row - in_head + (in_head < half ? 2 * in_head : 2 * (in_head - half) + 1);
    out.insert(out.end(), rows.begin() + from * cols, rows.begin() + (from + 1) * cols);
  }
  return out;
}

std::string config_of(const ModelSpec& spec) {
  const LayerSpec& layer = spec.layers.front();
  return fmt::format(R"({{"model_type": "llama", "hidden_size": {}, "intermediate_size": {},
 "num_hidden_layers": {}, "num_attention_heads": {}, "num_key_value_heads": {}, "vocab_size": {},
 "max_position_embeddings": {}, "rms_norm_eps": {}, "rope_theta": {}, "hidden_act": "silu",
 "tie_word_embeddings": {}}})",
                     spec.width, layer.feed_forward.hidden, spec.layers.size(),
                     layer.attention.query_heads, layer.attention.kv_heads, spec.vocabulary,
                     spec.context, spec.norm_eps, layer.attention.rope.base, spec.tied_head);
}

template <class T>
T take(std::string_view& bytes) {
  T value{};
  check(bytes.size() >= sizeof value, "a tokenizer.bin that is cut off");
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return value;
}

std::string with_marks(std::string text) {
  for (std::size_t at = 0; (at = text.find(' ', at)) != text.npos;) text.replace(at, 1, "\u2581");
  return text;
}

}  // namespace

FloatModel float_model(const Model& model) {
  return {.spec = model.spec, .weights = [&model](const TensorKey& key, Shape) {
            return std::get<FloatTensor>(model.at(key)).values;
          }};
}

HuggingFaceFiles hugging_face_files(const FloatModel& model) {
  std::vector<TensorToWrite> tensors;
  std::vector<TorchTensor> torch;
  for (const auto& [key, shape] : expected_tensors(model.spec)) {
    std::vector<float> weights = model.weights(key, shape);
    if (key.role == Role::q || key.role == Role::k) {
      weights = half_split(weights, shape, model.spec.layers.front().attention.head_size);
    }
    std::vector<std::int64_t> extents = {shape.cols};
    if (!is_vector(key.role)) extents.insert(extents.begin(), shape.rows);
    tensors.push_back({name_of(key), "F32", extents, raw_bytes(weights)});
    torch.push_back(
        {.name = name_of(key), .type = "F32", .shape = extents, .bytes = raw_bytes(weights)});
  }
  return {.safetensors = write_safetensors(tensors, {}),
          .pytorch_model = write_torch(torch, {}),
          .config = config_of(model.spec)};
}

GgufEntries gguf_tokenizer_of(std::string_view tokenizer_bin, int vocabulary) {
  constexpr std::int32_t kNormal = 1, kUnknown = 2, kControl = 3, kByte = 6;
  take<std::uint32_t>(tokenizer_bin);
  std::vector<std::string> tokens;
  std::vector<float> scores;
  std::vector<std::int32_t> types;
  for (int id = 0; id < vocabulary; ++id) {
    scores.push_back(take<float>(tokenizer_bin));
    const auto size = static_cast<std::size_t>(take<std::int32_t>(tokenizer_bin));
    const std::string text(tokenizer_bin.substr(0, size));
    tokenizer_bin.remove_prefix(size);
    const bool is_byte = text.starts_with("<0x");
    types.push_back(id == 0 ? kUnknown : id < 3 ? kControl : is_byte ? kByte : kNormal);
    tokens.push_back(id == 1 ? "<s>" : id == 2 ? "</s>" : with_marks(text));
  }
  return {{"tokenizer.ggml.model", std::string("llama")},
          {"tokenizer.ggml.tokens", tokens},
          {"tokenizer.ggml.scores", scores},
          {"tokenizer.ggml.token_type", types},
          {"tokenizer.ggml.bos_token_id", 1u},
          {"tokenizer.ggml.eos_token_id", 2u}};
}

}  // namespace sb3lm::test
