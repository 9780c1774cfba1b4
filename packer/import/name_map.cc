#include "import/name_map.h"

#include "base/error.h"
#include "import/json.h"
#include "import/names.h"

namespace sb3lm {
namespace {

constexpr std::string_view kIgnore = "ignore";

bool is_beginning(std::string_view text) {
  return text.ends_with('*');
}

}  // namespace

NameMap::NameMap(const std::optional<NamedBytes>& file) {
  if (!file) return;
  file_ = file->file;
  const Json json = parse_json(file_, as_text(file->bytes));
  if (!json.is_object()) fail(Fault::bad_input, "{}: not a JSON object of names", file_);
  for (const auto& [name, meaning] : json.items()) {
    if (!meaning.is_string()) {
      fail(Fault::bad_input, "{}: '{}': the role is not a string", file_, name);
    }
    std::string key(without_wrappers(name));
    const bool many = is_beginning(key);
    if (many) key.pop_back();
    (many ? beginnings_ : names_)[key] = {.meaning = read_meaning(name, meaning)};
  }
}

NameMap::Meaning NameMap::read_meaning(const std::string& name, const std::string& text) const {
  if (text == kIgnore) return {.is_ignored = true};
  if (is_beginning(name)) {
    if (is_beginning(text)) return {.name = text.substr(0, text.size() - 1)};
    fail(Fault::bad_input, "{}: '{}': '{}' is neither \"ignore\" nor another beginning with a *",
         file_, name, text);
  }
  try {
    return {.role = tensor_key_from_text(text)};
  } catch (const Error& problem) {
    fail(Fault::bad_input, "{}: '{}': {}", file_, name, problem.what());
  }
}

NameMap::Meaning NameMap::of(std::string_view name) {
  if (const auto exact = names_.find(name); exact != names_.end()) {
    exact->second.is_used = true;
    return exact->second.meaning;
  }
  // Beginnings of one name come in the order of their length.
  for (auto at = beginnings_.rbegin(); at != beginnings_.rend(); ++at) {
    auto& [beginning, entry] = *at;
    if (!name.starts_with(beginning)) continue;
    entry.is_used = true;
    Meaning meaning = entry.meaning;
    meaning.name += name.substr(beginning.size());
    return meaning;
  }
  return {.name = std::string(name)};
}

void NameMap::check_used(const std::string& checkpoint) const {
  for (const auto& [name, entry] : names_) {
    if (entry.is_used) continue;
    fail(Fault::bad_input, "{}: '{}' is not a tensor of {}", file_, name, checkpoint);
  }
  for (const auto& [beginning, entry] : beginnings_) {
    if (entry.is_used) continue;
    fail(Fault::bad_input, "{}: no tensor of {} begins with '{}'", file_, checkpoint, beginning);
  }
}

}  // namespace sb3lm
