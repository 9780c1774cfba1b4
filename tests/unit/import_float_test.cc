// Float safetensors with a config.json, in Hugging Face's names: whole, in shards, and broken. The
// numbers are judged by tests/torch/forward.py, which reads the same files on its own.
#include <doctest/doctest.h>

#include "base/error.h"
#include "import/import.h"
#include "import/shards.h"
#include "support/fixtures.h"
#include "support/hf_files.h"

using namespace sb3lm;
using test::fixture_error;
using test::HfFiles;

namespace {

constexpr double kTolerance = 1e-12;  // of the largest logit: both sides round in double

test::Fixture expected_logits(const std::string& kind) {
  return test::fixture_cases("tiny-" + kind).at(0);
}

}  // namespace

TEST_CASE("Llama, Mixtral and Qwen2-MoE compute what an independent program computes") {
  for (const std::string kind : {"llama", "mixtral", "qwen2_moe"}) {
    CAPTURE(kind);
    CHECK(fixture_error(HfFiles(kind).read(), expected_logits(kind)) < kTolerance);
  }
}

TEST_CASE("the parts that tell the families apart change the logits") {
  HfFiles gated("qwen2_moe");
  for (const char* bias : {"q", "k", "v"}) {
    TensorToWrite& tensor =
        gated.weights.at(std::string("model.layers.0.self_attn.") + bias + "_proj.bias");
    tensor.bytes.assign(tensor.bytes.size(), '\0');
    CHECK(fixture_error(gated.read(), expected_logits("qwen2_moe")) > 1e-3);
    gated = HfFiles("qwen2_moe");
  }
  TensorToWrite& gate = gated.weights.at("model.layers.1.mlp.shared_expert_gate.weight");
  gate.bytes.assign(gate.bytes.size(), '\0');
  CHECK(fixture_error(gated.read(), expected_logits("qwen2_moe")) > 1e-3);
  CHECK(fixture_error(HfFiles("qwen2_moe").read({{"router-norm", "chosen"}}),
                      expected_logits("qwen2_moe")) > 1e-3);
}

TEST_CASE("what the config leaves out is what the family's own programs assume") {
  HfFiles llama("llama"), mixtral("mixtral"), qwen("qwen2_moe");
  for (HfFiles* files : {&llama, &mixtral, &qwen}) {
    for (const char* field : {"rms_norm_eps", "rope_theta", "num_experts_per_tok"}) {
      files->config.erase(field);
    }
    files->config.erase("norm_topk_prob");
  }
  CHECK(llama.read().spec.norm_eps == 1e-6);
  CHECK(llama.read().spec.layers[0].attention.rope.base == 10000);
  const ModelSpec spec = mixtral.read().spec;
  CHECK(spec.norm_eps == 1e-5);
  CHECK(spec.layers[0].attention.rope.base == 1e6);
  CHECK(spec.layers[0].feed_forward.top_k == 2);
  CHECK(qwen.read().spec.layers[0].feed_forward.top_k == 4);
  CHECK(qwen.read().spec.layers[0].feed_forward.router_norm == RouterNorm::all);
}

