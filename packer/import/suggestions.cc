// Metadata to suggestions. Whatever shows them has little room, so few and short ones are allowed.
#include "import/suggestions.h"

#include <algorithm>

#include "base/error.h"
#include "import/json.h"

namespace sb3lm {
namespace {

constexpr std::size_t kMost = 4;
constexpr std::size_t kLongest = 48;  // bytes

bool is_question(const Json& item) {
  if (!item.is_string()) return false;
  const auto& text = item.get_ref<const std::string&>();
  const bool is_one_line =
      std::ranges::none_of(text, [](unsigned char c) { return c < ' ' || c == 127; });
  return !text.empty() && text.size() <= kLongest && is_one_line;
}

}  // namespace

std::vector<std::string> suggested_questions(const Model& model, std::string_view file) {
  const auto found = model.source.metadata.find(std::string(kSuggestionsKey));
  if (found == model.source.metadata.end()) return {};
  const std::string where = fmt::format("{}: __metadata__ '{}'", file, kSuggestionsKey);
  const Json json = parse_json(where, found->second);
  if (!json.is_array() || json.size() > kMost || !std::ranges::all_of(json, is_question)) {
    fail(Fault::bad_input,
         "{}: a JSON list of at most {} texts of 1 to {} bytes, without line ends", where, kMost,
         kLongest);
  }
  return json.get<std::vector<std::string>>();
}

}  // namespace sb3lm
