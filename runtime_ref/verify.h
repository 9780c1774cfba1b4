// What the blocks said against what the verification engine says (ARCHITECTURE.md, "Proof").
#pragma once

#include <span>
#include <string>
#include <vector>

#include "runtime_ref/block_session.h"
#include "runtime_ref/engine.h"

namespace sb3lm {

/// Largest |difference| of logits, relative to the largest |logit| of the position, that different
/// orders of summation may leave.
inline constexpr double kLogitTolerance = 1e-9;
/// Below this relative margin a greedy choice or a choice of experts is a tie that may go both
/// ways.
inline constexpr double kTieMargin = 1e-9;

struct Agreement {
  bool ok = true;
  std::size_t positions = 0;  // compared
  double max_rel_error = 0;
  std::string first_difference;  // empty if none
  std::vector<std::string> near_ties;
};

/// The request with `record logits` such that the list of logits holds them: of all positions (2);
/// or of those that tokens are chosen at (1), and no more new tokens than that allows; or of none
/// (0) where the vocabulary alone is too large. It depends on numbers only, so that the players of
/// a project are asked alike.
BlockRequest recording_logits(BlockRequest request, int vocabulary);

/// Checks recorded logits, and that every output token is the greedy choice. `logits` are the rows
/// after each other: with `record_logits` 2 after each prompt token and each output token but the
/// last; with 1 after the prompt's last token, and so on; with 0 none. `kept`: the engine's ids of
/// all tokens that the blocks have, where the engine has more. Resets the engine.
Agreement check_against_engine(Engine& engine, const std::vector<int>& prompt,
                               const std::vector<int>& output, std::span<const double> logits,
                               int record_logits = 2, std::span<const int> kept = {});

/// Bit for bit; -0 and 0 differ.
bool same_bits(std::span<const double> a, std::span<const double> b);

}  // namespace sb3lm
