// The regular expressions of pre-tokenizers, as far as tokenizers use them: alternatives that are
// rows of letters, sets and groups of such rows.
#pragma once

#include <string>
#include <string_view>

#include "model/cut_pattern.h"

namespace sb3lm {

/// GPT-2's pattern, which ByteLevel brings along.
inline constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

/// A step that makes a piece of each match. Known are letters, escapes (\r \n \t \f, \s \S \d \D,
/// \p{..} and \P{..} of L, M, N, Nd, P and S, \uHHHH, \x{H}, and signs), sets [..] of these and of
/// ranges, ? * + {n} {n,} {n,m} after one of them, groups (..) (?:..) (?i:..) of alternatives, and
/// (?!..) of one set at the end. Throws unsupported with what else it has, bad_input where it is no
/// regular expression.
/// `file` is where the pattern stands.
CutStep parse_pattern(const std::string& file, std::string_view pattern);

/// The pattern of a text as it stands.
std::string as_pattern(std::string_view text);

}  // namespace sb3lm
