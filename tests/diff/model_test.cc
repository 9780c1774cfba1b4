// Whole small models in the block evaluator, read back from their bytes, against the double engine:
// the logits of every position, and every greedy token.
#include <doctest/doctest.h>

#include <cmath>

#include "pack.h"
#include "quant/recipe.h"
#include "runtime_ref/generate.h"
#include "runtime_ref/verify.h"
#include "sb3/sb3.h"
#include "scratch/player_limits.h"
#include "support/built_models.h"
#include "support/check_blocks.h"
#include "support/random_model.h"
#include "support/small_families.h"
#include "support/tiny_model.h"
#include "unpack/unpack.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;

scratch::Program read_back(const BuiltModel& built) {
  return read_sb3(built.name, as_bytes(built.sb3));
}

// Two layers that share nothing: heads, rotation, dense and mixture, sizes that are no multiples of
// 8, so that one layer's vectors end where the other's go on.
ModelSpec uneven_spec() {
  ModelSpec spec{.family = "uneven",
                 .width = 36,
                 .vocabulary = 50,
                 .context = 40,
                 .tied_head = false,
                 .layers = {},
                 .passes = {0, 1, 1, 0, 1}};
  LayerSpec dense{.id = 0};
  dense.attention = {.query_heads = 4,
                     .kv_heads = 2,
                     .head_size = 14,
                     .rope = {.layout = RopeLayout::interleaved, .dims = 10, .sign = -1},
                     .qkv_bias = true};
  dense.feed_forward.hidden = 131;
  LayerSpec mixture{.id = 1};
  mixture.attention = {.query_heads = 3, .kv_heads = 3, .head_size = 9, .rope = {}};
  mixture.feed_forward = {.hidden = 20,
                          .routed_experts = 3,
                          .top_k = 2,
                          .shared_experts = 1,
                          .shared_hidden = 13,
                          .router_norm = RouterNorm::all};
  spec.layers = {dense, mixture};
  return spec;
}

}  // namespace

TEST_CASE("every feature of a model's description") {
  SilentProgress silent;
  for (const BuiltModel& built : build_all_tiny()) {
    CAPTURE(built.name);
    BlockSession session(read_back(built), silent);
    const BlockRequest request = comparison_request(built.model);
    const BlockResult result = session.run(request, silent);
    CHECK(result.status == "ready");
    REQUIRE(result.tokens.size() > 0);
    if (result.tokens.size() < 8) CHECK(result.stop_reason == "stop token");
    Engine engine(built.model);
    const Agreement agreement =
        check_against_engine(engine, request.tokens, result.tokens, result.logits);
    INFO(agreement.first_difference);
    CHECK(agreement.ok);
    CHECK(agreement.near_ties.empty());
    CHECK(agreement.positions >= 12 + result.tokens.size() - 1);
    CHECK(agreement.max_rel_error < kUsualError);
    CHECK(agreement.max_rel_error > 0);  // two ways to sum do differ
  }
}

TEST_CASE("routers as codes, a shared expert's too, and rounded scales") {
  Model model = tiny_model("tiny-moe-gated");
  apply_recipe(model, {.scale_bits = 6, .router_bits = 5});
  model.rounding.change = ModelChange{.tokens = 7, .logits = 0.125, .perplexity_after = 2};
  SilentProgress silent;
  const std::string sb3 = pack(model, {.lower = {.context = 40}, .deflate_level = 1}, silent);
  const scratch::Program program = read_sb3("rounded", as_bytes(sb3));
  const Rounding rounding = unpack("rounded", program).model.rounding;
  CHECK(rounding.scale_bits == 6);
  CHECK(rounding.router_bits == 5);
  REQUIRE(rounding.change);
  CHECK(rounding.change->tokens == 7);
  CHECK(rounding.change->logits == 0.125);
  CHECK(rounding.change->perplexity_after == 2);
  check_blocks(model, program);
}

TEST_CASE("blocks shaped for one player only") {
  SilentProgress silent;
  const BuiltModel built = build_tiny("tiny-moe", "", 40);
  const BlockRequest request = comparison_request(built.model);
  const BlockResult expected = BlockSession(read_back(built), silent).run(request, silent);
  for (const Tune tune : {Tune::turbowarp, Tune::scratch}) {
    const std::string bytes =
        pack(built.model, {.lower = {.context = 40, .tune = tune}, .deflate_level = 1}, silent);
    BlockSession session(read_sb3("one player", as_bytes(bytes)), silent);
    CHECK(same_bits(session.run(request, silent).logits, expected.logits));
  }
}

TEST_CASE("layers of different shapes, and codes beside floats") {
  SilentProgress silent;
  for (const std::vector<int>& bits :
       {std::vector<int>{0}, {4}, {1, 2, 3, 4, 5, 6, 7, 8}, {3, 0, 1}, {0, 8}}) {
    CAPTURE(bits.front());
    CAPTURE(bits.size());
    const Model model = random_model(uneven_spec(), bits, 5);
    const std::string sb3 = pack(model, {.lower = {.context = 20}, .deflate_level = 1}, silent);
    CHECK(check_blocks(model, read_sb3("uneven.sb3", as_bytes(sb3))).size() >= 12);
  }
}

