// The engine against tests/torch/forward.py: every position's logits of the two tiny checkpoints in
// tests/fixtures, under each convention that changes the forward pass.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"
#include "base/half.h"
#include "base/reader.h"
#include "import/safetensors.h"
#include "runtime_ref/engine.h"

using namespace sb3lm;
using nlohmann::json;

namespace {

constexpr double kTolerance = 1e-12;  // of the largest logit: both sides round in double
const std::string kFixtures = SB3LM_SOURCE_DIR "/tests/fixtures/";

json read_json(const std::string& name) {
  return json::parse(MappedFile(kFixtures + name).text());
}

/// The packed tensors of tiny-moe.safetensors, read without the importer: this test judges the
/// engine alone.
class PackedFile {
 public:
  explicit PackedFile(const std::string& path)
      : file_(path), container_(parse_safetensors(path, file_.bytes())) {}

  Tensor coded(const std::string& stem, int bits) const {
    const StoredTensor& scale = find(stem + "__scale");
    const StoredTensor* signs = container_.find(stem + "__bin");
    const StoredTensor& packed = signs != nullptr ? *signs : find(stem + "__int4");
    CodedTensor w;
    std::int32_t cols = 0;
    std::memcpy(&cols, find(stem + "__cols").bytes.data(), sizeof cols);
    w.shape = {static_cast<int>(scale.shape[0]), cols};
    w.format = CodeFormat::of_bits(bits);
    w.row_scale.resize(static_cast<std::size_t>(w.shape.rows));
    std::memcpy(w.row_scale.data(), scale.bytes.data(), scale.bytes.size());
    const auto row_bytes = static_cast<std::size_t>(packed.shape[1]);
    for (std::size_t r = 0; r < w.row_scale.size(); ++r) {
      for (std::size_t c = 0; c < static_cast<std::size_t>(cols); ++c) {
        const int byte = packed.bytes[r * row_bytes + c / (signs != nullptr ? 8 : 2)];
        const int code = signs != nullptr ? byte >> (7 - c % 8) & 1 : byte >> (c % 2 * 4) & 15;
        // Nibbles hold the value plus 8, also where only 3 bits are in use.
        w.codes.push_back(static_cast<std::uint8_t>(bits == 3 ? code - 4 : code));
      }
    }
    return w;
  }

  Tensor halves(const std::string& name) const {
    const StoredTensor& stored = find(name);
    FloatTensor w{{1, static_cast<int>(stored.shape.back())}, FloatType::f16, {}};
    if (stored.shape.size() == 2) w.shape.rows = static_cast<int>(stored.shape[0]);
    for (std::size_t i = 0; i < stored.bytes.size(); i += 2) {
      const int bits = stored.bytes[i] | stored.bytes[i + 1] << 8;
      w.values.push_back(static_cast<float>(half_to_double(static_cast<std::uint16_t>(bits))));
    }
    return w;
  }

 private:
  const StoredTensor& find(const std::string& name) const {
    const StoredTensor* found = container_.find(name);
    check(found != nullptr, name.c_str());
    return *found;
  }

