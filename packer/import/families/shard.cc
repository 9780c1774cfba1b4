// Shard-1's models: Llama with sliding windows in every second layer and a cap on the logits. How
// its files spell tensors is not published; three ways are read.
#include <algorithm>

#include "import/config.h"
#include "import/families/families.h"
#include "model/spec_fields.h"

namespace sb3lm {
namespace {

constexpr NameRule kNames[] = {
    {Role::embedding, "(tok_emb|embed|tok_embeddings|wte)"},
    {Role::head, "(lm_head|head|output)"},
    {Role::final_norm, "(norm|final_norm|ln_f)"},
    {Role::attention_norm, "(blocks|layers).{L}.(attn_norm|input_norm|ln1|norm1)"},
    {Role::q, "(blocks|layers).{L}.attn.(wq|q_proj)"},
    {Role::k, "(blocks|layers).{L}.attn.(wk|k_proj)"},
    {Role::v, "(blocks|layers).{L}.attn.(wv|v_proj)"},
    {Role::q, "(blocks|layers).{L}.attn.(qkv|wqkv|qkv_proj)", {0, 1, 3}},
    {Role::k, "(blocks|layers).{L}.attn.(qkv|wqkv|qkv_proj)", {1, 2, 3}},
    {Role::v, "(blocks|layers).{L}.attn.(qkv|wqkv|qkv_proj)", {2, 3, 3}},
    {Role::o, "(blocks|layers).{L}.attn.(wo|o_proj|proj|out_proj)"},
    {Role::ffn_norm, "(blocks|layers).{L}.(mlp_norm|ffn_norm|post_norm|ln2|norm2)"},
    {Role::gate, "(blocks|layers).{L}.(mlp|ffn).(w1|gate_proj|gate)"},
    {Role::up, "(blocks|layers).{L}.(mlp|ffn).(w3|up_proj|up)"},
    {Role::gate, "(blocks|layers).{L}.(mlp|ffn).(gate_up|gate_up_proj|w13)", {0, 1, 2}},
    {Role::up, "(blocks|layers).{L}.(mlp|ffn).(gate_up|gate_up_proj|w13)", {1, 2, 2}},
    {Role::down, "(blocks|layers).{L}.(mlp|ffn).(w2|down_proj|down)"},
};

// Of Shard-40m-v1, for files that do not say it.
constexpr std::int64_t kVocabulary = 8192, kWidth = 512;
constexpr std::string_view kWindow = "0/1024@0,2,4,6,8,10";

bool claims(const Container& container, const Config* config) {
  if (config != nullptr) {
    return config->find("lm_head_logit_cap") != nullptr ||
           config->find("attention_pattern") != nullptr;
  }
  const auto is_embedding = [](const StoredTensor& tensor) {
    return tensor.shape == std::vector<std::int64_t>{kVocabulary, kWidth};
  };
  return container.format == "torch" &&
         std::any_of(container.tensors.begin(), container.tensors.end(), is_embedding);
}

/// Layers with a window and global ones in turn; the last one is global.
std::string in_turn(const std::string& window, int layers) {
  std::string numbers;
  for (int layer = 0; layer + 1 < layers; layer += 2) {
    numbers += fmt::format("{}{}", numbers.empty() ? "" : ",", layer);
  }
  return numbers.empty() ? "0" : fmt::format("0/{}@{}", window, numbers);
}

void read_config(const Config& config, Settings& settings) {
  const std::string pattern = config.text("attention_pattern");
  if (!pattern.empty() && pattern != "gemma4" && pattern != "all_global") {
    config.fail(Fault::unsupported,
                "attention_pattern \"{}\" is not supported, only \"gemma4\" and \"all_global\"",
                pattern);
  }
  if (config.is("engram_enabled", true)) {
    config.fail(Fault::unsupported, "engram_enabled is not supported");
  }
  if (pattern == "all_global") {
    config.set_text("window", "attention_pattern", "0", settings);
    return;
  }
  const Json *window = config.find("sliding_window"), *layers = config.find("n_layers");
  if (window == nullptr || layers == nullptr) return;
  const std::optional<int> count = json_as<int>(*layers);
  if (!count || *count < 1 || *count > limits::kLayers || !window->is_number_integer()) {
    config.fail(Fault::bad_input, "n_layers {} and sliding_window {} are no whole numbers",
                layers->dump(), window->dump());
  }
  config.set_text("window", "sliding_window", in_turn(window->dump(), *count), settings);
}

void finish(const Config& config, ModelSpec& spec) {
  config.must_be("n_layers", static_cast<int>(spec.layers.size()));
  for (const LayerSpec& layer : spec.layers) {
    config.must_be("mlp_hidden", layer.feed_forward.hidden);
  }
}

}  // namespace

const Family& shard_family() {
  static const Family family{.name = "shard",
                             .model_types = {{"shard", {}}},
                             .assumed = {{"rope", "half-split"},
                                         {"rope-sign", "plus"},
                                         {"rope-base", "10000"},
                                         {"norm-eps", "1e-5"},
                                         {"head-size", "64"},
                                         {"context", "8192"},
                                         {"window", kWindow},
                                         {"logit-cap", "30"}},
                             .rules = {kNames},
                             .ignored = {"rope_cos", "rope_sin", ".cos", ".sin", "inv_freq",
                                         "cos_cached", "sin_cached", "mask"},
                             .settled = {"rope-sign", "swiglu"},
                             .spellings = {{"vocab_size", "vocabulary"},
                                           {"dim", "width"},
                                           {"n_heads", "heads"},
                                           {"head_dim", "head-size"},
                                           {"max_seq_len", "context"},
                                           {"norm_eps", "norm-eps"},
                                           {"rope_theta", "rope-base"},
                                           {"lm_head_logit_cap", "logit-cap"}},
                             .claims = claims,
                             .read_config = read_config,
                             .finish = finish};
  return family;
}

}  // namespace sb3lm