TEST_CASE("an embedding that is only looked up, stored as no other matrix is") {
  SilentProgress silent;
  const std::size_t matrices = expected_tensors(uneven_spec()).size();
  for (const Kernel kernel : {Kernel::tables, Kernel::columns, Kernel::naive}) {
    const bool columns = kernel == Kernel::columns;
    for (const int width : {0, 4}) {
      CAPTURE(width);
      std::vector<int> bits(matrices, 4 - width);
      bits.front() = width;
      const Model model = random_model(uneven_spec(), bits, 5);
      const std::string sb3 = pack(model,
                                   {.lower = {.context = 20,
                                              .encoding = columns ? "range" : "hex",
                                              .tune = columns ? Tune::scratch : Tune::both,
                                              .kernel = kernel},
                                    .deflate_level = 1},
                                   silent);
      CHECK(check_blocks(model, read_sb3("looked up", as_bytes(sb3))).size() >= 12);
    }
  }
}

TEST_CASE("a soft cap on the logits") {
  SilentProgress silent;
  ModelSpec spec = uneven_spec();
  spec.logit_cap = 0.75;
  const Model model = random_model(spec, {4}, 5);
  const std::string sb3 = pack(model, {.lower = {.context = 20}, .deflate_level = 1}, silent);
  const scratch::Program program = read_sb3("capped.sb3", as_bytes(sb3));
  CHECK(check_blocks(model, program).size() >= 12);
  CHECK(unpack("capped", program).model.spec.logit_cap == 0.75);
  Model uncapped = model;
  uncapped.spec.logit_cap = 0;
  Engine engine(model), plain(uncapped);
  const auto capped = engine.step(1), logits = plain.step(1);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    CHECK(capped[i] == doctest::Approx(0.75 * std::tanh(logits[i] / 0.75)));
  }
}

TEST_CASE("feed-forwards of two matrices, and of three, with relu squared") {
  SilentProgress silent;
  for (const bool gated : {false, true}) {
    CAPTURE(gated);
    ModelSpec spec = uneven_spec();
    FeedForwardSpec& dense = spec.layers[0].feed_forward;
    dense.activation = Activation::relu2;
    dense.gated = gated;
    const Model model = random_model(spec, {4}, 5);
    CHECK(model.tensors.contains({Role::gate, 0}) == gated);
    const std::string sb3 = pack(model, {.lower = {.context = 20}, .deflate_level = 1}, silent);
    const scratch::Program program = read_sb3("relu.sb3", as_bytes(sb3));
    CHECK(check_blocks(model, program).size() >= 12);
    const Model read = unpack("relu", program).model;
    CHECK(read.spec.layers == spec.layers);
  }
}

TEST_CASE("what small families have beside Llama's: norms, biases, positions, halves, scores") {
  SilentProgress silent;
  for (const SmallFamily& family : small_families()) {
    CAPTURE(family.name);
    for (const int bits : {0, 4}) {
      CAPTURE(bits);
      const Model model = random_model(family.spec, {bits}, 5);
      const std::string sb3 = pack(model, {.lower = {.context = 24}, .deflate_level = 1}, silent);
      const scratch::Program program = read_sb3("family.sb3", as_bytes(sb3));
      CHECK(check_blocks(model, program).size() >= 12);
      CHECK(unpack("family", program).model.spec == model.spec);
    }
  }
}

TEST_CASE("sliding windows, past several times their length") {
  constexpr int kContext = 200;
  SilentProgress silent;
  for (const int window : {1, 20, 32, 45, kContext}) {
    CAPTURE(window);
    ModelSpec spec = uneven_spec();
    spec.layers[0].attention.window = window;
    const Model model = random_model(spec, {4}, 5);
    const std::string sb3 =
        pack(model, {.lower = {.context = kContext}, .deflate_level = 1}, silent);
    const scratch::Program program = read_sb3("window.sb3", as_bytes(sb3));
    CHECK(unpack("window", program).model.spec.layers == spec.layers);
    BlockRequest request{.max_new_tokens = 8, .record_logits = 2};
    for (int i = 0; i < 180; ++i) request.tokens.push_back(i * 7919 % spec.vocabulary);
    BlockSession session(program, silent);
    const BlockResult result = session.run(request, silent);
    Engine engine(model, kContext);
    const Agreement agreement =
        check_against_engine(engine, request.tokens, result.tokens, result.logits);
    INFO(agreement.first_difference);
    CHECK(agreement.ok);
    CHECK(agreement.positions >= 180);
    CHECK(agreement.max_rel_error < kUsualError);
  }
}

TEST_CASE("the comparison sees a single changed weight") {
  SilentProgress silent;
  BuiltModel built = build_tiny("tiny-moe", "", 40);
  BlockSession session(read_back(built), silent);
  const BlockRequest request = comparison_request(built.model);
  const BlockResult result = session.run(request, silent);
  auto& q = std::get<CodedTensor>(built.model.tensors.at({Role::q, 1}));
  q.codes[17] ^= 1;
  Engine engine(built.model);
  CHECK(!check_against_engine(engine, request.tokens, result.tokens, result.logits).ok);
}

