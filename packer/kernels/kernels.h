// The forward pass as Scratch procedures, one file each. `..._at` arguments are positions in a
// list, counted from 1; regions are positions in Workspace::act.
#pragma once

#include <optional>
#include <vector>

#include "kernels/workspace.h"
#include "model/steps.h"

namespace sb3lm {

/// exp(x): sets Workspace::exp to e^x, within 1 ulp over the whole double range, from + - * floor
/// and a list of powers of two only. prepare fills that list and must run once before.
struct ExpBlocks {
  blocks::Proc<> prepare;
  blocks::Proc<blocks::Num> exp;
  blocks::List<blocks::Num> powers;
  int one_at = 0;  // of 2^0 among the powers
};
ExpBlocks emit_exp(blocks::Sprite& engine, const Workspace& w);

/// tanh(x): sets Workspace::exp to tanh x, within 2 ulp, from the same operations and list.
blocks::Proc<blocks::Num> emit_tanh(blocks::Sprite& engine, const Workspace& w,
                                    const ExpBlocks& exp);

/// table(in_at, groups): for each group of 8 inputs x1..x8 at `in_at`, all 256 subset sums; entry
/// 256*group + code + 1 sums the x whose bit is set in `code`, x1 being the most significant bit.
/// Sets Workspace::sum to the sum of all inputs.
blocks::Proc<blocks::Num, blocks::Num> emit_table(blocks::Sprite& engine, const Workspace& w);

/// The `start` of codes that mean step * code + offset with offset -2^(bits-1), or 2 * code - 1 for
/// one bit (whose row scale is stored doubled): n doublings later it is the offset times sum(x).
inline double row_start(int bits) {
  return bits == 1 ? -0.25 : -0.5;
}

/// Float matrices: rows are stored padded to chunks * chunk items.
struct DotShape {
  static constexpr int kMaxChunk = 48;   // twice as many gain 5 % and cost 2 KB of blocks
  static constexpr int kRareChunk = 16;  // of matrices that are a hundredth of the work
  int chunk = 0;
  int chunks = 0;
  int stride() const { return chunk * chunks; }
  static DotShape of(int cols, int most = kMaxChunk) {
    const int chunks = (cols + most - 1) / most;
    return {(cols + chunks - 1) / chunks, chunks};
  }
  auto operator<=>(const DotShape&) const = default;
};
/// dot C(weights_at, rows, in_at, out_at): out = W x with one list item per weight.
using DotProc = blocks::Proc<blocks::Num, blocks::Num, blocks::Num, blocks::Num>;
DotProc emit_dot(blocks::Sprite& engine, const Workspace& w, DotShape shape);

/// rmsnorm(in_at, weight_at, out_at): out = factor * x / sqrt(mean(x^2) + eps) * weight over
/// `width` items.
blocks::Proc<blocks::Num, blocks::Num, blocks::Num> emit_rmsnorm(
    blocks::Sprite& engine, const Workspace& w, int width, double eps,
    const std::string& name = "rmsnorm", double factor = 1);

/// plain norm(in_at, factor, out_at): out = factor * x / sqrt(mean(x^2) + eps) over `width` items;
/// in place too.
blocks::Proc<blocks::Num, blocks::Num, blocks::Num> emit_plain_norm(blocks::Sprite& engine,
                                                                    const Workspace& w, int width,
                                                                    double eps,
                                                                    const std::string& name);

/// centre(in_at, out_at): out = x - mean(x) over `width` items; in place too.
blocks::Proc<blocks::Num, blocks::Num> emit_centre(blocks::Sprite& engine, const Workspace& w,
                                                   int width, const std::string& name);

/// scale(factor, at, count): x = factor * x, in place.
blocks::Proc<blocks::Num, blocks::Num, blocks::Num> emit_scale(blocks::Sprite& engine,
                                                               const Workspace& w);

/// cap(at, count): x = c * tanh(x / c), in place; `tanh` is emit_tanh's.
using CapProc = blocks::Proc<blocks::Num, blocks::Num>;
CapProc emit_cap(blocks::Sprite& engine, const Workspace& w, const blocks::Proc<blocks::Num>& tanh,
                 double cap, const std::string& name);

/// add(from_at, factor, to_at, count): to += factor * from.
using AddProc = blocks::Proc<blocks::Num, blocks::Num, blocks::Num, blocks::Num>;
AddProc emit_add(blocks::Sprite& engine, const Workspace& w);

/// add numbers(numbers_at, to_at, count): to += numbers of `scales`.
blocks::Proc<blocks::Num, blocks::Num, blocks::Num> emit_add_numbers(blocks::Sprite& engine,
                                                                     const Workspace& w);

/// add scaled(from_at, numbers_at, to_at, count): to += from * numbers of `scales`, item by item.
AddProc emit_add_scaled(blocks::Sprite& engine, const Workspace& w);

/// copy(from_at, to_at, count).
blocks::Proc<blocks::Num, blocks::Num, blocks::Num> emit_copy(blocks::Sprite& engine,
                                                              const Workspace& w);

/// mix(own_numbers_at, other_numbers_at, from_at, to_at, count): to = own * to + other * from, by
/// numbers of `scales`.
using MixProc = blocks::Proc<blocks::Num, blocks::Num, blocks::Num, blocks::Num, blocks::Num>;
MixProc emit_mix(blocks::Sprite& engine, const Workspace& w);

/// smear(gates_at, from_at, to_at, count): to = (1 - g) * to + g * from, g = 1 / (1 + e^-gate) of
/// the gates in `scales`.
AddProc emit_smear(blocks::Sprite& engine, const Workspace& w, const ExpBlocks& exp);

/// gain(numbers_at, at, heads, size): multiplies each head by its number of `scales`.
AddProc emit_gain(blocks::Sprite& engine, const Workspace& w);

/// exclude: out -= (out . n) n for every query head, n = v / |v| of its KV head.
struct ExcludeShape {
  ExcludeWith with;
  int v_at = 0, out_at = 0;  // in act
  bool operator==(const ExcludeShape&) const = default;
};
blocks::Proc<> emit_exclude(blocks::Sprite& engine, const Workspace& w, const ExcludeShape& shape,
                            const std::string& name);

/// bigram(token, before): Workspace::sum = the row of a table with `buckets` rows (bigram_row in
/// model/spec.h); before -1: none.
blocks::Proc<blocks::Num, blocks::Num> emit_bigram(blocks::Sprite& engine, const Workspace& w,
                                                   int buckets, const std::string& name);

/// gate(gate_at, up_at, count): gate = f(gate) * up, in place.
blocks::Proc<blocks::Num, blocks::Num, blocks::Num> emit_gate(blocks::Sprite& engine,
                                                              const Workspace& w,
                                                              const ExpBlocks& exp,
                                                              Activation activation);
/// activate(at, count): x = f(x), in place.
blocks::Proc<blocks::Num, blocks::Num> emit_activate(blocks::Sprite& engine, const Workspace& w,
                                                     const ExpBlocks& exp, Activation activation);

/// advance: sets the cos/sin lists to Workspace::position, wherever they stood; back means from 0
/// again. Angles move on by one rotation per position; every 64 positions they restart from a
/// second stored rotation, which keeps the error near 1e-15. apply(at, heads): turns heads in
/// place.
struct RopeBlocks {
  blocks::Proc<> advance;
  blocks::Proc<blocks::Num, blocks::Num> apply;
};
RopeBlocks emit_rope(blocks::Sprite& engine, const Workspace& w, const RopeSpec& rope,
                     int head_size, const std::string& name);

/// cache(cache_at): puts the `width` keys and values of this position, which are in `act`, into a
/// pass's cache (both lists from `cache_at` on) of `span` positions. Where it wraps, position p
/// lies in place p mod span.
struct StoreShape {
  int width = 0, span = 0;
  bool wraps = false;
  int k_at = 0, v_at = 0;  // in act
  bool operator==(const StoreShape&) const = default;
};
blocks::Proc<blocks::Num> emit_store(blocks::Sprite& engine, const Workspace& w,
                                     const StoreShape& shape, const std::string& name);

/// attend(cache_at): softmax(scores) v over the positions stored so far, for every query head;
/// scores are q.k, scaled, and capped where there is a cap. `span` is the number of positions that
/// the cache holds, a multiple of kValueBlock; the scores' region has room for kHeadsAtOnce times
/// (span + kValueBlock).
struct AttendShape {
  AttendWith with;
  int span = 0;
  bool wraps = false;  // the cache holds no more than the window needs, as in StoreShape
  int q_at = 0, scores_at = 0, out_at = 0;  // in act
  bool operator==(const AttendShape&) const = default;
};
inline constexpr int kValueBlock = 32;
inline constexpr int kHeadsAtOnce = 4;
/// What scores go through. The cap is before scaling: score_cap / the scale.
struct ScoreBlocks {
  ExpBlocks exp;
  std::optional<CapProc> cap;
};
/// By what q.k is multiplied.
double score_factor(const AttendWith& with);
blocks::Proc<blocks::Num> emit_attention(blocks::Sprite& engine, const Workspace& w,
                                         const ScoreBlocks& on_scores, const AttendShape& shape,
                                         const std::string& name);

/// route(logits_at, weights_at): from `experts` logits the weights of the chosen top_k, 0 for all
/// others; ties go to the lower index.
blocks::Proc<blocks::Num, blocks::Num> emit_router(blocks::Sprite& engine, const Workspace& w,
                                                   const ExpBlocks& exp, const RouteWith& with,
                                                   const std::string& name);

/// embed(codes_at, scale_at, out_at): one row of a matrix of bit planes as numbers.
blocks::Proc<blocks::Num, blocks::Num, blocks::Num> emit_embed_codes(
    blocks::Sprite& engine, const Workspace& w, int bits, int cols,
    const std::string& name = "embed");
/// embed(weights_at, out_at): one row of a float matrix.
blocks::Proc<blocks::Num, blocks::Num> emit_embed_floats(blocks::Sprite& engine, const Workspace& w,
                                                         int cols,
                                                         const std::string& name = "embed");

/// Next token from raw logits (docs/formats.md, "Numerics"). restart: seeds the generator and
/// forgets what was seen; see(id): id counts for the repetition penalty; pick: sets `token` from
/// the logits.
struct SampleBlocks {
  blocks::Proc<> restart;
  blocks::Proc<blocks::Num> see;
  blocks::Proc<> pick;
  blocks::Var<blocks::Num> token;
  blocks::List<blocks::Num> score, heap, kept;  // leftovers of the last pick
};
struct SampleInputs {
  int vocabulary = 0;
  int logits_at = 0;  // region in act
  blocks::Var<blocks::Num> temperature, top_k, top_p, repetition_penalty, seed;
};
SampleBlocks emit_sample(blocks::Sprite& engine, const Workspace& w, const ExpBlocks& exp,
                         const SampleInputs& in);

}  // namespace sb3lm
