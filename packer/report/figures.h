// Figures that every form of a report shows.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "report/report.h"
#include "report/separators.h"

namespace sb3lm {

inline std::uint64_t whole_bytes(std::uint64_t bits) {
  return bits / 8 + (bits % 8 != 0);
}

inline double share_of_budget(std::size_t bytes) {
  return static_cast<double>(bytes) / static_cast<double>(budget_of(BuildTarget::sb3));
}

inline bool is_shown(const ComponentRow& row) {
  return row.values != 0 || row.sb3_bits != 0;
}

inline ComponentRow total_of(const Report& report) {
  ComponentRow total;
  for (const ComponentRow& row : report.components) {
    total.values += row.values;
    total.packed_bits += row.packed_bits;
    total.entropy_bits += row.entropy_bits;
    total.sb3_bits += row.sb3_bits;
    total.sb3_bytes += row.sb3_bytes;
  }
  return total;
}

inline std::string_view verdict(const Limit& limit, std::size_t size) {
  if (size <= limit.most) return "ok";
  return limit.is_warning ? "large" : "over";
}

inline std::int64_t scale_count(const Report& report) {
  return report.components[static_cast<std::size_t>(Component::row_scales)].values;
}

}  // namespace sb3lm