  MappedFile file_;
  Container container_;
};

void read_layer(const PackedFile& file, Model& model, int layer) {
  const std::string stem = fmt::format("layers.{}.", model.spec.layers[layer].id);
  const auto put = [&](Role role, Tensor w, int expert = -1) {
    model.tensors[{role, layer, expert}] = std::move(w);
  };
  const int value_bits = layer == 1 ? 1 : 4;
  put(Role::attention_norm, file.halves(stem + "attn_norm"));
  put(Role::q, file.coded(stem + "attn.q", 4));
  put(Role::k, file.coded(stem + "attn.k", 4));
  put(Role::v, file.coded(stem + "attn.v", value_bits));
  put(Role::o, file.coded(stem + "attn.o", value_bits));
  put(Role::ffn_norm, file.halves(stem + "ffn_norm"));
  put(Role::router, file.halves(stem + "moe.router"));
  put(Role::shared_gate, file.coded(stem + "moe.shared.gate", 4));
  put(Role::shared_up, file.coded(stem + "moe.shared.up", 4));
  put(Role::shared_down, file.coded(stem + "moe.shared.down", 4));
  for (int e = 0; e < model.spec.layers[layer].feed_forward.routed_experts; ++e) {
    const std::string expert = fmt::format("{}moe.experts.{}.", stem, e);
    put(Role::expert_gate, file.coded(expert + "gate", 1), e);
    put(Role::expert_up, file.coded(expert + "up", 1), e);
    put(Role::expert_down, file.coded(expert + "down", 1), e);
  }
}

/// tiny-moe.safetensors with one case's conventions.
Model moe_model(const json& conventions) {
  Model model;
  model.spec = {.family = "ssmoelm",
                .width = 32,
                .vocabulary = 48,
                .context = 64,
                .norm_eps = conventions.value("eps", 1e-5)};
  const std::string layout = conventions.value("rope", "half_split");
  const RopeSpec rope{.layout = layout == "none"          ? RopeLayout::none
                                : layout == "interleaved" ? RopeLayout::interleaved
                                                          : RopeLayout::half_split,
                      .base = conventions.value("rope_base", 10000.0),
                      .dims = conventions.value("rope_dims", 8),
                      .sign = conventions.value("rope_sign", 1)};
  const bool all = conventions.value("router_norm", "chosen") == "all";
  const FeedForwardSpec mixture{.hidden = 20,
                                .routed_experts = 4,
                                .top_k = conventions.value("top_k", 2),
                                .shared_experts = 1,
                                .shared_hidden = 24,
                                .router_norm = all ? RouterNorm::all : RouterNorm::chosen};
  const PackedFile file(kFixtures + "tiny-moe.safetensors");
  for (const int id : {0, 1, 3}) {
    model.spec.layers.push_back({id, {4, 2, 8, rope}, mixture});
    read_layer(file, model, static_cast<int>(model.spec.layers.size()) - 1);
  }
  model.spec.passes = {0, 1, 1, 2};
  model.tensors[{Role::embedding}] = file.coded("embed", 3);
  model.tensors[{Role::final_norm}] = file.halves("norm");
  return model;
}

/// tiny-llama2c.bin (llama2.c version 0, untied head), read without the importer.
Model llama2c_model() {
  const MappedFile file(kFixtures + "tiny-llama2c.bin");
  Reader in("tiny-llama2c.bin", file.bytes());
  std::array<int, 7> header{};
  for (int& field : header) field = in.i32();
  const auto [width, hidden, depth, heads, kv_heads, vocabulary, context] = header;
  const int layers = depth;  // clang 14 does not capture structured bindings
  const int head_size = width / heads;
  Model model;
  model.spec = {.family = "llama2.c",
                .width = width,
                .vocabulary = -vocabulary,
                .context = context,
                .norm_eps = 1e-5,
                .tied_head = false};
  const auto read = [&](Role role, int layer, int rows, int cols) {
    FloatTensor w{{rows, cols}, FloatType::f32, {}};
    for (int i = 0; i < rows * cols; ++i) w.values.push_back(in.f32());
    model.tensors[{role, layer}] = std::move(w);
  };
  const auto read_all = [&](Role role, int rows, int cols) {
    for (int i = 0; i < layers; ++i) read(role, i, rows, cols);
  };
  for (int i = 0; i < layers; ++i) {
    const RopeSpec rope{RopeLayout::interleaved, 10000, head_size, 1};
    model.spec.layers.push_back({i, {heads, kv_heads, head_size, rope}, {.hidden = hidden}});
    model.spec.passes.push_back(i);
  }
  read(Role::embedding, -1, -vocabulary, width);
  read_all(Role::attention_norm, 1, width);
  read_all(Role::q, width, width);
  read_all(Role::k, kv_heads * head_size, width);
  read_all(Role::v, kv_heads * head_size, width);
  read_all(Role::o, width, width);
  read_all(Role::ffn_norm, 1, width);
  read_all(Role::gate, hidden, width);
  read_all(Role::down, width, hidden);
  read_all(Role::up, hidden, width);
  read(Role::final_norm, -1, 1, width);
  in.take(static_cast<std::uint64_t>(context) * static_cast<std::uint64_t>(head_size) * 4);
  read(Role::head, -1, -vocabulary, width);
  CHECK(in.remaining() == 0);
  return model;
}

/// The largest |difference| over the largest |logit|, over every position of the case.
double relative_error(const Model& model, const json& fixture) {
  Engine engine(model);
  double difference = 0;
  double largest = 0;
  const json& rows = fixture.at("logits");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto logits = engine.step(fixture.at("tokens")[i].get<int>());
    REQUIRE(logits.size() == rows[i].size());
    for (std::size_t id = 0; id < logits.size(); ++id) {
      const double want = rows[i][id].get<double>();
      difference = std::max(difference, std::fabs(logits[id] - want));
      largest = std::max(largest, std::fabs(want));
    }
  }
  REQUIRE(largest > 1);
  return difference / largest;
}

}  // namespace

TEST_CASE("a packed mixture with a repeated layer, under every convention") {
  const json cases = read_json("tiny-moe.json");
  REQUIRE(cases.size() >= 6);
  for (const json& fixture : cases) {
    CAPTURE(fixture.at("conventions").dump());
    CHECK(relative_error(moe_model(fixture.at("conventions")), fixture) < kTolerance);
  }
}

TEST_CASE("each convention changes the logits by far more than the tolerance") {
  const json cases = read_json("tiny-moe.json");
  for (std::size_t i = 1; i < cases.size(); ++i) {
    CAPTURE(cases[i].at("conventions").dump());
    CHECK(relative_error(moe_model(cases[0].at("conventions")), cases[i]) > 1e-3);
  }
}

TEST_CASE("a dense float model with an untied head") {
  const json cases = read_json("tiny-llama2c.json");
  CHECK(relative_error(llama2c_model(), cases.at(0)) < kTolerance);
}
