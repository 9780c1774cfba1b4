// Gemma, Gemma 2 and Gemma 3: norms that lack 1, embeddings times the root of the width, gates bent
// by GELU. Gemma 2 norms what each half of a layer gives, too, caps scores and logits, and every
// second layer has a sliding window.
#include <cmath>

#include "import/config.h"
#include "import/families/families.h"
#include "import/families/gguf_names.h"
#include "import/families/llama_names.h"

namespace sb3lm {
namespace {

constexpr NameRule norm(Role role, std::string_view pattern) {
  return {.role = role, .pattern = pattern, .plus_one = true};
}

constexpr NameRule kGemma[] = {
    norm(Role::final_norm, "norm"),
    norm(Role::attention_norm, "layers.{L}.input_layernorm"),
    norm(Role::ffn_norm, "layers.{L}.post_attention_layernorm"),
};
constexpr NameRule kGemma2[] = {
    norm(Role::final_norm, "norm"),
    norm(Role::attention_norm, "layers.{L}.input_layernorm"),
    norm(Role::attention_after_norm, "layers.{L}.post_attention_layernorm"),
    norm(Role::ffn_norm, "layers.{L}.pre_feedforward_layernorm"),
    norm(Role::ffn_after_norm, "layers.{L}.post_feedforward_layernorm"),
};

constexpr NameRule kGemma3[] = {
    norm(Role::q_norm, "layers.{L}.self_attn.q_norm"),
    norm(Role::k_norm, "layers.{L}.self_attn.k_norm"),
};

void read_common(const Config& config, Settings& settings) {
  // The older field is there beside the newer one, and means less.
  const bool is_newer = config.find("hidden_activation") != nullptr;
  read_activation(config, is_newer ? "hidden_activation" : "hidden_act", settings);
  read_rope(config, settings);
  refuse_other_maths(config, {"attn_logit_softcapping", "final_logit_softcapping"});
}

void read_gemma(const Config& config, Settings& settings) {
  read_common(config, settings);
  refuse_other_maths(config);
}

/// A cap of null is none.
void read_cap(const Config& config, const char* fact, const char* field, Settings& settings) {
  if (config.has(field) && config.find(field) == nullptr) {
    config.set_text(fact, field, "0", settings);
  } else {
    config.set(fact, field, settings);
  }
}

void read_caps_and_scale(const Config& config, Settings& settings) {
  constexpr const char* kScale = "query_pre_attn_scalar";
  read_cap(config, "score-cap", "attn_logit_softcapping", settings);
  read_cap(config, "logit-cap", "final_logit_softcapping", settings);
  if (const Json* scale = config.find(kScale)) {
    if (!scale->is_number() || scale->get<double>() <= 0) {
      config.fail(Fault::bad_input, "{} {} is no number above 0", kScale, scale->dump());
    }
    config.set_text("score-scale", kScale, fmt::format("{}", 1 / std::sqrt(scale->get<double>())),
                    settings);
  }
}

void read_gemma2(const Config& config, Settings& settings) {
  read_common(config, settings);
  read_caps_and_scale(config, settings);
  read_windows(config, {.where = Sliding::even, .usual = 4096}, settings);
}

/// What is said of RoPE is meant for the layers that see everything.
void read_gemma3(const Config& config, Settings& settings) {
  constexpr const char *kLocal = "rope_local_base_freq", *kGlobal = "rope_theta";
  if (config.find("rope_scaling") != nullptr) {
    config.fail(Fault::unsupported, "rope_scaling is not supported in {}", config.model_type());
  }
  read_common(config, settings);
  read_caps_and_scale(config, settings);
  read_windows(config, {.where = Sliding::mostly, .usual = 4096}, settings);
  const auto base = [&config](const char* field, const char* usual) {
    const Json* said = config.find(field);
    const std::optional<std::string> text = said != nullptr ? plain_text(*said) : usual;
    if (!text) config.fail(Fault::bad_input, "{} is not a number", field);
    return *text;
  };
  std::vector<std::string> bases;
  for (const bool slides : sliding_layers(config, Sliding::mostly)) {
    bases.push_back(slides ? base(kLocal, "10000") : base(kGlobal, "1000000"));
  }
  config.set_text("rope-base", kLocal, by_layer(bases), settings);
}

std::vector<ShapeFact> assume(const ModelSpec& spec) {
  return {{"embedding-scale", fmt::format("{}", std::sqrt(spec.width))}};
}

void finish(const Config& config, ModelSpec& spec) {
  config.must_be("num_hidden_layers", static_cast<int>(spec.layers.size()));
  config.must_be("intermediate_size", spec.layers.front().feed_forward.hidden);
  check_layer_lists(config, spec);
  drop_wide_windows(spec);
}

Family family_of_all() {
  return {.name = {},
          .model_types = {},
          .assumed = {{"rope", "half-split"},
                      {"rope-sign", "plus"},
                      {"rope-base", "10000"},
                      {"norm-eps", "1e-6"},
                      {"activation", "gelu-tanh"}},
          .rules = {},
          .settled = {"rope", "rope-sign", "swiglu"},
          .spellings = {{"hidden_size", "width"},
                        {"vocab_size", "vocabulary"},
                        {"num_attention_heads", "heads"},
                        {"num_key_value_heads", "kv-heads"},
                        {"head_dim", "head-size"},
                        {"max_position_embeddings", "context"},
                        {"rms_norm_eps", "norm-eps"},
                        {"rope_theta", "rope-base"},
                        {"tie_word_embeddings", "tied-head"}},
          .assume = assume,
          .finish = finish};
}

}  // namespace

const Family& gemma_family() {
  static const Family family = [] {
    Family gemma = family_of_all();
    gemma.name = "gemma";
    gemma.model_types = {{"gemma", {}}};
    gemma.rules = {llama_names(), kGemma, gguf_names()};
    gemma.read_config = read_gemma;
    return gemma;
  }();
  return family;
}

const Family& gemma2_family() {
  static const Family family = [] {
    Family gemma = family_of_all();
    gemma.name = "gemma2";
    // 1/16 is the root of 256, the scalar of files that do not say it.
    gemma.model_types = {
        {"gemma2", {{"score-scale", "0.0625"}, {"score-cap", "50"}, {"logit-cap", "30"}}}};
    gemma.rules = {llama_names(), kGemma2, gguf_names()};
    gemma.read_config = read_gemma2;
    return gemma;
  }();
  return family;
}

const Family& gemma3_family() {
  static const Family family = [] {
    Family gemma = family_of_all();
    gemma.name = "gemma3_text";
    gemma.model_types = {{"gemma3_text", {{"score-scale", "0.0625"}}}};
    gemma.rules = {llama_names(), kGemma2, kGemma3};
    // The base is one for each kind of layers.
    std::erase_if(gemma.spellings, [](const FactSpelling& row) { return row.fact == "rope-base"; });
    gemma.read_config = read_gemma3;
    return gemma;
  }();
  return family;
}

}  // namespace sb3lm
