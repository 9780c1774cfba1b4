#include "option_kinds.h"

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/number_text.h"
#include "model/unicode.h"

namespace sb3lm {

std::string check_utf8(const std::string& text) {
  return invalid_byte(text) == text.npos ? "" : "the text is not UTF-8";
}

std::string parse_size(const std::string& text) {
  struct Unit {
    std::string_view name;
    double bytes;
  };
  constexpr Unit kUnits[] = {{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"kB", 1e3}, {"KB", 1e3},
                             {"MB", 1e6},      {"B", 1},         {"", 1}};
  for (const Unit& unit : kUnits) {
    if (!text.ends_with(unit.name)) continue;
    const std::string number = text.substr(0, text.size() - unit.name.size());
    const std::optional<double> value = js_parse_number(number);
    if (!value || number.empty() || !(*value * unit.bytes >= 1 && *value * unit.bytes <= 1e12)) {
      break;
    }
    return std::to_string(static_cast<std::uint64_t>(*value * unit.bytes));
  }
  throw CLI::ValidationError(text + ": a size such as 10MiB, 8.5MB or 9000000");
}

void refuse_all_but(const CLI::App& app, const std::string& option,
                    const std::set<std::string>& others) {
  for (const CLI::Option* other : app.get_options()) {
    const std::string name = other->get_name();
    if (other->count() == 0 || name == option || others.contains(name)) continue;
    throw CLI::ExcludesError(option, name);
  }
}

}  // namespace sb3lm
