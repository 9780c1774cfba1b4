// Rectangles whose areas are in proportion to sizes, as square as can be.
#pragma once

#include <span>
#include <vector>

namespace sb3lm {

struct Box {
  double x = 0, y = 0, width = 0, height = 0;
  double area() const { return width * height; }
};

/// One box per size, in the same order, filling `whole` without overlap. Sizes are at least 0 and
/// best sorted downwards: rows are filled along the shorter side and closed where another box would
/// make the worst one of the row less square (Bruls, Huizing, van Wijk: Squarified Treemaps, 2000).
std::vector<Box> squarify(std::span<const double> sizes, const Box& whole);

}  // namespace sb3lm