TEST_CASE("newer spellings, and settings that change nothing, are understood") {
  HfFiles files("llama");
  files.config.erase("rope_theta");
  files.config["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 500.0}};
  files.config["sliding_window"] = 32;  // as long as the context
  files.config["partial_rotary_factor"] = 1.0;
  files.weights.tensors.push_back(
      {"model.layers.0.self_attn.rotary_emb.inv_freq", "F32", {2}, std::string(8, '\0')});
  CHECK(fixture_error(files.read(), expected_logits("llama")) < kTolerance);
}

TEST_CASE("a head that repeats the embedding is tied") {
  HfFiles files("llama");
  TensorToWrite head = files.weights.at("model.embed_tokens.weight");
  head.name = "lm_head.weight";
  files.weights.tensors.push_back(head);
  CHECK(files.read().spec.tied_head);
  files.weights.at("lm_head.weight").bytes[1] ^= 1;
  CHECK_THROWS_WITH_AS(
      files.read(), doctest::Contains("config.json: tie_word_embeddings is true, but the tensors"),
      Error);
  files.config["tie_word_embeddings"] = false;
  CHECK_FALSE(files.read().spec.tied_head);
}

TEST_CASE("what we cannot express is refused by the name of its field") {
  struct Case {
    const char* kind;
    Json change;
    const char* message;
    Fault fault = Fault::unsupported;
  };
  const Case cases[] = {
      {"llama", {{"model_type", "bloom"}}, "config.json: model_type 'bloom' is not supported"},
      {"llama", {{"hidden_act", "quick_gelu"}}, "hidden_act \"quick_gelu\" is not supported"},
      {"llama",
       {{"rope_scaling", {{"type", "dynamic"}, {"factor", 2}}}},
       "rope_scaling of type \"dynamic\""},
      {"llama", {{"rope_scaling", {{"factor", 2}}}}, "rope_scaling with a factor"},
      {"llama", {{"rope_parameters", {{"rope_type", "yarn"}}}}, "rope_parameters of type \"yarn\""},
      {"llama", {{"rope_scaling", 3}}, "rope_scaling is not an object", Fault::bad_input},
      {"llama", {{"partial_rotary_factor", 0.5}}, "partial_rotary_factor 0.5 is not supported"},
      {"llama", {{"clip_qkv", 8}}, "clip_qkv 8 is not supported"},
      {"llama", {{"quantization_config", Json::object()}}, "quantization_config is set"},
      {"llama", {{"sliding_window", 16}}, "sliding_window 16 is shorter than the context of 32"},
      {"llama",
       {{"hidden_size", 32}},
       "hidden_size is 32, but the tensors of tiny.safetensors "
       "show 16",
       Fault::bad_input},
      {"llama", {{"num_hidden_layers", 3}}, "num_hidden_layers is 3", Fault::bad_input},
      {"mixtral", {{"num_local_experts", 8}}, "num_local_experts is 8", Fault::bad_input},
      {"qwen2_moe", {{"moe_intermediate_size", 8}}, "moe_intermediate_size is 8", Fault::bad_input},
      {"llama", {{"tie_word_embeddings", false}}, "tie_word_embeddings is false", Fault::bad_input},
      {"llama", {{"num_attention_heads", "many"}}, "'heads' cannot be 'many'", Fault::bad_input},
  };
  for (const Case& refused : cases) {
    HfFiles files(refused.kind);
    files.config.update(refused.change);
    CAPTURE(refused.change.dump());
    try {
      files.read();
      FAIL("it was read");
    } catch (const Error& problem) {
      CHECK(problem.fault == refused.fault);
      CHECK(std::string_view(problem.what()).starts_with("config.json: "));
      CHECK(std::string_view(problem.what()).find(refused.message) != std::string_view::npos);
    }
  }
}

TEST_CASE("a convention may stay inside a sliding window") {
  HfFiles files("llama");
  files.config["sliding_window"] = 16;
  CHECK(files.read({{"context", "16"}}).spec.context == 16);
}

TEST_CASE("a bias that only some layers' projections have is missed by name") {
  HfFiles files("qwen2_moe");
  files.weights.remove("model.layers.1.self_attn.k_proj.bias");
  CHECK_THROWS_WITH_AS(files.read(), "tiny.safetensors: no tensor for layer 1 k_bias", Error);
}

namespace {

/// The checkpoint's tensors dealt to two files, and the index that says where each is.
struct Shards {
  std::string index;
  std::string parts[2];

  explicit Shards(const HfFiles& files) {
    std::vector<TensorToWrite> tensors[2];
    Json map = Json::object();
    for (std::size_t i = 0; i < files.weights.tensors.size(); ++i) {
      tensors[i % 2].push_back(files.weights.tensors[i]);
      map[files.weights.tensors[i].name] = name(i % 2);
    }
    index = Json{{"weight_map", map}}.dump();
    for (int i = 0; i < 2; ++i) parts[i] = write_safetensors(tensors[i], {{"format", "pt"}});
  }

  static std::string name(std::size_t part) { return fmt::format("part-{}.safetensors", part + 1); }

  Model read(const Json& config, std::size_t count = 2) const {
    const std::string json = config.dump();
    CheckpointFiles in{.checkpoint = {"a/model.safetensors.index.json", as_bytes(index)}};
    for (std::size_t i = 0; i < count; ++i) {
      in.shards.push_back({"a/" + name(i), as_bytes(parts[i])});
    }
    in.config = NamedBytes{"config.json", as_bytes(json)};
    SilentProgress silent;
    return import_from_memory(in, {}, silent);
  }
};

}  // namespace

TEST_CASE("shards are the same model") {
  const HfFiles files("mixtral");
  const Shards shards(files);
  CHECK(shard_names("i", shards.index) ==
        std::vector<std::string>{"part-1.safetensors", "part-2.safetensors"});
  CHECK(fixture_error(shards.read(files.config), expected_logits("mixtral")) < kTolerance);
}

TEST_CASE("shards and index that contradict each other") {
  const HfFiles files("mixtral");
  Shards shards(files);
  CHECK_THROWS_WITH_AS(shards.read(files.config, 1), doctest::Contains("is not in part-2"), Error);
  std::swap(shards.parts[0], shards.parts[1]);
  CHECK_THROWS_WITH_AS(shards.read(files.config), doctest::Contains("is not there according to"),
                       Error);
  for (const char* index :
       {"{}", "[]", R"({"weight_map":{}})", R"({"weight_map":{"a":3}})",
        R"({"weight_map":{"a":"../b"}})", R"({"weight_map":{"a":".."}})",
        R"({"weight_map":{"a":"/etc/b"}})", R"({"weight_map":{"a":"b\u0000"}})", "{"}) {
    CAPTURE(index);
    CHECK_THROWS_AS(shard_names("i", index), Error);
  }
}
