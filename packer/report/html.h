// A report as one self-contained page: no scripts, nothing fetched, readable on a phone.
#pragma once

#include <string>

#include "report/report.h"

namespace sb3lm {

std::string report_html(const Report& report);

}  // namespace sb3lm
