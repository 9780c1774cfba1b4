// Numbers as JavaScript (and so Scratch) writes and reads them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sb3lm {

/// The text of JavaScript's String(value): the shortest digits that read back to the same double,
/// plain up to 1e21, exponent below 1e-6 ("1e-7", "1.5e+21"), "Infinity", "NaN"; -0 gives "0".
/// (ECMA-262, Number::toString.)
std::string js_number_text(double value);

/// JavaScript's Number(text): surrounding white space ignored, "" is 0, decimal, 0x, 0o, 0b and
/// Infinity; nothing if the text is not a number (JavaScript's NaN).
std::optional<double> js_parse_number(std::string_view text);

}  // namespace sb3lm
