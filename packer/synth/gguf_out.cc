#include "synth/gguf_out.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/half.h"
#include "import/families/gguf_names.h"
#include "import/json.h"
#include "synth/raw_bytes.h"

namespace sb3lm {
namespace {

constexpr std::size_t kAlignment = 32, kBlock = 32;
constexpr std::uint32_t kF32 = 0, kF16 = 1, kQ8 = 8;

template <class T>
std::string number(T value) {
  return raw_bytes(std::vector<T>{value});
}

std::string text(std::string_view value) {
  return number<std::uint64_t>(value.size()) + std::string(value);
}

void pad(std::string& bytes) {
  bytes.resize((bytes.size() + kAlignment - 1) / kAlignment * kAlignment, '\0');
}

constexpr std::uint32_t kU32 = 4, kI32 = 5, kFloat = 6, kBool = 7, kText = 8, kList = 9;

std::string list(std::uint32_t type, std::size_t items, const std::string& bytes) {
  return number(kList) + number(type) + number<std::uint64_t>(items) + bytes;
}

struct EntryBytes {
  std::string operator()(std::uint32_t value) const { return number(kU32) + number(value); }
  std::string operator()(float value) const { return number(kFloat) + number(value); }
  std::string operator()(bool value) const { return number(kBool) + (value ? '\1' : '\0'); }
  std::string operator()(const std::string& value) const { return number(kText) + text(value); }
  std::string operator()(const std::vector<std::string>& values) const {
    std::string bytes;
    for (const std::string& value : values) bytes += text(value);
    return list(kText, values.size(), bytes);
  }
  std::string operator()(const std::vector<float>& values) const {
    return list(kFloat, values.size(), raw_bytes(values));
  }
  std::string operator()(const std::vector<std::int32_t>& values) const {
    return list(kI32, values.size(), raw_bytes(values));
  }
};

std::string halves(const std::vector<float>& weights) {
  std::vector<std::uint16_t> bits;
  for (const float weight : weights) bits.push_back(half_from_double(weight));
  return raw_bytes(bits);
}

std::string q8_blocks(const std::vector<float>& weights) {
  std::string bytes;
  for (std::size_t first = 0; first < weights.size(); first += kBlock) {
    float largest = 0;
    for (std::size_t i = first; i < first + kBlock; ++i) {
      largest = std::max(largest, std::fabs(weights[i]));
    }
    const float step = largest / 127, inverse = step == 0 ? 0 : 1 / step;
    bytes += number(half_from_double(step));
    for (std::size_t i = first; i < first + kBlock; ++i) {
      bytes += static_cast<char>(std::lround(weights[i] * inverse));
    }
  }
  return bytes;
}

/// Whether q, k and v are one tensor, as llama.cpp's converters leave them.
bool is_fused(std::string_view architecture) {
  return architecture == "gpt2" || architecture == "gptneox";
}

std::string name_of(const TensorKey& key, bool fused) {
  const NameRule* found = nullptr;
  for (const NameRule& rule : gguf_names()) {
    const bool is_part = rule.rows != FusedRows{};
    if (rule.role == key.role && (found == nullptr || (fused && is_part))) found = &rule;
  }
  if (found == nullptr) {
    fail(Fault::bug, "internal error: GGUF has no name for {}", tensor_key_text(key));
  }
  std::string name(found->pattern);
  if (const auto at = name.find("{L}"); at != name.npos) {
    name.replace(at, 3, std::to_string(key.layer));
  }
  return name.ends_with(".bias") ? name : name + ".weight";
}

/// One more, or what the last one goes on with.
void add_tensor(GgufTensorToWrite tensor, std::vector<GgufTensorToWrite>& all) {
  if (all.empty() || all.back().name != tensor.name) {
    all.push_back(std::move(tensor));
    return;
  }
  all.back().shape.front() += tensor.shape.front();
  all.back().bytes += tensor.bytes;
}

GgufTensorToWrite tensor_of(const std::string& name, const TensorKey& key, Shape shape,
                            const std::vector<float>& weights, GgufWeights wanted) {
  GgufTensorToWrite tensor{.name = name, .shape = {static_cast<std::uint64_t>(shape.cols)}};
  if (is_vector(key.role)) wanted = GgufWeights::f32;
  if (!is_vector(key.role)) {
    tensor.shape.insert(tensor.shape.begin(), static_cast<std::uint64_t>(shape.rows));
  }
  if (wanted == GgufWeights::q8_0 && static_cast<std::size_t>(shape.cols) % kBlock == 0) {
    tensor.type = kQ8;
    tensor.bytes = q8_blocks(weights);
  } else if (wanted == GgufWeights::f32) {
    tensor.type = kF32;
    tensor.bytes = raw_bytes(weights);
  } else {
    tensor.type = kF16;
    tensor.bytes = halves(weights);
  }
  return tensor;
}

GgufEntries describe(const ModelSpec& spec, std::string_view architecture) {
  const LayerSpec& layer = spec.layers.front();
  const std::string prefix = std::string(architecture) + ".";
  const auto count = [&](const char* key, std::size_t value) {
    return std::pair<std::string, GgufEntry>(prefix + key, static_cast<std::uint32_t>(value));
  };
  const auto whole = [&](const char* key, int value) {
    return count(key, static_cast<std::size_t>(value));
  };
  const auto real = [&](const char* key, double value) {
    return std::pair<std::string, GgufEntry>(prefix + key, static_cast<float>(value));
  };
  const AttentionSpec& attention = layer.attention;
  GgufEntries entries = {{"general.architecture", std::string(architecture)},
                         whole("vocab_size", spec.vocabulary),
                         whole("context_length", spec.context),
                         whole("embedding_length", spec.width),
                         count("block_count", spec.layers.size()),
                         whole("feed_forward_length", layer.feed_forward.hidden),
                         whole("attention.head_count", attention.query_heads),
                         whole("attention.head_count_kv", attention.kv_heads)};
  const bool is_layer = spec.norm == NormKind::layer;
  entries.push_back(
      real(is_layer ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon",
           spec.norm_eps));
  if (attention.rope.layout != RopeLayout::none) {
    entries.push_back(whole("rope.dimension_count", attention.rope.dims));
    entries.push_back(real("rope.freq_base", attention.rope.base));
  }
  if (attention.head_size * attention.query_heads != spec.width) {
    entries.push_back(whole("attention.key_length", attention.head_size));
  }
  if (architecture == "gptneox") {
    entries.emplace_back(prefix + "use_parallel_residual", layer.residual == Residual::parallel);
  }
  if (attention.window > 0) entries.push_back(whole("attention.sliding_window", attention.window));
  if (attention.score_cap > 0)
    entries.push_back(real("attn_logit_softcapping", attention.score_cap));
  if (spec.logit_cap > 0) entries.push_back(real("final_logit_softcapping", spec.logit_cap));
  return entries;
}

}  // namespace

std::string write_gguf(const GgufEntries& entries, const std::vector<GgufTensorToWrite>& tensors) {
  std::string head = "GGUF" + number<std::uint32_t>(3) + number<std::uint64_t>(tensors.size()) +
                     number<std::uint64_t>(entries.size());
  for (const auto& [key, value] : entries) head += text(key) + std::visit(EntryBytes(), value);
  std::string data;
  for (const GgufTensorToWrite& tensor : tensors) {
    pad(data);
    head += text(tensor.name) + number(static_cast<std::uint32_t>(tensor.shape.size()));
    for (auto extent = tensor.shape.rbegin(); extent != tensor.shape.rend(); ++extent) {
      head += number(*extent);
    }
    head += number(tensor.type) + number<std::uint64_t>(data.size());
    data += tensor.bytes;
  }
  pad(head);
  return head + data;
}

std::string write_gguf_model(const FloatModel& model, std::string_view architecture,
                             GgufWeights weights, GgufEntries more) {
  GgufEntries entries = describe(model.spec, architecture);
  std::ranges::move(more, std::back_inserter(entries));
  std::vector<GgufTensorToWrite> tensors;
  for (const auto& [key, shape] : expected_tensors(model.spec)) {
    const std::string name = name_of(key, is_fused(architecture));
    add_tensor(tensor_of(name, key, shape, model.weights(key, shape), weights), tensors);
  }
  return write_gguf(entries, tensors);
}

GgufEntries gguf_tokenizer(std::string_view tokenizer_json) {
  constexpr std::int32_t kNormal = 1, kControl = 3;
  const Json json = parse_json("the tokenizer", tokenizer_json);
  const Json& vocabulary = json.at("model").at("vocab");
  std::vector<std::string> tokens(vocabulary.size());
  std::vector<std::int32_t> types(vocabulary.size(), kNormal);
  for (const auto& [token, id] : vocabulary.items()) tokens.at(id.get<std::size_t>()) = token;
  for (const Json& added : json.at("added_tokens")) types.at(added.at("id")) = kControl;
  return {{"tokenizer.ggml.model", std::string("gpt2")},
          {"tokenizer.ggml.pre", std::string("gpt-2")},
          {"tokenizer.ggml.tokens", tokens},
          {"tokenizer.ggml.token_type", types},
          {"tokenizer.ggml.merges", json.at("model").at("merges").get<std::vector<std::string>>()}};
}

}  // namespace sb3lm
