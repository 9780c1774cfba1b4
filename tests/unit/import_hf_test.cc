// What the files of Hugging Face's small families may say, and how they may be stored. Numbers are
// judged by hf_fixture_test.cc.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "import/checkpoint_out.h"
#include "import/import.h"
#include "model/fingerprint.h"
#include "support/fixtures.h"
#include "support/hf_files.h"

using namespace sb3lm;
using test::HfFiles;

namespace {

std::vector<int> windows(const Model& model) {
  std::vector<int> all;
  for (const LayerSpec& layer : model.spec.layers) all.push_back(layer.attention.window);
  return all;
}

const AttentionSpec& attention(const Model& model, std::size_t layer = 0) {
  return model.spec.layers.at(layer).attention;
}

/// Reads the fixture with fields of its config changed, and others taken out.
Model read_with(const std::string& kind, const Json& change,
                const std::vector<std::string>& without = {}) {
  HfFiles files(kind);
  if (!change.is_null()) files.config.update(change);
  for (const std::string& field : without) files.config.erase(field);
  return files.read();
}

struct Refused {
  const char* kind;
  Json change;
  const char* message;
  Fault fault = Fault::unsupported;
};

void check_refused(const Refused& refused) {
  CAPTURE(refused.kind);
  CAPTURE(refused.change.dump());
  try {
    read_with(refused.kind, refused.change);
    FAIL("it was read");
  } catch (const Error& problem) {
    CAPTURE(problem.what());
    CHECK(problem.fault == refused.fault);
    CHECK(std::string_view(problem.what()).starts_with("config.json: "));
    CHECK(std::string_view(problem.what()).find(refused.message) != std::string_view::npos);
  }
}

}  // namespace

TEST_CASE("GPT-2 with a prefix, with a head that repeats the embedding, and without masks") {
  HfFiles files("gpt2");
  const Model plain = files.read();
  CHECK(plain.spec.tied_head);
  CHECK(plain.spec.learned_positions == 16);
  CHECK(plain.spec.norm == NormKind::layer);
  CHECK_FALSE(plain.spec.layers[0].feed_forward.gated);
  for (TensorToWrite& tensor : files.weights.tensors) tensor.name = "transformer." + tensor.name;
  TensorToWrite head = files.weights.at("transformer.wte.weight");
  head.name = "lm_head.weight";
  files.weights.tensors.push_back(head);
  files.weights.remove("transformer.h.0.attn.bias");
  files.weights.remove("transformer.h.1.attn.bias");
  const Model other = files.read();
  CHECK(other.spec == plain.spec);
  CHECK(model_fingerprint(other) == model_fingerprint(plain));
}

TEST_CASE("masks and the score behind them are no weights, but only in their shapes") {
  HfFiles files("gpt2");
  files.add("h.0.attn.masked_bias", "F32", {});
  files.add("h.1.attn.masked_bias", "F32", {1});
  files.add("h.0.attention.bias", "BOOL", {1, 1, 3, 3});
  files.read();
  files.add("h.0.attention.masked_bias", "F32", {2});
  CHECK_THROWS_WITH_AS(files.read(), doctest::Contains("'h.0.attention.masked_bias' [1, 2]"),
                       Error);
  files.weights.tensors.pop_back();
  files.add("h.1.attention.bias", "F32", {1, 2, 3, 3});
  CHECK_THROWS_WITH_AS(files.read(), doctest::Contains("tensor 'h.1.attention.bias': rank 4"),
                       Error);
}

TEST_CASE("without biases of norms a LayerNorm has none, and is refused by name") {
  HfFiles files("gpt2");
  files.weights.remove("h.1.ln_2.bias");
  CHECK_THROWS_WITH_AS(files.read(), "tiny.safetensors: no tensor for layer 1 ffn_norm_bias",
                       Error);
}

