#include "import/json.h"

#include <set>
#include <vector>

#include "base/error.h"
#include "base/number_text.h"

namespace sb3lm {
namespace {

constexpr int kMaxDepth = 64;

/// Watches the parser: it holds the names seen in every object that is still open.
class Guard {
 public:
  explicit Guard(const std::string& file) : file_(file) {}

  bool operator()(int depth, Json::parse_event_t event, Json& value) {
    switch (event) {
      case Json::parse_event_t::object_start:
        open_.emplace_back();
        check_depth(depth);
        break;
      case Json::parse_event_t::array_start:
        check_depth(depth);
        break;
      case Json::parse_event_t::object_end:
        open_.pop_back();
        break;
      case Json::parse_event_t::key:
        if (!open_.back().insert(value.get<std::string>()).second) {
          fail(Fault::bad_input, "{}: JSON: the name '{}' appears twice in one object", file_,
               value.get<std::string>());
        }
        break;
      default:
        break;
    }
    return true;
  }

 private:
  void check_depth(int depth) const {
    if (depth >= kMaxDepth) {
      fail(Fault::bad_input, "{}: JSON: nested deeper than {}", file_, kMaxDepth);
    }
  }

  const std::string& file_;
  std::vector<std::set<std::string>> open_;
};

}  // namespace

Json parse_json(const std::string& file, std::string_view text) {
  Guard guard(file);
  try {
    return Json::parse(text, [&guard](int depth, Json::parse_event_t event, Json& value) {
      return guard(depth, event, value);
    });
  } catch (const Json::parse_error& problem) {
    std::string_view what = problem.what();
    if (const auto tag = what.find("] "); tag != what.npos) what.remove_prefix(tag + 2);
    fail(Fault::bad_input, "{}: JSON: {}", file, what);
  } catch (const Json::exception& problem) {
    fail(Fault::bad_input, "{}: JSON: {}", file, problem.what());
  }
}

std::optional<std::string> plain_text(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  if (json.is_boolean()) return json.get<bool>() ? "true" : "false";
  if (json.is_number()) return js_number_text(json.get<double>());
  return std::nullopt;
}

}  // namespace sb3lm
