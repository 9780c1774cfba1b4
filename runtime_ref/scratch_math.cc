#include "runtime_ref/scratch_math.h"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <numbers>
#include <optional>

#include "base/error.h"
#include "base/number_text.h"

namespace sb3lm {
namespace {

// Digits only, up to 15 of them: exact in a double. Most texts that become numbers are such, or
// "0x" with hexadecimal digits.
std::optional<double> plain_number(const std::string& text) {
  const bool hex = text.size() > 2 && text.size() <= 14 && text[0] == '0' && text[1] == 'x';
  if (text.empty() || text.size() > 15) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = hex ? 2 : 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c >= '0' && c <= '9') {
      value = value * (hex ? 16 : 10) + static_cast<std::uint64_t>(c - '0');
    } else if (hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) {
      value = value * 16 + static_cast<std::uint64_t>((c | 0x20) - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return static_cast<double>(value);
}

// JavaScript's Number(text); NaN if it is none.
double parse(const std::string& text) {
  if (const auto value = plain_number(text)) return *value;
  return js_parse_number(text).value_or(std::numeric_limits<double>::quiet_NaN());
}

// JavaScript's Number(value), with NaN for blank texts: comparisons do not take those for 0.
double comparable(const Value& value) {
  if (value.is_number()) return value.number();
  if (value.is_boolean()) return value.boolean();
  const double number = parse(value.str());
  if (number == 0 && is_blank(value.text())) return std::numeric_limits<double>::quiet_NaN();
  return number;
}

// parseFloat(x.toFixed(10)).
double rounded_to_ten_places(double value) {
  return std::strtod(fmt::format("{:.10f}", value).c_str(), nullptr);
}

double tangent(double degrees) {
  const double turn = std::fmod(degrees, 360);
  if (turn == 90 || turn == -270) return HUGE_VAL;
  if (turn == -90 || turn == 270) return -HUGE_VAL;
  return rounded_to_ten_places(std::tan(std::numbers::pi * turn / 180));
}

}  // namespace

Value::Value(const scratch::Scalar& scalar) : Value() {
  if (const double* number = std::get_if<double>(&scalar)) {
    *this = Value(*number);
  } else {
    *this = Value(Text(std::get<std::string>(scalar)));
  }
}

scratch::Scalar Value::scalar() const {
  if (is_number()) return number();
  return to_text(*this).str();
}

double text_to_number(const Text& text) {
  return clean(parse(text.str()));
}

bool text_is_number(const Text& text) {
  return !std::isnan(parse(text.str()));
}

bool to_boolean(const Value& value) {
  if (value.is_boolean()) return value.boolean();
  if (value.is_number()) return clean(value.number()) != 0;
  return !value.str().empty() && value.str() != "0" && lower_case(value.text()) != "false";
}

Text number_to_text(double number) {
  return Text(js_number_text(number));
}

Text to_text(const Value& value) {
  if (value.is_text()) return value.text();
  if (value.is_boolean()) return Text(value.boolean() ? "true" : "false");
  return number_to_text(value.number());
}

double compare(const Value& left, const Value& right) {
  const double a = comparable(left), b = comparable(right);
  if (std::isnan(a) || std::isnan(b)) {
    return compare_units(lower_case(to_text(left)), lower_case(to_text(right)));
  }
  return a == b ? 0 : a - b;
}

std::size_t to_index(const Value& index, std::size_t length) {
  if (index.is_text()) {
    if (index.str() == "last") return length;
    if (index.str() == "random" || index.str() == "any") {
      fail(Fault::unsupported, "item '{}' of a list: its answer differs from run to run",
           index.str());
    }
  }
  return number_to_index(to_number(index), length);
}

double round_half_up(double number) {
  const double down = std::floor(number);
  const double nearest = number - down >= 0.5 ? down + 1 : down;
  return nearest == 0 ? std::copysign(0.0, number) : nearest;
}

double floored_mod(double number, double divisor) {
  const double rest = std::fmod(number, divisor);
  return rest / divisor < 0 ? rest + divisor : rest;
}

double math_function(const std::string& name, double number) {
  constexpr double kPi = std::numbers::pi;
  const std::string which = lower_case(Text(name));
  if (which == "abs") return std::fabs(number);
  if (which == "floor") return std::floor(number);
  if (which == "ceiling") return std::ceil(number);
  if (which == "sqrt") return std::sqrt(number);
  if (which == "sin") return rounded_to_ten_places(std::sin(kPi * number / 180));
  if (which == "cos") return rounded_to_ten_places(std::cos(kPi * number / 180));
  if (which == "tan") return tangent(number);
  if (which == "asin") return std::asin(number) * 180 / kPi;
  if (which == "acos") return std::acos(number) * 180 / kPi;
  if (which == "atan") return std::atan(number) * 180 / kPi;
  if (which == "ln") return std::log(number);
  if (which == "log") return std::log(number) / std::numbers::ln10;
  if (which == "e ^") return std::exp(number);
  if (which == "10 ^") return std::pow(10, number);
  return 0;
}

Text letter_of(double letter, const Text& text) {
  const double index = letter - 1;
  if (index < 0 || index >= static_cast<double>(text.length())) return Text();
  return text.letter(static_cast<std::size_t>(index));
}

bool contains(const Text& whole, const Text& part) {
  // UTF-8 is self-synchronising, so bytes are found where letters are; half surrogate pairs are
  // letters of their own only where they stand alone.
  return lower_case(whole).find(lower_case(part)) != std::string::npos;
}

bool is_blank(const Text& text) {
  // A text that JavaScript reads as 0 has a digit 0 unless it is blank.
  return text.str().find('0') == std::string::npos && js_parse_number(text.str()) == 0.0;
}

}  // namespace sb3lm