TEST_CASE("positions beyond the context that is asked for are dropped, and come out again") {
  HfFiles files("gpt2");
  const Model whole = files.read(), cut = files.read({{"context", "10"}});
  CHECK(cut.spec.learned_positions == 10);
  const auto& kept = std::get<FloatTensor>(cut.at({Role::position_embedding}));
  const auto& all = std::get<FloatTensor>(whole.at({Role::position_embedding}));
  CHECK(kept.shape == Shape{10, 16});
  CHECK(std::equal(kept.values.begin(), kept.values.end(), all.values.begin()));
  CHECK_THROWS_WITH_AS(files.read({{"context", "17"}}),
                       doctest::Contains("context 17 is more than the 16 learned positions"),
                       Error);
  SilentProgress silent;
  for (const Model& model : {whole, cut}) {
    const std::string bytes = write_checkpoint(model, silent).checkpoint;
    const Model again =
        import_from_memory({.checkpoint = {"again.safetensors", as_bytes(bytes)}}, {}, silent);
    CHECK(again.spec.learned_positions == model.spec.learned_positions);
    CHECK(model_fingerprint(again) == model_fingerprint(model));
  }
}

TEST_CASE("scaled RoPE, in both spellings") {
  const RopeSpec linear = attention(HfFiles("llama-linear").read()).rope;
  CHECK(linear.scaling == RopeScaling::linear);
  CHECK(linear.scaling_factor == 2.5);
  const RopeSpec llama3 = attention(HfFiles("llama-llama3").read()).rope;
  CHECK(llama3.scaling == RopeScaling::llama3);
  CHECK(llama3.base == 10000);
  CHECK(llama3.high_frequency == 1);
  CHECK(llama3.original_positions == 16);
  const RopeSpec both =
      attention(read_with("llama-linear",
                          {{"rope_scaling",
                            {{"type", "linear"}, {"rope_type", "linear"}, {"factor", 4}}}}))
          .rope;
  CHECK(both.scaling_factor == 4);
  CHECK(attention(read_with("llama-linear", {{"rope_scaling", nullptr}})).rope.scaling ==
        RopeScaling::none);
}

TEST_CASE("RoPE on a part of each head") {
  CHECK(attention(HfFiles("gpt_neox").read()).rope.dims == 4);
  CHECK(attention(read_with("gpt_neox", {}, {"rotary_pct"})).rope.dims == 2);
  CHECK(attention(read_with("gpt_neox", {{"rotary_pct", 1}})).rope.dims == 8);
  const Json inside = {
      {"rope_parameters",
       {{"rope_type", "default"}, {"rope_theta", 50}, {"partial_rotary_factor", 0.75}}}};
  const RopeSpec newer = attention(read_with("gpt_neox", inside, {"rotary_pct"})).rope;
  CHECK(newer.dims == 6);
  CHECK(newer.base == 50);
  CHECK(attention(read_with("phi", {}, {"partial_rotary_factor"})).rope.dims == 4);
}

TEST_CASE("windows of Mistral are on every layer, and 4096 where nothing is said") {
  CHECK(windows(HfFiles("mistral").read()) == std::vector{4, 4});
  CHECK(windows(read_with("mistral", {{"sliding_window", nullptr}})) == std::vector{0, 0});
  CHECK(windows(read_with("mistral", {}, {"sliding_window"})) == std::vector{0, 0});
  CHECK(windows(read_with("mistral", {{"max_position_embeddings", 8192}}, {"sliding_window"})) ==
        std::vector{4096, 4096});
  CHECK(windows(read_with("mistral", {{"sliding_window", 32}})) == std::vector{0, 0});
  CHECK(windows(read_with("mixtral", {{"sliding_window", 16}})) == std::vector{16, 16});
}

TEST_CASE("windows of other families") {
  const std::string kind = "gemma2";
  CHECK(windows(HfFiles(kind).read()) == std::vector{4, 0, 4});
  const Json types = {{"layer_types", {"full_attention", "sliding_attention", "full_attention"}}};
  CHECK(windows(read_with(kind, types)) == std::vector{0, 4, 0});
  Json late = {{"sliding_window", 8}, {"max_window_layers", 1}};
  CHECK(windows(read_with("qwen3", late)) == std::vector{0, 0});
  late["use_sliding_window"] = true;
  CHECK(windows(read_with("qwen3", late)) == std::vector{0, 8});
  const Json sliding = {{"use_sliding_window", true}, {"sliding_window", 8}};
  CHECK(windows(read_with("smollm3", sliding)) == std::vector{0, 0, 0, 8});
}

