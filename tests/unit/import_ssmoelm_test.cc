#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "import/conventions.h"
#include "import/families/families.h"
#include "import/import.h"
#include "import/names.h"
#include "import/packed.h"
#include "model/fingerprint.h"
#include "support/checkpoint_writer.h"
#include "support/tiny_model.h"

using namespace sb3lm;

namespace {

SyntheticFiles files_of(const std::string& preset) {
  SilentProgress silent;
  return make_synthetic({.preset = preset}, silent);
}

/// What tiny-moe says about itself, in the words that other programs (and older versions) use.
void say_in_texts(CheckpointEditor& file) {
  file.metadata.erase("sb3lm_spec");
  file.metadata.merge(std::map<std::string, std::string>{{"layer_ids", "[0,1,3]"},
                                                         {"pass_order", "[0,1,1,3]"},
                                                         {"n_heads", "4"},
                                                         {"n_kv_heads", "2"},
                                                         {"head_dim", "16"},
                                                         {"top_k", "2"},
                                                         {"context", "64"}});
}

/// The error of importing after `edit`; checks that it is one line about the file.
template <class Edit>
std::string error_after(const std::string& preset, Edit edit,
                        const std::map<std::string, std::string>& conventions = {}) {
  SyntheticFiles files = files_of(preset);
  CheckpointEditor editor(files.checkpoint);
  edit(editor);
  files.checkpoint = editor.bytes();
  try {
    import_files(files, conventions);
  } catch (const Error& problem) {
    const std::string_view text = problem.what();
    CHECK((problem.fault == Fault::bad_input || problem.fault == Fault::unsupported));
    CHECK(text.starts_with("tiny.safetensors: "));
    CHECK(text.find('\n') == text.npos);
    return problem.what();
  }
  return "no error";
}

/// One packed tensor named "w", unpacked by the conventions.
CodedTensor unpack_one(const TensorToWrite& data, int rows, int cols,
                       const Conventions& conventions, const std::string& code = "offset8",
                       bool narrow = false) {
  const std::string bytes = write_safetensors(
      {data,
       {"w__scale", "F16", {rows}, raw_u16(std::vector<std::uint16_t>(rows, 0x3c00))},
       {"w__shape", "I32", {2}, raw_i32({rows, cols})},
       {"w__cols", "I32", {1}, raw_i32({cols})}},
      {});
  const Container container = parse_safetensors("w", as_bytes(bytes));
  const std::vector<PackedGroup> groups = group_packed(container);
  REQUIRE(groups.size() == 1);
  return std::get<CodedTensor>(groups[0].form == PackedForm::bits
                                   ? unpack_bits(groups[0], 0, conventions)
                                   : unpack_nibbles(groups[0], 0, conventions, code, narrow));
}

}  // namespace

TEST_CASE("bits: order and sign, rows padded to bytes") {
  const TensorToWrite data{"w__bin", "U8", {2, 2}, std::string("\xA1\x80\x01\x00", 4)};
  Conventions conventions;
  CHECK(unpack_one(data, 2, 9, conventions).codes ==
        std::vector<std::uint8_t>{1, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0});
  conventions.set("test", "bit-order", "lsb");
  CHECK(unpack_one(data, 2, 9, conventions).codes ==
        std::vector<std::uint8_t>{1, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0});
  conventions.set("test", "sign", "minus");
  CHECK(unpack_one(data, 2, 9, conventions).codes[1] == 1);
}

TEST_CASE("nibbles: order and codes, all sixteen values") {
  const TensorToWrite data{
      "w__int4", "U8", {1, 8}, std::string("\x10\x32\x54\x76\x98\xBA\xDC\xFE", 8)};
  Conventions conventions;
  const CodedTensor offset = unpack_one(data, 1, 16, conventions);
  const CodedTensor twos = unpack_one(data, 1, 16, conventions, "twos");
  for (int i = 0; i < 16; ++i) {
    CHECK(offset.format.level(offset.codes[static_cast<std::size_t>(i)]) == i - 8);
    CHECK(twos.format.level(twos.codes[static_cast<std::size_t>(i)]) == (i < 8 ? i : i - 16));
  }
  CHECK_THROWS_WITH_AS(unpack_one(data, 1, 16, conventions, "offset4"),
                       doctest::Contains("holds a nibble above 7"), Error);
  conventions.set("test", "nibble-order", "high");
  CHECK(unpack_one(data, 1, 16, conventions).codes[0] == 1);
}

