// Doubles as text, with the notation that libstdc++ chooses: projects are to have the same bytes.
// Finite values only, which is all that is asked for.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>

namespace std {
namespace {

/// The shortest digits that read back as the value, and where the point stands.
struct Decimal {
  string sign, digits;
  int power = 0;  // of ten, of the first digit
};

Decimal decimal_of(double value) {
  string text = fmt::format("{}", value);  // "-0.00012", "1.5e+20"
  Decimal decimal;
  if (text.front() == '-') decimal.sign = "-", text.erase(0, 1);
  const size_t e = min(text.find('e'), text.size()), point = min(text.find('.'), e);
  decimal.power = static_cast<int>(point) - 1;
  if (e < text.size()) decimal.power += atoi(text.c_str() + e + 1);
  for (const char c : text.substr(0, e)) {
    if (c != '.') decimal.digits += c;
  }
  while (decimal.digits.size() > 1 && decimal.digits.front() == '0') {
    decimal.digits.erase(0, 1);
    --decimal.power;
  }
  while (decimal.digits.size() > 1 && decimal.digits.back() == '0') decimal.digits.pop_back();
  return decimal;
}

string scientific_text(const Decimal& decimal) {
  string text = decimal.sign + decimal.digits.substr(0, 1);
  if (decimal.digits.size() > 1) text += "." + decimal.digits.substr(1);
  return text + fmt::format("e{}{:02}", decimal.power < 0 ? '-' : '+', abs(decimal.power));
}

string fixed_text(const Decimal& decimal, double value) {
  const int count = static_cast<int>(decimal.digits.size()), point = decimal.power + 1;
  if (point >= count) return fmt::format("{:.0f}", value);  // all digits, not zeros after the known
  if (point <= 0)
    return decimal.sign + "0." + string(static_cast<size_t>(-point), '0') + decimal.digits;
  const auto whole = static_cast<size_t>(point);
  return decimal.sign + decimal.digits.substr(0, whole) + "." + decimal.digits.substr(whole);
}

to_chars_result put(char* first, char* last, const string& text) {
  if (last - first < static_cast<ptrdiff_t>(text.size())) return {last, errc::value_too_large};
  memcpy(first, text.data(), text.size());
  return {first + text.size(), errc()};
}

}  // namespace

to_chars_result to_chars(char* first, char* last, double value) {
  if (value == 0) return put(first, last, signbit(value) ? "-0" : "0");
  const Decimal decimal = decimal_of(value);
  const string fixed = fixed_text(decimal, value), scientific = scientific_text(decimal);
  return put(first, last, fixed.size() <= scientific.size() ? fixed : scientific);
}

to_chars_result to_chars(char* first, char* last, double value, chars_format format) {
  const Decimal decimal = decimal_of(value);
  return put(
      first, last,
      format == chars_format::scientific ? scientific_text(decimal) : fixed_text(decimal, value));
}

from_chars_result from_chars(const char* first, const char* last, double& value) {
  const string text(first, last);
  char* end = nullptr;
  const double read = strtod(text.c_str(), &end);
  if (end == text.c_str()) return {first, errc::invalid_argument};
  const char* stop = first + (end - text.c_str());
  if (isinf(read)) return {stop, errc::result_out_of_range};
  value = read;
  return {stop, errc()};
}

}  // namespace std