TEST_CASE("Gemma 3's layers that slide have a RoPE of their own") {
  const auto bases = [](const Model& model) {
    std::vector<double> all;
    for (const LayerSpec& layer : model.spec.layers) all.push_back(layer.attention.rope.base);
    return all;
  };
  CHECK(bases(HfFiles("gemma3").read()) == std::vector<double>{500, 500, 1e6});
  CHECK(bases(read_with("gemma3", {}, {"rope_theta", "rope_local_base_freq"})) ==
        std::vector<double>{1e4, 1e4, 1e6});
  const Json types = {{"layer_types", {"full_attention", "sliding_attention", "full_attention"}}};
  CHECK(bases(read_with("gemma3", types)) == std::vector<double>{1e6, 500, 1e6});
  CHECK(windows(read_with("gemma3", types)) == std::vector{0, 4, 0});
  CHECK(windows(read_with("gemma3", {}, {"sliding_window_pattern"})) == std::vector{4, 4, 4});
}

TEST_CASE("OPT's positions begin in row 2, and OPT behind another prefix is the same") {
  HfFiles files("opt");
  const Model plain = files.read();
  CHECK(plain.spec.learned_positions == 16);
  const std::size_t prefix = std::string_view("model.decoder.").size();
  for (TensorToWrite& tensor : files.weights.tensors) {
    tensor.name = "decoder." + tensor.name.substr(prefix);
  }
  CHECK(model_fingerprint(files.read()) == model_fingerprint(plain));
  const Model cut = files.read({{"context", "5"}});
  CHECK(shape_of(cut.at({Role::position_embedding})).rows == 5);
  CHECK(weight_at(cut.at({Role::position_embedding}), 4, 3) ==
        weight_at(plain.at({Role::position_embedding}), 4, 3));
}

TEST_CASE("SmolLM3 without a list of layers leaves out every fourth") {
  const auto has_rope = [](const Model& model) {
    std::vector<bool> all;
    for (const LayerSpec& layer : model.spec.layers) {
      all.push_back(layer.attention.rope.layout != RopeLayout::none);
    }
    return all;
  };
  CHECK(has_rope(read_with("smollm3", {}, {"no_rope_layers"})) ==
        std::vector{true, true, true, false});
  CHECK(has_rope(read_with("smollm3", {{"no_rope_layer_interval", 2}}, {"no_rope_layers"})) ==
        std::vector{true, false, true, false});
}

TEST_CASE("Gemma 2's caps and scale, said, null and left out") {
  const Model said = HfFiles("gemma2").read();
  CHECK(said.spec.logit_cap == 30);
  CHECK(attention(said).score_cap == 5);
  CHECK(attention(said).score_scale == 1 / std::sqrt(10.0));
  CHECK(said.spec.embedding_scale == 4);
  const std::vector<std::string> fields = {"attn_logit_softcapping", "final_logit_softcapping",
                                           "query_pre_attn_scalar"};
  const Model silent = read_with("gemma2", {}, fields);
  CHECK(attention(silent).score_cap == 50);
  CHECK(attention(silent).score_scale == 1.0 / 16);
  const Model none = read_with(
      "gemma2", {{"attn_logit_softcapping", nullptr}, {"final_logit_softcapping", nullptr}});
  CHECK(none.spec.logit_cap == 0);
  CHECK(attention(none).score_cap == 0);
}