TEST_CASE("nibbles: a matrix within -4..3 is 3-bit where that is allowed") {
  const TensorToWrite data{"w__int4", "U8", {1, 2}, "\x74\xB8"};
  const Conventions conventions;
  const CodedTensor narrow = unpack_one(data, 1, 4, conventions, "offset8", true);
  CHECK(narrow.format.bits == 3);
  CHECK(narrow.codes == std::vector<std::uint8_t>{0, 3, 4, 7});
  CHECK(unpack_one(data, 1, 4, conventions, "offset8", false).format.bits == 4);
}

TEST_CASE("nibble codes are guessed from what the file holds") {
  const auto counts = [](std::initializer_list<int> nibbles) {
    NibbleCounts all{};
    for (const int nibble : nibbles) ++all[static_cast<std::size_t>(nibble)];
    return all;
  };
  CHECK(guess_nibble_code(counts({8, 8, 8, 7, 9, 1, 15})) == "offset8");
  CHECK(guess_nibble_code(counts({0, 0, 15, 15, 1, 7})) == "twos");
  CHECK(guess_narrow_code(counts({4, 5, 8, 11}), "twos") == "offset8");
  CHECK(guess_narrow_code(counts({0, 3, 12, 15}), "offset8") == "twos");
  CHECK(guess_narrow_code(counts({0, 4, 7}), "offset8") == "offset4");
  CHECK(guess_narrow_code(counts({0, 1, 2, 3}), "offset4") == "offset4");  // two explain it
  CHECK(guess_narrow_code(counts({0, 0, 0, 15, 5}), "offset8") == "twos");
}

TEST_CASE("both spellings name the same roles") {
  const auto role_of_name = [](std::string_view stem) -> std::optional<TensorKey> {
    const std::vector<NameMatch> roles = roles_of_name(ssmoelm_family(), stem);
    CHECK(roles.size() <= 1);
    return roles.empty() ? std::nullopt : std::optional(roles.front().key);
  };
  CHECK(role_of_name("model.layers.3.self_attn.q_proj.weight") == TensorKey{Role::q, 3});
  CHECK(role_of_name("layers.3.attention.wq") == TensorKey{Role::q, 3});
  CHECK(role_of_name("layers.0.moe.experts.5.gate.weight") == TensorKey{Role::expert_gate, 0, 5});
  CHECK(role_of_name("layers.0.mlp.experts.gate_proj.weight") == TensorKey{Role::expert_gate, 0});
  CHECK(role_of_name("layers.0.mlp.gate.weight") == TensorKey{Role::router, 0});
  CHECK(role_of_name("layers.0.mlp.gate_proj.weight") == TensorKey{Role::gate, 0});
  CHECK(role_of_name("final_norm.weight") == TensorKey{Role::final_norm});
  CHECK(role_of_name("layers.0.attention.wq.bias") == TensorKey{Role::q_bias, 0});
  CHECK_FALSE(role_of_name("layers.0.attention.wo.bias"));
  CHECK_FALSE(role_of_name("layers.x.attention.wq"));
  CHECK(role_of_name("layer 3 expert 5 up") == TensorKey{Role::expert_up, 3, 5});  // export's
  CHECK(nearest_role(ssmoelm_family(), "layer.0.attention.w_q") == "q");
}

TEST_CASE("layer ids and pass order become indices") {
  const Model model = tiny_model("tiny-moe");
  CHECK(model.spec.passes == std::vector<int>{0, 1, 1, 2});
  CHECK(model.spec.layers[2].id == 3);
  CHECK(model.names.at({Role::q, 2}) == "layers.3.attention.wq.weight");
  const Model slots = tiny_model("tiny-moe-hf");
  CHECK(slots.spec.passes == model.spec.passes);
  CHECK(slots.names.at({Role::q, 2}) == "layers.2.self_attn.q_proj.weight");
  CHECK(slots.names.at({Role::expert_up, 0, 3}) == "layers.0.mlp.experts.up_proj.weight");
}

