// The text of small kernels, so that a change of what is emitted shows in review. Golden files are
// in tests/golden; SB3LM_UPDATE_GOLDENS=1 writes them anew.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>

#include "base/file.h"
#include "kernels/kernels.h"
#include "kernels/rows.h"
#include "quant/encoding.h"
#include "scratch/print.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::blocks;

struct Bench {
  Sprite& engine;
  const Workspace& w;
  const ExpBlocks& exp;  // its procedures are printed only by the golden of exp itself
};

DecodeLists decode_lists(const Bench& b) {
  return {.text = b.engine.list<Str>("_text"),
          .codes = b.w.codes,
          .scales = b.w.scales,
          .spread = b.engine.list<Num>("_spread")};
}

struct Golden {
  const char* name;
  std::function<void(const Bench&)> emit;
  Tune tune = Tune::turbowarp;
};

const AttendWith kAttention{.query_heads = 4, .kv_heads = 2, .head_size = 3};

const Golden kGoldens[] = {
    {"rows_turbowarp", [](const Bench& b) { RowKernels(b.engine, b.w).of(2); }, Tune::turbowarp},
    {"rows_scratch", [](const Bench& b) { RowKernels(b.engine, b.w).of(2); }, Tune::scratch},
    {"rows_both", [](const Bench& b) { RowKernels(b.engine, b.w).of(1); }, Tune::both},
    {"dot", [](const Bench& b) { emit_dot(b.engine, b.w, DotShape::of(3)); }},
    {"rmsnorm", [](const Bench& b) { emit_rmsnorm(b.engine, b.w, 4, 1e-5); }},
    {"plain_norm",
     [](const Bench& b) { emit_plain_norm(b.engine, b.w, 6, 0x1p-23, "plain norm"); }},
    {"centre", [](const Bench& b) { emit_centre(b.engine, b.w, 6, "centre"); }},
    {"scale", [](const Bench& b) { emit_scale(b.engine, b.w); }},
    {"add", [](const Bench& b) { emit_add(b.engine, b.w); }},
    {"add_numbers", [](const Bench& b) { emit_add_numbers(b.engine, b.w); }},
    {"add_scaled", [](const Bench& b) { emit_add_scaled(b.engine, b.w); }},
    {"copy", [](const Bench& b) { emit_copy(b.engine, b.w); }},
    {"mix", [](const Bench& b) { emit_mix(b.engine, b.w); }},
    {"smear", [](const Bench& b) { emit_smear(b.engine, b.w, b.exp); }},
    {"gain", [](const Bench& b) { emit_gain(b.engine, b.w); }},
    {"exclude",
     [](const Bench& b) {
       emit_exclude(b.engine, b.w, {.with = {4, 2, 3}, .v_at = 1, .out_at = 7}, "1");
     }},
    {"bigram", [](const Bench& b) { emit_bigram(b.engine, b.w, 97, "bigram 1"); }},
    {"swiglu", [](const Bench& b) { emit_gate(b.engine, b.w, b.exp, Activation::silu); }},
    {"relu2", [](const Bench& b) { emit_activate(b.engine, b.w, b.exp, Activation::relu2); }},
    {"relu", [](const Bench& b) { emit_activate(b.engine, b.w, b.exp, Activation::relu); }},
    {"gelu", [](const Bench& b) { emit_activate(b.engine, b.w, b.exp, Activation::gelu); }},
    {"gelu_tanh_gate",
     [](const Bench& b) { emit_gate(b.engine, b.w, b.exp, Activation::gelu_tanh); }},
    {"rope",
     [](const Bench& b) {
       emit_rope(b.engine, b.w, {.layout = RopeLayout::interleaved, .dims = 4}, 6, "1");
     }},
    {"attention",
     [](const Bench& b) {
       emit_store(b.engine, b.w, {.width = 6, .span = 32, .k_at = 13, .v_at = 19}, "1");
       emit_attention(b.engine, b.w, {b.exp, {}},
                      {.with = kAttention, .span = 32, .q_at = 1, .scores_at = 25, .out_at = 281},
                      "1");
     }},
    {"attention_capped",
     [](const Bench& b) {
       AttendWith with = kAttention;
       with.score_scale = 0.5;
       with.score_cap = 20;
       const auto tanh = emit_tanh(b.engine, b.w, b.exp);
       const auto cap = emit_cap(b.engine, b.w, tanh, 40, "cap 1");
       emit_attention(b.engine, b.w, {b.exp, cap},
                      {.with = with, .span = 32, .q_at = 1, .scores_at = 25, .out_at = 281}, "1");
     }},
    {"router",
     [](const Bench& b) { emit_router(b.engine, b.w, b.exp, {.experts = 4, .top_k = 2}, "1"); }},
    {"embed_codes", [](const Bench& b) { emit_embed_codes(b.engine, b.w, 2, 8); }},
    {"embed_floats", [](const Bench& b) { emit_embed_floats(b.engine, b.w, 8); }},
    {"decode_hex_1",
     [](const Bench& b) { code_encoding("hex").emit_decode(b.engine, decode_lists(b), 1); }},
    {"decode_hex_3",
     [](const Bench& b) { code_encoding("hex").emit_decode(b.engine, decode_lists(b), 3); }},
    {"decode_hex_6",
     [](const Bench& b) { code_encoding("hex").emit_decode(b.engine, decode_lists(b), 6); }},
    {"decode_halves", [](const Bench& b) { emit_decode_halves(b.engine, decode_lists(b)); }},
};

std::string printed(const scratch::Program& program, std::size_t first) {
  std::string text;
  const auto& procedures = program.targets[0].procedures;
  for (std::size_t i = first; i < procedures.size(); ++i) {
    text += (text.empty() ? "" : "\n") + print_procedure(procedures[i]);
  }
  return text;
}

void check_golden(const std::string& name, const std::string& text) {
  CAPTURE(name);
  const std::filesystem::path path =
      std::filesystem::path(SB3LM_SOURCE_DIR "/tests/golden") / (name + ".blocks");
  const char* update = std::getenv("SB3LM_UPDATE_GOLDENS");
  if (update != nullptr && std::string(update) == "1") write_file(path, text);
  if (!std::filesystem::exists(path)) {
    FAIL("there is no ", path.string(), ": SB3LM_UPDATE_GOLDENS=1 writes it");
  }
  CHECK_MESSAGE(MappedFile(path).text() == text, "the blocks are others than in ", path.string(),
                "; SB3LM_UPDATE_GOLDENS=1 writes it anew:\n", text);
}

}  // namespace

TEST_CASE("the blocks of small kernels") {
  for (const Golden& golden : kGoldens) {
    scratch::Program program;
    program.targets.push_back({.name = "engine"});
    Sprite engine(program, 0);
    const Workspace w = make_workspace(engine, {.tune = golden.tune});
    const ExpBlocks exp = emit_exp(engine, w);
    const std::size_t first = program.targets[0].procedures.size();
    golden.emit({engine, w, exp});
    REQUIRE(program.targets[0].procedures.size() > first);
    check_golden(golden.name, printed(program, first));
  }
}

TEST_CASE("the blocks of exp") {
  scratch::Program program;
  program.targets.push_back({.name = "engine"});
  Sprite engine(program, 0);
  emit_exp(engine, make_workspace(engine, {}));
  check_golden("exp", printed(program, 0));
}