TEST_CASE("Gemma's older field for its activation counts where the newer one is missing") {
  const auto bent = [](const Model& model) { return model.spec.layers[0].feed_forward.activation; };
  CHECK(bent(HfFiles("gemma").read()) == Activation::gelu_tanh);
  CHECK(bent(read_with("gemma", {{"hidden_activation", nullptr}})) == Activation::gelu);
  CHECK(bent(read_with("gemma", {}, {"hidden_act", "hidden_activation"})) == Activation::gelu_tanh);
}

TEST_CASE("GPT-2's scores without division") {
  CHECK(attention(read_with("gpt2", {{"scale_attn_weights", false}})).score_scale == 1);
}

TEST_CASE("biases that newer or rarer files of Llama have") {
  HfFiles files("llama");
  files.config["attention_bias"] = true;
  for (int layer = 0; layer < 2; ++layer) {
    const std::string stem = fmt::format("model.layers.{}.self_attn.", layer);
    files.add(stem + "q_proj.bias", "F16", {16});
    files.add(stem + "k_proj.bias", "F16", {8});
    files.add(stem + "v_proj.bias", "F16", {8});
    files.add(stem + "o_proj.bias", "F16", {16});
  }
  CHECK(attention(files.read()).o_bias);
}

TEST_CASE("what these families cannot have is refused by the name of its field") {
  const Refused all[] = {
      {"llama-linear",
       {{"rope_scaling", {{"type", "linear"}}}},
       "rope_scaling has no factor",
       Fault::bad_input},
      {"llama-llama3",
       {{"rope_parameters", {{"rope_type", "llama3"}, {"factor", 8}}}},
       "rope_parameters has no low_freq_factor",
       Fault::bad_input},
      {"llama-linear",
       {{"rope_scaling", {{"type", "longrope"}, {"factor", 2}}}},
       "rope_scaling of type \"longrope\" is not supported"},
      {"llama-linear",
       {{"rope_scaling", {{"type", "linear"}, {"rope_type", "default"}, {"factor", 2}}}},
       "rope_scaling is of type \"default\" and of type \"linear\"",
       Fault::bad_input},
      {"gemma2",
       {{"rope_parameters", {{"full_attention", {{"rope_theta", 1e6}}}}}},
       "RoPE of its own for full_attention is not supported"},
      {"gpt_neox", {{"rotary_pct", 1.5}}, "rotary_pct 1.5 is no part", Fault::bad_input},
      {"gpt_neox", {{"rotary_pct", "half"}}, "is not a number", Fault::bad_input},
      {"gemma2",
       {{"layer_types", {"full_attention"}}},
       "layer_types has 1 entries",
       Fault::bad_input},
      {"gemma2",
       {{"layer_types", {"full_attention", "chunked_attention", "full_attention"}}},
       "layer_types: \"chunked_attention\" is not supported"},
      {"gemma2", {{"query_pre_attn_scalar", 0}}, "is no number above 0", Fault::bad_input},
      {"gemma", {{"final_logit_softcapping", 30}}, "final_logit_softcapping 30 is not supported"},
      {"gpt2", {{"scale_attn_by_inverse_layer_idx", true}}, "is not supported"},
      {"gpt2", {{"n_layer", 3}}, "n_layer is 3, but the tensors show 2", Fault::bad_input},
      {"gpt2", {{"n_inner", 32}}, "n_inner is 32, but the tensors show 64", Fault::bad_input},
      {"opt", {{"do_layer_norm_before", false}}, "do_layer_norm_before false is not supported"},
      {"gemma3",
       {{"rope_scaling", {{"rope_type", "linear"}, {"factor", 8}}}},
       "rope_scaling is not supported in gemma3_text"},
      {"phi", {{"qk_layernorm", true}}, "qk_layernorm true is not supported"},
      {"phi",
       {{"tie_word_embeddings", true}},
       "tie_word_embeddings is true, but the tensors",
       Fault::bad_input},
      {"mistral", {{"sliding_window", -1}}, "sliding_window is -1", Fault::bad_input},
      {"qwen3", {{"model_type", "mpt"}}, "model_type 'mpt' is not supported: it needs ALiBi"},
  };
  for (const Refused& refused : all) check_refused(refused);
}
