#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/error.h"
#include "model/spec.h"
#include "model/tensor.h"
#include "support/tiny_model.h"

using namespace sb3lm;

namespace {

std::string error_of(const ModelSpec& spec) {
  try {
    spec.validate("file");
  } catch (const Error& problem) {
    CHECK(problem.fault == Fault::bad_input);
    return problem.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("contradictions are named") {
  const ModelSpec good = tiny_model("tiny-moe").spec;
  CHECK(error_of(good) == "no error");
  const auto error = [&good](auto change) {
    ModelSpec spec = good;
    change(spec);
    return error_of(spec);
  };
  CHECK(error([](ModelSpec& s) { s.width = 0; }) == "file: width 0 is outside 1..1048576");
  CHECK(error([](ModelSpec& s) {
          s.layers[1].feed_forward.shared_experts = 0;
          s.layers[1].feed_forward.shared_gated = true;
        }) == "file: layer 1: a gate for the shared expert without a shared expert");
  CHECK(error([](ModelSpec& s) { s.norm_eps = -1; }) == "file: norm eps -1 is outside 0..1");
  CHECK(error([](ModelSpec& s) { s.passes = {}; }) ==
        "file: number of passes 0 is outside 1..2048");
  CHECK(error([](ModelSpec& s) {
          s.passes = {0, 1, 3};
        }) == "file: layer index of a pass 3 is outside 0..2");
  CHECK(error([](ModelSpec& s) { s.passes = {0, 1}; }) == "file: layer 2: no pass runs it");
  CHECK(error([](ModelSpec& s) { s.layers[1].attention.kv_heads = 3; }) ==
        "file: layer 1: 4 query heads cannot share 3 KV heads evenly");
  CHECK(error([](ModelSpec& s) { s.layers[1].attention.rope.dims = 5; }) ==
        "file: layer 1: rotated dims 5 must be even and at most the head size 16");
  CHECK(error([](ModelSpec& s) { s.layers[1].attention.rope.base = 0.5; }) ==
        "file: layer 1: RoPE base 0.5 is outside 1..1e+30");
  CHECK(error([](ModelSpec& s) { s.layers[0].feed_forward.top_k = 9; }) ==
        "file: layer 0: top-k 9 is outside 1..4 (the routed experts)");
  CHECK(error([](ModelSpec& s) { s.layers[0].feed_forward.routed_experts = 0; }) ==
        "file: layer 0: a dense layer has neither shared experts nor a top-k");
  CHECK(error([](ModelSpec& s) { s.layers[0].feed_forward.bias = true; }) ==
        "file: layer 0: biases of the feed-forward beside a mixture");
  CHECK(error([](ModelSpec& s) { s.layers[0].after_norms = true; }) ==
        "file: layer 0: norms after halves beside a mixture");
  CHECK(error([](ModelSpec& s) { s.learned_positions = s.context - 1; }) ==
        fmt::format("file: context {} is more than the {} learned positions", good.context,
                    good.context - 1));
  CHECK(error([](ModelSpec& s) { s.layers[1].attention.rope.scaling = RopeScaling::llama3; }) ==
        "file: layer 1: RoPE scaling llama3 without original positions");
  CHECK(error([](ModelSpec& s) {
          RopeSpec& rope = s.layers[1].attention.rope;
          rope.scaling = RopeScaling::llama3;
          rope.original_positions = 8192;
          rope.low_frequency = 4;
        }) == "file: layer 1: low frequency 4 must be below the high frequency 4");
}

TEST_CASE("norms after halves need an eps: a half may give zeros") {
  ModelSpec spec = tiny_model("tiny-dense").spec;
  spec.layers[1].after_norms = true;
  CHECK(error_of(spec) == "no error");
  spec.norm_eps = 0;
  CHECK(error_of(spec) == "file: layer 1: norms after halves with norm eps 0");
}

TEST_CASE("learned positions end a context") {
  ModelSpec spec = tiny_model("tiny-dense").spec;
  spec.check_context(1 << 20);
  spec.learned_positions = 1024;
  spec.check_context(1024);
  CHECK_THROWS_WITH_AS(spec.check_context(1025),
                       "context 1025: the model has learned 1024 positions", Error);
}

TEST_CASE("with one norm for both halves there is no other") {
  ModelSpec spec = tiny_model("tiny-dense").spec;
  spec.norm = NormKind::layer;
  CHECK(shape_of_role(Role::ffn_norm, spec, 0));
  CHECK(shape_of_role(Role::ffn_norm_bias, spec, 0));
  spec.layers[0].residual = Residual::parallel_one_norm;
  CHECK_FALSE(shape_of_role(Role::ffn_norm, spec, 0));
  CHECK_FALSE(shape_of_role(Role::ffn_norm_bias, spec, 0));
  CHECK(shape_of_role(Role::attention_norm_bias, spec, 0));
}

TEST_CASE("every tensor key reads back from its text") {
  for (const char* preset : {"tiny-moe-untied", "tiny-dense"}) {
    for (const auto& [key, shape] : expected_tensors(tiny_model(preset).spec)) {
      CHECK(tensor_key_from_text(tensor_key_text(key)) == key);
      CHECK(role_from_name(role_name(key.role)) == key.role);
    }
  }
  CHECK(tensor_key_text({Role::expert_gate, 0, 5}) == "layer 0 expert 5 gate");
  CHECK(tensor_key_text({Role::expert_gate, 0}) == "layer 0 expert * gate");
  CHECK(tensor_key_from_text("layer 0 expert * gate") == TensorKey{Role::expert_gate, 0, -1});
  for (const char* wrong : {"", "q", "layer 0", "layer x q", "layer 0 embedding", "layer -1 q",
                            "layer 0 expert 1 router", "layer 0 expert_gate"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(tensor_key_from_text(wrong), Error);
  }
}

TEST_CASE("weights are exact") {
  CodedTensor coded{{1, 3}, CodeFormat::of_bits(4), {0, 8, 15}, {0x3800}};  // scale 0.5
  CHECK(weight_at(coded, 0, 0) == -4.0);
  CHECK(weight_at(coded, 0, 1) == 0.0);
  CHECK(weight_at(coded, 0, 2) == 3.5);
  CHECK(weight_at(FloatTensor{{2, 1}, FloatType::f32, {1.5F, -2.0F}}, 1, 0) == -2.0);
}