TEST_CASE("a file that says in texts what it is is the same model") {
  SyntheticFiles files = files_of("tiny-moe");
  const Model described = import_files(files);
  CheckpointEditor editor(files.checkpoint);
  say_in_texts(editor);
  files.checkpoint = editor.bytes();
  const Model model = import_files(files);
  CHECK(model.spec == described.spec);
  CHECK(model_fingerprint(model) == model_fingerprint(described));
  CHECK(described.open == std::vector<std::string>{"bit-order", "sign", "nibble-order",
                                                   "nibble-code", "embedding-code", "swiglu"});
  CHECK(model.open == std::vector<std::string>{"bit-order", "sign", "nibble-order", "nibble-code",
                                               "embedding-code", "swiglu", "rope", "rope-sign",
                                               "router-norm"});
}

TEST_CASE("what a file's own spec says is checked, and options win over it") {
  const auto error = [](const std::string& from, const std::string& to) {
    return error_after("tiny-moe", [&](CheckpointEditor& file) {
      std::string& spec = file.metadata.at("sb3lm_spec");
      const std::size_t at = spec.find(from);
      REQUIRE(at != spec.npos);
      spec.replace(at, from.size(), to);
    });
  };
  CHECK(error("\"width\":64", "\"width\":60").find("is [512, 64] but must be [512, 60]") !=
        std::string::npos);
  CHECK(error("\"width\":64", "\"width\":64.5").find("width: 64.5 is not") != std::string::npos);
  CHECK(error("\"width\":64", "\"width\":1e99").find("width: 1e+99 is not") != std::string::npos);
  CHECK(error("\"width\":64", "\"width\":0").find("width 0 is outside") != std::string::npos);
  CHECK(error("\"width\":64,", "").find("'sb3lm_spec': width: it is missing") != std::string::npos);
  CHECK(error("\"layers\":[", "\"layers\":[[").find("JSON: parse error") != std::string::npos);
  CHECK(error("\"id\":3", "\"id\":7").find("numbered neither by") != std::string::npos);
  CHECK(error("half-split", "spiral").find("is not one that we know") != std::string::npos);
  const Model other = tiny_model({.preset = "tiny-moe"}, {{"rope", "none"}, {"norm-eps", "0.5"}});
  CHECK(other.spec.layers[2].attention.rope == RopeSpec{});
  CHECK(other.spec.norm_eps == 0.5);
  CHECK(other.conventions.at("norm-eps") == "0.5");
}

TEST_CASE("a fact that tensors contradict is refused, whoever says it") {
  CHECK_THROWS_WITH_AS(
      tiny_model({.preset = "ssmoelm-5l", .layers = 0, .vocabulary = 0}, {{"routed-experts", "4"}}),
      "--convention routed-experts is 4, but the tensors of tiny.safetensors show "
      "8",
      Error);
}

TEST_CASE("the conventions in force are recorded, options win over the sidecar") {
  const Model plain = tiny_model("tiny-moe");
  CHECK(plain.conventions.at("bit-order") == "msb");
  CHECK(plain.conventions.at("nibble-code") == "offset8");
  CHECK_FALSE(plain.conventions.contains("context"));  // which the file's own spec says
  const Model flipped = tiny_model("tiny-moe-flipped");
  CHECK(flipped.conventions.at("nibble-code") == "twos");
  CHECK(flipped.conventions.at("embedding-code") == "offset4");
  CHECK(flipped.spec.layers[0].attention.rope.layout == RopeLayout::interleaved);
  CHECK(flipped.spec.layers[0].attention.rope.base == 500000);
  CHECK(flipped.spec.norm_eps == 1e-6);
  CHECK(flipped.spec.layers[0].feed_forward.router_norm == RouterNorm::all);
  const Model forced = tiny_model({.preset = "tiny-moe-flipped"}, {{"rope-base", "1234"}});
  CHECK(forced.spec.layers[0].attention.rope.base == 1234);
}

TEST_CASE("histograms settle flipped nibbles without being told") {
  SyntheticFiles files = files_of("tiny-moe-flipped");
  files.sidecar.clear();
  const Model model = import_files(files, {{"nibble-order", "high"}});
  CHECK(model.conventions.at("nibble-code") == "twos");
  CHECK(model.conventions.at("embedding-code") == "offset4");
  CHECK(std::get<CodedTensor>(model.at({Role::embedding})).format.bits == 3);
}

