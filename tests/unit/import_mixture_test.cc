// Mixtures of experts whose program is not known: one model in the spellings that such programs
// use, described by config.json and the shapes of its tensors.
#include <doctest/doctest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "import/import.h"
#include "support/checkpoint_writer.h"
#include "support/random_model.h"

using namespace sb3lm;
using Json = nlohmann::ordered_json;

namespace {

constexpr int kWidth = 24, kHidden = 20, kDenseHidden = 28, kVocabulary = 16;

/// Three layers: a mixture, a dense block, a mixture, each with KV heads of its own; the last one
/// has no RoPE.
ModelSpec base_spec(bool gated) {
  ModelSpec spec{
      .width = kWidth, .vocabulary = kVocabulary, .context = 32, .layers = {}, .passes = {0, 1, 2}};
  for (int id = 0; id < 3; ++id) {
    LayerSpec layer{.id = id};
    layer.attention = {.query_heads = 6,
                       .kv_heads = id == 0   ? 2
                                   : id == 1 ? 6
                                             : 3,
                       .head_size = 4,
                       .rope = {.layout = RopeLayout::half_split, .base = 5000, .dims = 4}};
    if (id == 2) layer.attention.rope = {};
    layer.feed_forward = {.hidden = kHidden, .routed_experts = 3, .top_k = 2, .gated = gated};
    if (id == 1) layer.feed_forward = {.hidden = kDenseHidden, .gated = gated};
    spec.layers.push_back(layer);
  }
  return spec;
}

/// What a program calls things; L and E stand for numbers.
struct Spelling {
  const char* name;
  std::map<Role, std::string> of;
};

std::map<Role, std::string> with(std::map<Role, std::string> first,
                                 const std::map<Role, std::string>& more) {
  for (const auto& [role, name] : more) first.insert_or_assign(role, name);
  return first;
}

const std::map<Role, std::string> kHuggingFace = {
    {Role::embedding, "model.embed_tokens.weight"},
    {Role::head, "lm_head.weight"},
    {Role::final_norm, "model.norm.weight"},
    {Role::attention_norm, "model.layers.L.input_layernorm.weight"},
    {Role::ffn_norm, "model.layers.L.post_attention_layernorm.weight"},
    {Role::q, "model.layers.L.self_attn.q_proj.weight"},
    {Role::k, "model.layers.L.self_attn.k_proj.weight"},
    {Role::v, "model.layers.L.self_attn.v_proj.weight"},
    {Role::o, "model.layers.L.self_attn.o_proj.weight"},
    {Role::gate, "model.layers.L.mlp.gate_proj.weight"},
    {Role::up, "model.layers.L.mlp.up_proj.weight"},
    {Role::down, "model.layers.L.mlp.down_proj.weight"},
    {Role::router, "model.layers.L.mlp.gate.weight"},
    {Role::expert_gate, "model.layers.L.mlp.experts.E.gate_proj.weight"},
    {Role::expert_up, "model.layers.L.mlp.experts.E.up_proj.weight"},
    {Role::expert_down, "model.layers.L.mlp.experts.E.down_proj.weight"},
};

const std::map<Role, std::string> kOwnCode = {
    {Role::embedding, "backbone.tok_emb.weight"},
    {Role::head, "head.weight"},
    {Role::final_norm, "backbone.final_norm.weight"},
    {Role::attention_norm, "backbone.blocks.L.norm1.weight"},
    {Role::ffn_norm, "backbone.blocks.L.norm2.weight"},
    {Role::q, "backbone.blocks.L.attn.wq.weight"},
    {Role::k, "backbone.blocks.L.attn.wk.weight"},
    {Role::v, "backbone.blocks.L.attn.wv.weight"},
    {Role::o, "backbone.blocks.L.attn.out_proj.weight"},
    {Role::gate, "backbone.blocks.L.ffn.w1.weight"},
    {Role::up, "backbone.blocks.L.ffn.w2.weight"},
    {Role::down, "backbone.blocks.L.ffn.w3.weight"},
    {Role::router, "backbone.blocks.L.moe.router.weight"},
    {Role::expert_gate, "backbone.blocks.L.moe.experts.E.w1.weight"},
    {Role::expert_up, "backbone.blocks.L.moe.experts.E.w2.weight"},
    {Role::expert_down, "backbone.blocks.L.moe.experts.E.w3.weight"},
};

std::vector<Spelling> gated_spellings() {
  return {{"Qwen2-MoE", kHuggingFace},
          {"Mixtral",
           with(kHuggingFace,
                {{Role::router, "model.layers.L.block_sparse_moe.gate.weight"},
                 {Role::expert_gate, "model.layers.L.block_sparse_moe.experts.E.w1.weight"},
                 {Role::expert_up, "model.layers.L.block_sparse_moe.experts.E.w3.weight"},
                 {Role::expert_down, "model.layers.L.block_sparse_moe.experts.E.w2.weight"}})},
          {"own code", kOwnCode}};
}

std::vector<Spelling> plain_spellings() {
  return {{"fc1, fc2",
           with(kHuggingFace, {{Role::up, "transformer.h.L.mlp.c_fc.weight"},
                               {Role::down, "transformer.h.L.mlp.c_proj.weight"},
                               {Role::expert_up, "model.layers.L.mlp.experts.E.fc1.weight"},
                               {Role::expert_down, "model.layers.L.mlp.experts.E.fc2.weight"}})},
          {"w1, w2",
           with(kOwnCode, {{Role::up, "backbone.blocks.L.ffn.w1.weight"},
                           {Role::down, "backbone.blocks.L.ffn.w2.weight"},
                           {Role::expert_up, "backbone.blocks.L.moe.experts.E.w1.weight"},
                           {Role::expert_down, "backbone.blocks.L.moe.experts.E.w2.weight"}})},
          {"sequential",
           with(kOwnCode, {{Role::up, "backbone.blocks.L.ffn.net.0.weight"},
                           {Role::down, "backbone.blocks.L.ffn.net.2.weight"},
                           {Role::router, "backbone.blocks.L.moe.gate.weight"},
                           {Role::expert_up, "backbone.blocks.L.moe.experts.E.0.weight"},
                           {Role::expert_down, "backbone.blocks.L.moe.experts.E.2.weight"}})}};
}

std::string name_of(const Spelling& spelling, const TensorKey& key) {
  std::string name;
  for (const char c : spelling.of.at(key.role)) {
    name += c == 'L'   ? fmt::format("{}", key.layer)
            : c == 'E' ? fmt::format("{}", key.expert)
                       : std::string(1, c);
  }
  return name;
}

std::string float_bytes(const Tensor& tensor) {
  const Shape shape = shape_of(tensor);
  std::vector<float> values;
  for (int row = 0; row < shape.rows; ++row) {
    for (int col = 0; col < shape.cols; ++col) {
      values.push_back(static_cast<float>(weight_at(tensor, row, col)));
    }
  }
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

TensorToWrite written(const std::string& name, const Tensor& tensor, bool is_vector) {
  const Shape shape = shape_of(tensor);
  std::vector<std::int64_t> extents = {shape.rows, shape.cols};
  if (is_vector) extents.erase(extents.begin());
  return {name, "F32", extents, float_bytes(tensor)};
}

/// A model and its files, which a test may change.
struct Files {
  explicit Files(const ModelSpec& spec, const Spelling& spelling = gated_spellings()[0])
      : model(test::random_model(spec, {0}, 7)) {
    for (const auto& [key, tensor] : model.tensors) {
      tensors.push_back(written(name_of(spelling, key), tensor, is_vector(key.role)));
    }
    config = {{"model_type", "slimmoe"},
              {"architectures", {"SlimMoEForCausalLM"}},
              {"hidden_size", kWidth},
              {"num_hidden_layers", 3},
              {"num_attention_heads", 6},
              {"vocab_size", kVocabulary},
              {"max_position_embeddings", 32},
              {"intermediate_size", kHidden},
              {"num_experts", 3},
              {"num_experts_per_tok", 2},
              {"hidden_act", "silu"},
              {"rms_norm_eps", 1e-5},
              {"rope_theta", 5000.0},
              {"no_rope_layers", {1, 1, 0}},
              {"norm_topk_prob", true},
              {"dropout", 0.1},
              {"torch_dtype", "float32"},
              {"eos_token_id", 1},
              {"router_aux_loss_coef", 0.01}};
  }

  Model read(const std::map<std::string, std::string>& conventions = {}) const {
    const std::string bytes = write_safetensors(tensors, {}), json = config.dump();
    SilentProgress silent;
    return import_from_memory({.checkpoint = {"m.safetensors", as_bytes(bytes)},
                               .config = NamedBytes{"config.json", as_bytes(json)}},
                              conventions, silent);
  }

  TensorToWrite& at(const std::string& name) {
    for (TensorToWrite& tensor : tensors) {
      if (tensor.name == name) return tensor;
    }
    fail(Fault::bug, "the test's checkpoint has no tensor '{}'", name);
  }

  Model model;
  std::vector<TensorToWrite> tensors;
  Json config;
};

/// Reading gives the model that was written.
void check_same(const Model& read, const Files& files) {
  ModelSpec spec = read.spec;
  CHECK(spec.family == "slimmoe");
  spec.family = files.model.spec.family;
  CHECK(spec == files.model.spec);
  REQUIRE(read.tensors.size() == files.model.tensors.size());
  for (const auto& [key, tensor] : files.model.tensors) {
    CAPTURE(tensor_key_text(key));
    CHECK(float_bytes(read.at(key)) == float_bytes(tensor));
  }
}

std::string error_of(const Files& files, Fault fault,
                     const std::map<std::string, std::string>& conventions = {}) {
  try {
    files.read(conventions);
  } catch (const Error& problem) {
    CHECK(problem.fault == fault);
    return problem.what();
  }
  return "no error";
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("experts of three matrices, in the spellings of several programs") {
  for (const Spelling& spelling : gated_spellings()) {
    CAPTURE(spelling.name);
    const Files files(base_spec(true), spelling);
    check_same(files.read(), files);
  }
}

TEST_CASE("experts of two matrices, in the spellings of several programs") {
  for (const Spelling& spelling : plain_spellings()) {
    CAPTURE(spelling.name);
    const Files files(base_spec(false), spelling);
    check_same(files.read(), files);
  }
}

TEST_CASE("a head of its own, or none") {
  ModelSpec spec = base_spec(true);
  spec.tied_head = false;
  Files files(spec);
  check_same(files.read(), files);
  files.config["tie_word_embeddings"] = true;
  CHECK(contains(error_of(files, Fault::bad_input), "tie_word_embeddings is true"));
}

TEST_CASE("a shared expert, gated or not") {
  for (const bool gated : {true, false}) {
    ModelSpec spec = base_spec(true);
    for (const std::size_t layer : {0, 2}) {
      FeedForwardSpec& ffn = spec.layers[layer].feed_forward;
      ffn.shared_experts = 1;
      ffn.shared_hidden = 12;
      ffn.shared_gated = gated;
    }
    Spelling spelling{
        "shared", with(kHuggingFace,
                       {{Role::shared_router, "model.layers.L.mlp.shared_expert_gate.weight"},
                        {Role::shared_gate, "model.layers.L.mlp.shared_expert.gate_proj.weight"},
                        {Role::shared_up, "model.layers.L.mlp.shared_expert.up_proj.weight"},
                        {Role::shared_down, "model.layers.L.mlp.shared_expert.down_proj.weight"}})};
    Files files(spec, spelling);
    check_same(files.read(), files);
    files.config["num_shared_experts"] = 0;
    CHECK(contains(error_of(files, Fault::bad_input),
                   "num_shared_experts is 0, but the tensors show a shared expert"));
  }
}

TEST_CASE("experts in one tensor, and gate and up in one") {
  Files files(base_spec(true));
  std::erase_if(files.tensors,
                [](const TensorToWrite& tensor) { return contains(tensor.name, ".experts."); });
  for (const int layer : {0, 2}) {
    const auto stack = [&](const char* name, std::initializer_list<Role> roles, int rows,
                           int cols) {
      std::string bytes;
      for (int expert = 0; expert < 3; ++expert) {
        for (const Role role : roles) bytes += float_bytes(files.model.at({role, layer, expert}));
      }
      files.tensors.push_back({fmt::format("model.layers.{}.mlp.experts.{}", layer, name),
                               "F32",
                               {3, rows, cols},
                               bytes});
    };
    stack("gate_up_proj", {Role::expert_gate, Role::expert_up}, 2 * kHidden, kWidth);
    stack("down_proj", {Role::expert_down}, kWidth, kHidden);
  }
  check_same(files.read(), files);
}

TEST_CASE("top-1, and both ways to weight the chosen") {
  ModelSpec spec = base_spec(true);
  for (const std::size_t layer : {0, 2}) {
    spec.layers[layer].feed_forward.top_k = 1;
    spec.layers[layer].feed_forward.router_norm = RouterNorm::all;
  }
  Files files(spec);
  files.config["norm_topk_prob"] = false;
  files.config.erase("num_experts_per_tok");
  CHECK(contains(error_of(files, Fault::bad_input), "nothing says how many experts run"));
  check_same(files.read({{"top-k", "1"}}), files);
  files.config["top_k"] = 50;  // sampling's
  files.config["num_experts_per_tok"] = 1;
  check_same(files.read(), files);
}

TEST_CASE("KV heads of each layer: by shapes alone, by a list, and a list that is wrong") {
  Files files(base_spec(true));
  for (const char* field : {"num_key_value_heads", "num_key_value_heads_per_layer"}) {
    files.config[field] = {2, 6, 3};
    check_same(files.read(), files);
    files.config[field] = {2, 6, 6};
    CHECK(
        contains(error_of(files, Fault::bad_input), "layer 2 k is [12, 24] but must be [24, 24]"));
    files.config[field] = {2, 6};
    CHECK(error_of(files, Fault::bad_input) ==
          "config.json: " + std::string(field) + " has 2 entries, but the tensors show 3 layers");
    files.config[field] = {2, "six", 3};
    CHECK(contains(error_of(files, Fault::bad_input), "\"six\" is not a whole number"));
    files.config.erase(field);
  }
  files.config["num_key_value_heads"] = 2;
  CHECK(contains(error_of(files, Fault::bad_input), "layer 1 k is [24, 24] but must be [8, 24]"));
}

TEST_CASE("layers without RoPE") {
  Files files(base_spec(true));
  files.config["no_rope_layers"] = {true, true, false};
  check_same(files.read(), files);
  files.config["no_rope_layers"] = {1, 1, 1};
  CHECK(files.read().spec.layers[2].attention.rope.layout == RopeLayout::half_split);
  files.config["no_rope_layers"] = {1, 1, 2};
  CHECK(contains(error_of(files, Fault::bad_input), "no_rope_layers: 2 is not 0 or 1"));
  files.config["no_rope_layers"] = {0, 0, 0};
  for (const LayerSpec& layer : files.read().spec.layers) {
    CHECK(layer.attention.rope == RopeSpec{});
  }
}

TEST_CASE("lists of layers count for Mixtral and Qwen2-MoE too") {
  Files files(base_spec(true));
  files.config["model_type"] = "qwen2_moe";
  files.config["num_key_value_heads"] = {2, 6, 3};
  Model read = files.read();
  read.spec.family = "slimmoe";
  check_same(read, files);
  CHECK(read.notes.empty());
}

TEST_CASE("activations") {
  ModelSpec spec = base_spec(false);
  for (LayerSpec& layer : spec.layers) layer.feed_forward.activation = Activation::relu2;
  Files files(spec, plain_spellings()[0]);
  files.config["hidden_act"] = "relu2";
  check_same(files.read(), files);
  files.config["hidden_act"] = "quick_gelu";
  CHECK(
      contains(error_of(files, Fault::unsupported), "hidden_act \"quick_gelu\" is not supported"));
}

TEST_CASE("what was assumed is told, and who says it is asked") {
  Files files(base_spec(true), gated_spellings()[2]);
  files.config.erase("rope_theta");
  files.config.erase("no_rope_layers");
  const Model model = files.read();
  REQUIRE(model.notes.size() == 2);
  CHECK(contains(model.notes[0], "w3 is what leads out"));
  CHECK(model.notes[1] ==
        "config.json: model_type 'slimmoe' is not known; its fields and the names of its tensors "
        "are read as those of a mixture of experts; assumed: rope=half-split, rope-base=10000, "
        "rope-sign=plus (--convention NAME=VALUE changes them)");
  CHECK(contains(files.read({{"rope-base", "500"}}).notes[1], "rope=half-split, rope-sign=plus ("));
}

TEST_CASE("fields and names that are not understood are refused") {
  struct Case {
    Json change;
    const char* message;
    Fault fault = Fault::unsupported;
  };
  const Case cases[] = {
      {{{"use_parallel_residual", true}}, "use_parallel_residual true is not understood"},
      {{{"layer_norm_eps", 1e-5}}, "layer_norm_eps 1e-05 is not understood"},
      {{{"rope_scaling", {{"type", "yarn"}}}}, "rope_scaling of type \"yarn\""},
      {{{"routed_scaling_factor", 2.5}}, "routed_scaling_factor 2.5 is not supported"},
      {{{"num_experts", 4}}, "num_experts is 4, but the tensors show 3", Fault::bad_input},
      {{{"intermediate_size", 99}}, "intermediate_size is 99", Fault::bad_input},
      {{{"num_hidden_layers", 4}}, "num_hidden_layers is 4", Fault::bad_input},
      {{{"hidden_size", 25}}, "hidden_size is 25", Fault::bad_input},
      {{{"sliding_window", 16}}, "sliding_window 16 is shorter"},
  };
  for (const Case& refused : cases) {
    Files files(base_spec(true));
    files.config.update(refused.change);
    CAPTURE(refused.change.dump());
    CHECK(contains(error_of(files, refused.fault), refused.message));
  }
  Files files(base_spec(true));
  files.config["intermediate_size"] = kDenseHidden;  // of the dense layer
  files.config["moe_intermediate_size"] = kHidden;
  check_same(files.read(), files);
  files.at("model.layers.0.self_attn.q_proj.weight").name = "model.layers.0.self_attn.rotor.weight";
  CHECK(contains(error_of(files, Fault::unsupported), "'model.layers.0.self_attn.rotor.weight'"));
  Files unknown(base_spec(true));
  unknown.config.erase("num_experts");
  CHECK(contains(error_of(unknown, Fault::unsupported), "model_type 'slimmoe' is not supported"));
}
