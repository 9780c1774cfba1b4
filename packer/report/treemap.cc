#include "report/treemap.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sb3lm {
namespace {

/// The longer side over the shorter one of the worst box in a row of these areas along `side`.
double worst_ratio(std::span<const double> areas, double side) {
  const double sum = std::accumulate(areas.begin(), areas.end(), 0.0);
  const double thickness = sum / side;
  double worst = 0;
  for (const double area : areas) {
    if (area <= 0) continue;
    const double length = area / thickness;
    worst = std::max({worst, length / thickness, thickness / length});
  }
  return worst;
}

/// How many of the areas belong into one row along `side`.
std::size_t row_size(std::span<const double> areas, double side) {
  std::size_t count = 1;
  while (count < areas.size() &&
         worst_ratio(areas.first(count + 1), side) <= worst_ratio(areas.first(count), side)) {
    ++count;
  }
  return count;
}

}  // namespace

std::vector<Box> squarify(std::span<const double> sizes, const Box& whole) {
  std::vector<Box> boxes;
  const double sum = std::accumulate(sizes.begin(), sizes.end(), 0.0);
  std::vector<double> areas;
  for (const double size : sizes) areas.push_back(sum > 0 ? size / sum * whole.area() : 0);
  Box rest = whole;
  for (std::span<const double> left = areas; !left.empty();) {
    const bool upright = rest.width >= rest.height;  // a column at the left edge, else a row
    const double side = upright ? rest.height : rest.width;
    const std::size_t count = side > 0 ? row_size(left, side) : left.size();
    const auto row = left.first(count);
    const double filled = std::accumulate(row.begin(), row.end(), 0.0);
    const double thickness = side > 0 ? filled / side : 0;
    double at = 0;
    for (const double area : row) {
      const double length = thickness > 0 ? area / thickness : 0;
      boxes.push_back(upright ? Box{rest.x, rest.y + at, thickness, length}
                              : Box{rest.x + at, rest.y, length, thickness});
      at += length;
    }
    if (upright) {
      rest.x += thickness;
      rest.width = std::max(0.0, rest.width - thickness);
    } else {
      rest.y += thickness;
      rest.height = std::max(0.0, rest.height - thickness);
    }
    left = left.subspan(count);
  }
  return boxes;
}

}  // namespace sb3lm