TEST_CASE("silu on the up side swaps the roles") {
  const Model plain = tiny_model("tiny-moe");
  const Model swapped = tiny_model({.preset = "tiny-moe"}, {{"swiglu", "up"}});
  CHECK(plain.names.at({Role::shared_gate, 0}) == swapped.names.at({Role::shared_up, 0}));
  CHECK(plain.names.at({Role::expert_up, 1, 2}) == swapped.names.at({Role::expert_gate, 1, 2}));
}

TEST_CASE("an unknown convention or value lists what there is") {
  const auto error = [](const std::string& key, const std::string& value) {
    try {
      tiny_model({.preset = "tiny-moe"}, {{key, value}});
    } catch (const Error& problem) {
      CHECK(problem.fault == Fault::usage);
      return std::string(problem.what());
    }
    return std::string("no error");
  };
  CHECK(error("bit-odor", "msb").find("there are bit-order, sign, nibble-order") !=
        std::string::npos);
  CHECK(error("rope", "spiral").find("it can be none, half-split, interleaved") !=
        std::string::npos);
  CHECK(error("rope-base", "x").find("it is a number") != std::string::npos);
  CHECK(error("heads", "0").find("it is a whole number from 1 to 1024") != std::string::npos);
}

TEST_CASE("a name map gives roles to names that we do not know") {
  SyntheticFiles files = files_of("tiny-moe");
  CheckpointEditor editor(files.checkpoint);
  for (TensorToWrite& tensor : editor.tensors) {
    if (tensor.name.starts_with("norm.weight")) tensor.name = "the_last_one";
  }
  files.checkpoint = editor.bytes();
  CHECK_THROWS_WITH_AS(import_files(files),
                       "tiny.safetensors: 1 tensors have no known role: 'the_last_one' [1, 64] "
                       "(nearest: embedding); "
                       "name them with --map, or \"ignore\" them there",
                       Error);
  const auto with_map = [&files](std::string_view map) {
    CheckpointFiles in{.checkpoint = {"tiny.safetensors", as_bytes(files.checkpoint)}};
    in.name_map = NamedBytes{"map.json", as_bytes(map)};
    SilentProgress silent;
    return import_from_memory(in, {}, silent);
  };
  CHECK(with_map(R"({"the_last_one":"final_norm"})").names.at({Role::final_norm}) ==
        "the_last_one");
  CHECK_THROWS_WITH_AS(with_map(R"({"the_last_one":"nonsense"})"),
                       doctest::Contains("map.json: 'the_last_one': 'nonsense' is not a role"),
                       Error);
  CHECK_THROWS_WITH_AS(with_map(R"({"gone":"final_norm","the_last_one":"head"})"),
                       doctest::Contains("map.json: 'gone' is not a tensor of tiny.safetensors"),
                       Error);
}

