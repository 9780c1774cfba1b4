// What the players of Scratch projects take, as far as generated blocks and their checks depend on
// it (docs/costs.md; docs/formats.md, "Limits").
#pragma once

namespace sb3lm {

/// Vanilla Scratch silently ignores what is added to a list of so many items.
inline constexpr int kMostListItems = 200'000;

/// Lookups in one procedure: V8 gives up optimising it at about 500.
inline constexpr int kMaxLookups = 384;

}  // namespace sb3lm
