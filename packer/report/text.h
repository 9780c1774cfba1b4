// A report for people and for programs.
#pragma once

#include <string>

#include "report/report.h"

namespace sb3lm {

/// Aligned tables of components, totals and limits.
std::string report_text(const Report& report);

/// docs/report-json.md describes it.
std::string report_json(const Report& report);

/// What would make an .sb3 fit, as a table; empty if it fits.
std::string advice_text(const Report& report);

/// One line about the letters that can be typed (see describe).
std::string letters_text(const std::string& letters);

/// "scales to 6 mantissa bits, routers to 8 bits: ..." with what that changes, where measured.
std::string rounding_text(const Rounding& rounding);
/// A line for what was measured, one for each continuation, and the advice.
std::string sense_text(const Sense& sense);

/// "1,609,641 bytes before it runs or after `unload`, else about ...": what an editor makes of it.
std::string resaved_text(const Report& report);

}  // namespace sb3lm
