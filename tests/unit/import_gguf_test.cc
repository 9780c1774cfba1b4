// GGUF: blocks of every type against numbers of an independent program (tests/gguf), files whole,
// cut and contradictory, and the tokenizer inside.
#include <doctest/doctest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "import/gguf/file.h"
#include "import/import.h"
#include "support/float_files.h"
#include "support/tiny_model.h"
#include "synth/vocabulary.h"

using namespace sb3lm;

namespace {

std::string fixture(const std::string& name) {
  return std::string(MappedFile(SB3LM_SOURCE_DIR "/tests/fixtures/" + name).text());
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

std::string tiny_file() {
  SilentProgress silent;
  return make_synthetic({.preset = "tiny-gguf"}, silent).checkpoint;
}

/// "4: what was said", or "it was read".
std::string refusal(const std::string& bytes) {
  SilentProgress silent;
  try {
    import_from_memory({.checkpoint = {"m.gguf", as_bytes(bytes)}}, {}, silent);
  } catch (const Error& problem) {
    return fmt::format("{}: {}", static_cast<int>(problem.fault), problem.what());
  }
  return "it was read";
}

const GgufEntries kLlama = {{"general.architecture", std::string("llama")}};

GgufEntries with(GgufEntries entries, const std::string& key, GgufEntry value) {
  entries.emplace_back(key, std::move(value));
  return entries;
}

GgufTensorToWrite floats(const std::string& name, std::vector<std::uint64_t> shape) {
  std::uint64_t weights = 1;
  for (const std::uint64_t extent : shape) weights *= extent;
  return {
      .name = name, .type = 0, .shape = std::move(shape), .bytes = std::string(4 * weights, '\0')};
}

/// The file with a number written over others where `after` ends.
template <class T>
std::string poked(std::string bytes, std::string_view after, std::size_t further, T value) {
  const std::size_t at = bytes.find(after);
  REQUIRE(at != bytes.npos);
  std::memcpy(bytes.data() + at + after.size() + further, &value, sizeof value);
  return bytes;
}

void check_refused(const std::string& bytes, const std::string& part) {
  CAPTURE(part);
  const std::string said = refusal(bytes);
  CAPTURE(said);
  CHECK(said.find(part) != said.npos);
}

}  // namespace

TEST_CASE("blocks of every type are the weights that ggml makes of them, bit by bit") {
  const std::string bytes = fixture("gguf-blocks.gguf");
  const auto expected = nlohmann::json::parse(fixture("gguf-blocks.json"));
  const GgufFile file("blocks.gguf", as_bytes(bytes));
  CHECK(file.tensors().size() == expected.size());
  for (const GgufTensor& tensor : file.tensors()) {
    CAPTURE(tensor.name);
    CHECK(tensor.type->name == tensor.name);
    CHECK(hex(decode_blocks(*tensor.type, tensor.bytes)) ==
          expected.at(tensor.name).get<std::string>());
  }
}

TEST_CASE("a small file: spec, weights, notes and the tokenizer inside") {
  const Model model = tiny_model("tiny-gguf");
  CHECK(model.source.format == "gguf");
  CHECK(model.source.blocks == "Q8_0");
  CHECK(model.spec.family == "qwen2");
  CHECK(model.spec.context == 64);
  CHECK(model.spec.layers.size() == 2);
  const AttentionSpec& attention = model.spec.layers[0].attention;
  CHECK(attention.rope.layout == RopeLayout::half_split);
  CHECK(attention.qkv_bias);
  CHECK(attention.kv_heads == 2);
  CHECK(model.names.at({Role::down, 1}) == "blk.1.ffn_down.weight");
  CHECK(model.tokenizer.kind == TokenizerKind::byte_bpe);
  const std::string text = "once upon a time";
  CHECK(decode(model.tokenizer, encode(model.tokenizer, text, false)) == text);
}

TEST_CASE("a llama of llama.cpp turns neighbours, and its epsilon is the float's shortest text") {
  const Model dense = tiny_model("tiny-dense");
  const Model again = [&] {
    SilentProgress silent;
    const std::string bytes = write_gguf_model(test::float_model(dense), "llama", GgufWeights::f32,
                                               test::gguf_tokenizer_of(tokenizer_bin(512), 512));
    return import_from_memory({.checkpoint = {"m.gguf", as_bytes(bytes)}}, {}, silent);
  }();
  CHECK(again.spec.layers[0].attention.rope.layout == RopeLayout::interleaved);
  CHECK(again.spec.norm_eps == 1e-5);
  for (const auto& [key, tensor] : dense.tensors) {
    CHECK(std::get<FloatTensor>(again.at(key)).values == std::get<FloatTensor>(tensor).values);
  }
  CHECK(again.tokenizer.bos == 1);
  CHECK(again.tokenizer.stop_ids == std::vector{1, 2});
  for (const char* text : {"Once upon a time", " two  spaces ", "\u00e9\u65e5"}) {
    CHECK(encode(again.tokenizer, text, true) == encode(dense.tokenizer, text, true));
  }
}

TEST_CASE("the small families of llama.cpp are the same models") {
  const std::pair<const char*, const char*> kinds[] = {{"tiny-gpt2", "gpt2"},
                                                       {"tiny-neox", "gptneox"},
                                                       {"tiny-phi", "phi2"},
                                                       {"tiny-gemma2", "gemma2"},
                                                       {"tiny-qwen3", "qwen3"}};
  for (const auto& kind : kinds) {
    CAPTURE(kind.first);
    Model model = tiny_model(kind.first);
    for (LayerSpec& layer : model.spec.layers) {
      // No entry says it: scores are divided by the root of the head size.
      layer.attention.score_scale = 0;
    }
    SilentProgress silent;
    const std::string bytes =
        write_gguf_model(test::float_model(model), kind.second, GgufWeights::f32, {});
    const Model again = import_from_memory({.checkpoint = {"m.gguf", as_bytes(bytes)}}, {}, silent);
    CHECK(again.spec == model.spec);
    for (const auto& one : model.tensors) {
      CAPTURE(tensor_key_text(one.first));
      CHECK(std::get<FloatTensor>(again.at(one.first)).values ==
            std::get<FloatTensor>(one.second).values);
    }
  }
}

TEST_CASE("a factor of RoPE without a type is a linear one, and serial layers say that they are") {
  const std::string factor = "qwen3.rope.scaling.factor";
  Model model = tiny_model("tiny-qwen3");
  SilentProgress silent;
  const auto read = [&](const char* architecture, const GgufEntries& more) {
    const std::string bytes =
        write_gguf_model(test::float_model(model), architecture, GgufWeights::f32, more);
    return import_from_memory({.checkpoint = {"m.gguf", as_bytes(bytes)}}, {}, silent);
  };
  const RopeSpec rope = read("qwen3", {{factor, 4.0F}}).spec.layers[0].attention.rope;
  CHECK(rope.scaling == RopeScaling::linear);
  CHECK(rope.scaling_factor == 4);
  const GgufEntries none = {{factor, 1.0F}, {"qwen3.rope.scaling.type", std::string("none")}};
  CHECK(read("qwen3", none).spec.layers[0].attention.rope.scaling == RopeScaling::none);
  model = tiny_model("tiny-neox");
  for (LayerSpec& layer : model.spec.layers) layer.residual = Residual::serial;
  CHECK(read("gptneox", {}).spec == model.spec);
}

TEST_CASE("a file cut anywhere is refused") {
  const std::string whole = tiny_file();
  const std::size_t header = whole.find("blk.1.ffn_up.weight");
  for (std::size_t size = 4; size < whole.size(); size += size < 300 ? 1 : 997) {
    CAPTURE(size);
    CHECK(refusal(whole.substr(0, size)).starts_with("3: m.gguf: "));
  }
  CHECK(refusal(whole.substr(0, header)).find("name of tensor") != std::string::npos);
  CHECK(refusal(whole) == "it was read");
}

TEST_CASE("headers that lie") {
  const std::string good = write_gguf(kLlama, {floats("a", {2, 3}), floats("b", {4})});
  const std::string magic = "GGUF", name("\1\0\0\0\0\0\0\0a", 9);
  check_refused(poked(good, magic, 0, 1u), "4: m.gguf: GGUF version 1: only versions 2 and 3");
  check_refused(poked(good, magic, 0, 3u << 24), "GGUF of a big-endian machine");
  check_refused(poked(good, magic, 4, ~std::uint64_t{0}),
                "byte 16: GGUF header: 18446744073709551615 tensors are more than 1048576");
  check_refused(poked(good, magic, 12, std::uint64_t{1} << 40), "entries are more than 65536");
  check_refused(poked(good, magic, 20, ~std::uint64_t{0}), "name of entry 0: 18446744073709551615");
  check_refused(poked(good, "general.architecture", 0, 13u), "type 13 is none");
  check_refused(poked(good, name, 0, 5u), "tensor 'a': rank 5 is outside 0..4");
  check_refused(poked(good, name, 4, ~std::uint64_t{0}), "tensor 'a': extent");
  check_refused(poked(good, name, 4, std::uint64_t{1} << 39), "tensor 'a': ");
  check_refused(poked(good, name, 20, 16u),
                "4: m.gguf: tensor 'a': type 16 is not read, only F32,");
  check_refused(poked(good, name, 20, 8u), "rows of 3 weights are no whole blocks of 32");
  check_refused(poked(good, name, 24, std::uint64_t{8}), "its offset 8 is no multiple of 32");
  check_refused(poked(good, name, 24, ~std::uint64_t{0} - 31), "its offset is beyond 64 bits");
  check_refused(poked(good, std::string_view("\1\0\0\0\0\0\0\0b", 9), 16, std::uint64_t{0}),
                "tensor 'b': its bytes from 160 on overlap those of 'a'");
  check_refused(write_gguf(kLlama, {floats("a", {1}), floats("a", {1})}),
                "tensor 'a': there is another tensor of this name");
  check_refused(write_gguf(with(kLlama, "general.architecture", 1u), {}),
                "'general.architecture': there is another entry of this name");
  check_refused(write_gguf(with(kLlama, "general.alignment", 24u), {floats("a", {1})}),
                "'general.alignment' is no power of 2");
  check_refused(poked(write_gguf(with(kLlama, "x", std::vector<float>{1}), {}),
                      std::string("x\t\0\0\0\6\0\0\0", 9), 0, std::uint64_t{1} << 61),
                "'x': a list of 2305843009213693952 items does not fit in the");
}

TEST_CASE("models that we do not have say what they are") {
  check_refused(write_gguf({}, {}), "general.architecture '' is not supported; these are: llama");
  check_refused(write_gguf({{"general.architecture", std::string("rwkv6")}}, {}),
                "4: m.gguf: general.architecture 'rwkv6' is not supported");
  check_refused(write_gguf({{"general.architecture", 7u}}, {}),
                "3: m.gguf: 'general.architecture' is of another kind");
  check_refused(write_gguf(with(kLlama, "llama.rope.scaling.type", std::string("yarn")), {}),
                "4: m.gguf: 'llama.rope.scaling.type' yarn is not understood");
  check_refused(
      write_gguf(with(kLlama, "llama.block_count", 2u), {floats("blk.0.attn_q.weight", {1})}),
      "'llama.block_count' is 2, but the tensors have no 'blk.1.'");
  check_refused(write_gguf(with(kLlama, "llama.context_length", 0u), {}),
                "'context' cannot be '0'");
  check_refused(write_gguf(with(kLlama, "split.count", 3u), {}), "this is one of 3 parts");
}

TEST_CASE("tokenizers that we do not have are refused by name") {
  const auto refused = [](const GgufEntries& more, const std::string& part) {
    GgufEntries entries = kLlama;
    entries.insert(entries.end(), more.begin(), more.end());
    check_refused(write_gguf(entries, {}), part);
  };
  const std::string model = "tokenizer.ggml.model", tokens = "tokenizer.ggml.tokens";
  const std::vector<std::string> two = {"a", "b"};
  refused({{model, std::string("t5")}}, "tokenizer.ggml.model 't5' is not supported");
  refused({{model, std::string("llama")}}, "tokenizer.ggml.tokens is no list of 1 to");
  refused({{model, std::string("llama")}, {tokens, two}}, "tokenizer.ggml.scores is missing");
  refused(
      {{model, std::string("llama")}, {tokens, two}, {"tokenizer.ggml.scores", std::vector{1.0F}}},
      "tokenizer.ggml.scores has 1 entries for 2 tokens");
  refused({{model, std::string("llama")},
           {tokens, two},
           {"tokenizer.ggml.scores", std::vector{1.0F, 2.0F}},
           {"tokenizer.ggml.token_type", std::vector<std::int32_t>{1, 9}}},
          "tokenizer.ggml.token_type: 9 of token 1 is outside 1..6");
  refused({{model, std::string("gpt2")}, {tokens, two}}, "tokenizer.ggml.merges is missing");
  refused({{model, std::string("gpt2")},
           {tokens, two},
           {"tokenizer.ggml.merges", std::vector<std::string>{"a b"}},
           {"tokenizer.ggml.pre", std::string("gpt-4o")}},
          "tokenizer.ggml.pre 'gpt-4o' is not supported, only gpt-2");
}
