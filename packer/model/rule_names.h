// Names of the engine's lists that hold a tokenizer's rules for texts (kernels/rewriter.h), which
// readers of an .sb3 look into too.
#pragma once

namespace sb3lm::names {

inline constexpr char kRuleRows[] = "_letter rule rows", kRuleTexts[] = "_letter rule texts",
                      kRulePairs[] = "_letter rule pairs", kRuleResults[] = "_letter rule results",
                      kTokenWhole[] = "_token whole", kJoinedStarts[] = "_joined starts",
                      kJoinedPlaces[] = "_joined places", kJoinedParts[] = "_joined parts";

}  // namespace sb3lm::names