TEST_CASE("logits of generated tokens only are compared where all of them do not fit a list") {
  SilentProgress silent;
  BuiltModel built = build_tiny("tiny-moe", "", 40);
  BlockSession session(read_back(built), silent);
  const BlockRequest asked = comparison_request(built.model);
  const int positions = static_cast<int>(asked.tokens.size()) + asked.max_new_tokens;
  const BlockRequest all = recording_logits(asked, kMostListItems / positions);
  CHECK(all.record_logits == 2);
  CHECK(all.max_new_tokens == asked.max_new_tokens);
  BlockRequest request = recording_logits(asked, kMostListItems / 3);
  CHECK(request.record_logits == 1);
  CHECK(request.max_new_tokens == 3);
  Engine engine(built.model);
  const auto agreement_now = [&] {
    const BlockResult result = session.run(request, silent);
    return check_against_engine(engine, request.tokens, result.tokens, result.logits,
                                request.record_logits);
  };
  const Agreement some = agreement_now();
  CHECK(some.ok);
  CHECK(some.positions == 3);
  CHECK(some.max_rel_error > 0);
  request = recording_logits(asked, kMostListItems + 1);
  CHECK(request.record_logits == 0);
  const Agreement none = agreement_now();
  CHECK(none.ok);
  CHECK(none.positions == static_cast<std::size_t>(asked.max_new_tokens));
  CHECK(none.max_rel_error == 0);
  auto& q = std::get<CodedTensor>(built.model.tensors.at({Role::q, 1}));
  for (auto& code : q.codes) code ^= 1;
  CHECK_FALSE(agreement_now().ok);
  request.record_logits = 1;
  CHECK_FALSE(agreement_now().ok);
}

TEST_CASE("a prompt after another one, up to the last place of the context") {
  SilentProgress silent;
  const BuiltModel built = build_tiny("tiny-moe", "", 21);
  BlockSession session(read_back(built), silent);
  BlockRequest request = comparison_request(built.model);
  session.run(request, silent);
  std::swap(request.tokens[0], request.tokens[3]);
  request.max_new_tokens = 100;
  const BlockResult result = session.run(request, silent);
  CHECK(result.stop_reason == "context full");
  CHECK(12 + result.tokens.size() == 22);  // the last token stands at position `context`
  Engine engine(built.model, 21);
  const Agreement agreement =
      check_against_engine(engine, request.tokens, result.tokens, result.logits);
  INFO(agreement.first_difference);
  CHECK(agreement.ok);
}

TEST_CASE("sampled tokens are the native sampler's") {
  SilentProgress silent;
  const BuiltModel built = build_tiny("tiny-moe", "", 40);
  BlockSession session(read_back(built), silent);
  Engine engine(built.model);
  for (int seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    BlockRequest request = comparison_request(built.model);
    request.max_new_tokens = 12;
    request.record_logits = 1;
    request.temperature = 0.5 + 0.3 * seed;
    request.top_k = seed % 2 == 0 ? 20 : 0;
    request.top_p = seed % 3 == 0 ? 0.8713 : 1;
    request.repetition_penalty = seed > 3 ? 1.2 : 1;
    request.seed = seed;
    const BlockResult result = session.run(request, silent);
    GenerateOptions options{.sampling = {.temperature = request.temperature,
                                         .top_k = static_cast<int>(request.top_k),
                                         .top_p = request.top_p,
                                         .repetition_penalty = request.repetition_penalty,
                                         .seed = request.seed},
                            .max_new_tokens = 12,
                            .record = RecordLogits::generated,
                            .stop_ids = built.model.tokenizer.stop_ids};
    options.stop_ids.insert(options.stop_ids.end(), built.model.chat.stop_ids.begin(),
                            built.model.chat.stop_ids.end());
    const Generated native = generate(engine, request.tokens, options);
    CHECK(result.tokens == native.tokens);
    CHECK(result.stop_reason == native.stop_reason);
    CHECK(result.logits.size() == native.logits.size() * 512);
  }
}

TEST_CASE("what was packed is what is read back") {
  for (const char* preset : {"tiny-moe-flipped", "tiny-moe-untied", "tiny-dense"}) {
    CAPTURE(preset);
    const BuiltModel built = build_tiny(preset, "", 40);
    const Unpacked unpacked = unpack(built.name, read_back(built));
    for (const auto& [key, tensor] : built.model.tensors) {
      CAPTURE(tensor_key_text(key));
      const Tensor& other = unpacked.model.at(key);
      REQUIRE(shape_of(other) == shape_of(tensor));
      const Shape shape = shape_of(tensor);
      for (int row = 0; row < shape.rows; ++row) {
        for (int col = 0; col < shape.cols; ++col) {
          REQUIRE(weight_at(other, row, col) == weight_at(tensor, row, col));
        }
      }
    }
  }
}
