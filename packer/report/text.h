// A report for people and for programs.
#pragma once

#include <string>

#include "report/report.h"

namespace sb3lm {

/// Aligned tables of components, totals and limits.
std::string report_text(const Report& report);

/// docs/report-json.md describes it.
std::string report_json(const Report& report);

}  // namespace sb3lm