namespace {

using Editor = CheckpointEditor;
struct Broken {
  const char* message;
  void (*edit)(Editor&);
};
const Broken kBroken[] = {
    {"no tensor for layer 1 k",
     [](Editor& e) {
       for (const char* part : {"__int4", "__scale", "__shape", "__cols"}) {
         e.remove(std::string("layers.1.attention.wk.weight") + part);
       }
     }},
    {"tensor 'layers.1.attention.wk.weight': 'layers.1.attention.wk.weight__scale' is missing",
     [](Editor& e) { e.remove("layers.1.attention.wk.weight__scale"); }},
    {"there without 'layers.1.attention.wk.weight__bin', '__int4'",
     [](Editor& e) { e.remove("layers.1.attention.wk.weight__int4"); }},
    {"tensor 'norm.weight': final_norm is [1, 63] but must be [1, 64]",
     [](Editor& e) {
       e.at("norm.weight").shape = {63};
       e.at("norm.weight").bytes.resize(126);
     }},
    {"tensor 'layers.0.attention.wq.weight': the scale of row 2 is not finite",
     [](Editor& e) {
       std::string& bytes = e.at("layers.0.attention.wq.weight__scale").bytes;
       bytes[4] = '\0';
       bytes[5] = '\x7e';
     }},
    {"tensor 'layers.0.moe.router.weight': element 0 is not finite",
     [](Editor& e) {
       e.at("layers.0.moe.router.weight").bytes.replace(0, 2, std::string("\x00\x7c", 2));
     }},
    {"64 rows of 64 weights take 2048 bytes",
     [](Editor& e) {
       e.at("layers.0.attention.wq.weight__int4").shape = {64, 31};
       e.at("layers.0.attention.wq.weight__int4").bytes.resize(64 * 31);
     }},
    {"says 60, 'layers.0.attention.wq.weight__shape' says 64",
     [](Editor& e) { e.at("layers.0.attention.wq.weight__cols").bytes = raw_i32({60}); }},
    {"extent 2147483647 is outside 1..1048576",
     [](Editor& e) {
       e.at("layers.0.attention.wq.weight__shape").bytes = raw_i32({2147483647, 64});
     }},
    {"is F32, not F16",
     [](Editor& e) {
       TensorToWrite& scale = e.at("layers.0.attention.wq.weight__scale");
       scale.type = "F32";
       scale.bytes.resize(scale.bytes.size() * 2);
     }},
    {"runs layer 7, which is not stored", [](Editor& e) { e.metadata["pass_order"] = "[0,7]"; }},
    {"layer 2: no pass runs it", [](Editor& e) { e.metadata["pass_order"] = "[0,1,1]"; }},
    {"names a layer twice", [](Editor& e) { e.metadata["layer_ids"] = "[0,1,1]"; }},
    {"numbered neither by", [](Editor& e) { e.metadata["layer_ids"] = "[0,1,4]"; }},
    {"__metadata__ 'layer_ids': not a list", [](Editor& e) { e.metadata["layer_ids"] = "3"; }},
    {"__metadata__ 'layer_ids': JSON: parse error",
     [](Editor& e) { e.metadata["layer_ids"] = "[0,"; }},
    {"__metadata__ 'n_heads': 'heads' cannot be 'four'; it is a whole number from 1 to 1024",
     [](Editor& e) { e.metadata["n_heads"] = "four"; }},
    {"is [64, 64] but must be [32, 64]", [](Editor& e) { e.metadata["n_heads"] = "2"; }},
    {"cannot share 3 KV heads evenly", [](Editor& e) { e.metadata["n_kv_heads"] = "3"; }},
    {"top-k 5 is outside 1..4", [](Editor& e) { e.metadata["top_k"] = "5"; }},
    {"how large a head is",
     [](Editor& e) {
       for (const char* key : {"n_heads", "n_kv_heads", "head_dim"}) e.metadata.erase(key);
     }},
    {"nothing says the context", [](Editor& e) { e.metadata.erase("context"); }},
    {"1 tensors have no known role: 'layers.0.attention.wo.bias' [1, 64]",
     [](Editor& e) {
       e.tensors.push_back({"layers.0.attention.wo.bias", "F16", {64}, std::string(128, '\0')});
     }},
    {"weights of type I32 are not supported",
     [](Editor& e) {
       e.at("norm.weight").type = "I32";
       e.at("norm.weight").bytes.resize(256);
     }},
};

}  // namespace

TEST_CASE("broken checkpoints are refused in one line that names the tensor and the rule") {
  for (const Broken& broken : kBroken) {
    CAPTURE(broken.message);
    const std::string error = error_after("tiny-moe", [&broken](Editor& file) {
      say_in_texts(file);
      broken.edit(file);
    });
    CAPTURE(error);
    CHECK(error.find(broken.message) != std::string::npos);
  }
}

TEST_CASE("a file cut short anywhere is refused") {
  const SyntheticFiles whole = files_of("tiny-moe");
  for (std::size_t step = 0; step < 40; ++step) {
    SyntheticFiles cut = whole;
    cut.checkpoint.resize(whole.checkpoint.size() * step / 40);
    CHECK_THROWS_AS(import_files(cut), Error);
  }
}

TEST_CASE("a tokenizer of another size does not fit") {
  SyntheticFiles files = files_of("tiny-moe");
  SilentProgress silent;
  files.tokenizer = make_synthetic({.preset = "ssmoelm-5l"}, silent).tokenizer;
  CHECK_THROWS_WITH_AS(import_files(files),
                       "tokenizer.json: 8192 tokens do not fit the vocabulary of 512 in "
                       "tiny.safetensors",
                       Error);
}
