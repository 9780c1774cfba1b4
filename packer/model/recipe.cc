#include "model/recipe.h"

#include <charconv>

namespace sb3lm {
namespace {

constexpr std::string_view kFloat = "float";

}  // namespace

std::optional<FloatBits> float_bits_from_text(std::string_view text) {
  if (text.empty()) return FloatBits();
  if (text == kFloat) return FloatBits(kStayFloats);
  int bits = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), bits);
  const bool whole = code == std::errc() && end == text.data() + text.size();
  if (!whole || bits < 1 || bits > kMostBits) return std::nullopt;
  return FloatBits(bits);
}

std::string float_bits_text(FloatBits bits) {
  if (!bits) return "";
  return *bits == kStayFloats ? std::string(kFloat) : std::to_string(*bits);
}

}  // namespace sb3lm
