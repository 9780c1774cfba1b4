// What expressions do with values: filters, tests, methods and operators, as Jinja and Python
// define them. An undefined value is a discarded Json.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "import/json.h"

namespace sb3lm::jinja {

/// Arguments of a call; the first is what it is called on.
struct Call {
  std::string_view name;
  std::vector<Json> values;
  std::vector<std::string> named;  // the last so many of them have these names

  /// The argument at `index` (1 is the first in parentheses) or by its name; undefined without.
  Json argument(std::size_t index, std::string_view by_name = {}) const;
};

inline Json undefined() {
  return Json(Json::value_t::discarded);
}
bool is_true(const Json& value);

/// What a value prints. Nothing for lists and dicts, which we do not write as Python does.
std::optional<std::string> printed(const Json& value);

/// The value of key or index, undefined if there is none.
Json item_of(const Json& value, const Json& key);
/// value[start:stop:step]; null where nothing stands. Nothing if it cannot be cut so.
std::optional<Json> slice_of(const Json& value, const Json& start, const Json& stop,
                             const Json& step);

// Each gives nothing if there is no such thing for such values.
std::optional<Json> filtered(const Call& call);
std::optional<bool> tested(const Call& call);
std::optional<Json> method_result(const Call& call);
std::optional<Json> operated(std::string_view name, const Json& left, const Json& right);

}  // namespace sb3lm::jinja
