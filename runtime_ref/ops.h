// The operations of a transformer in doubles, one by one as a textbook has them: the arithmetic
// that the blocks are judged by. Weights are dequantised exactly; nothing here knows how the blocks
// order their sums. Ops do not throw: shapes are the caller's business (Engine checks them once).
#pragma once

#include <span>
#include <vector>

#include "model/spec.h"
#include "model/tensor.h"
#include "runtime_ref/cache.h"

namespace sb3lm::ops {

/// sum of a[i] b[i], in the order of base/vectors.h.
double dot(std::span<const double> a, std::span<const double> b);

/// out[c] = w[row, c], exactly: (step * code + offset) * scale has at most 8 + 11 significant bits.
void dequantise_row(const Tensor& w, int row, std::span<double> out);

/// y[r] = dot(w[r, :], x); w is [y.size(), x.size()].
void matvec(const Tensor& w, std::span<const double> x, std::span<double> y);

/// out[i] = x[i] / sqrt(mean(x^2) + eps) * w[0, i]. `out` may not be `x`.
void rms_norm(const Tensor& w, std::span<const double> x, double eps, std::span<double> out);

/// The same without w, in place.
void plain_norm(std::span<double> x, double eps);

/// x[i] -= mean(x).
void centre(std::span<double> x);

/// For every query head h with KV head g: y[h] -= (y[h] . n) n, n = v[g] / max(|v[g]|, 1e-12).
void exclude(const AttentionSpec& spec, std::span<const double> v, std::span<double> y);

/// By how much pair j turns from one position to the next, without the sign: base^(-2j/dims),
/// scaled by the formulas of packer/model/spec.h.
double frequency(const RopeSpec& rope, int j);

/// The cosine and sine of each pair's angle, sign * position * frequency, for j < dims / 2.
struct Rotation {
  std::vector<double> cosine, sine;
};
Rotation rotation_at(const RopeSpec& rope, int position);

/// Turns the pairs of one head in place, (a, b) -> (a cos - b sin, a sin + b cos); elements from
/// rope.dims on, and everything for layout none, stay as they are.
void rope(const RopeSpec& rope, const Rotation& rotation, std::span<double> head);

/// x[i] = exp(x[i] - max) / sum of those, in place. Not for an empty x.
void softmax(std::span<double> x);

/// x / (1 + exp(-x)).
double silu(double x);
/// By the formulas of packer/model/spec.h.
double activate(Activation activation, double x);
/// 1 / (1 + exp(-x)).
double sigmoid(double x);
/// c * tanh(x / c).
double capped(double x, double c);

/// For every query head h with KV head g = h / (query_heads / kv_heads), over the cached positions
/// p that the window leaves:
///   out[h] = sum of softmax_p(score(q[h] . key_p[g])) * value_p[g],
/// scaled and capped by the formulas of packer/model/spec.h.
/// q and out are [query_heads, head_size]; the cache holds the current position already.
void attention(const AttentionSpec& spec, std::span<const double> q, const KvCache& cache,
               std::span<double> out);

/// Index of the largest value, the lowest one among equals. Not for an empty x.
int argmax(std::span<const double> x);

/// Indices of the k largest values (lower index first among equals), in ascending order of index.
std::vector<int> top_k(std::span<const double> x, int k);

/// (smallest chosen - largest not chosen) / max |x|: how near the choice was to another one, 0 for
/// a tie, infinity if nothing was left out.
double choice_margin(std::span<const double> x, std::span<const int> chosen);

}  // namespace sb3lm::ops
