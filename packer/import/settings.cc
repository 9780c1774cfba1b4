#include "import/settings.h"

#include <fmt/ranges.h>

#include <optional>

#include "base/error.h"
#include "import/json.h"

namespace sb3lm {
namespace {

// Facts that tensors do not show, as projects have always noted them for readers that know texts
// only. Newer fields stand in the spec.
constexpr std::string_view kNoted[] = {"rope",        "rope-sign", "rope-base", "norm-eps",
                                       "router-norm", "context",   "heads",     "kv-heads",
                                       "head-size",   "top-k"};

std::vector<std::string> setting_names() {
  std::vector<std::string> names;
  for (const ConventionRow& row : convention_rows()) names.emplace_back(row.name);
  for (std::string& name : fact_names()) names.push_back(std::move(name));
  return names;
}

/// Choices that tensors show, or that numbers belong to.
bool is_shown(std::string_view fact) {
  return fact == "norm" || fact == "residual" || fact == "rope-scaling";
}

}  // namespace

void Settings::set(const std::string& origin, std::string_view name, std::string_view value,
                   Saying saying) {
  if (is_convention(name)) {
    conventions.set(origin, name, value);
  } else if (is_fact(name)) {
    facts.set(origin, name, value, saying);
  } else {
    fail(Fault::usage, "{}: there is no convention '{}'; there are {}", origin, name,
         fmt::join(setting_names(), ", "));
  }
}

std::map<std::string, std::string> Settings::in_force() const {
  std::map<std::string, std::string> all = facts.texts(Saying::user);
  const std::map<std::string, std::string> said = facts.texts(Saying::assumed);
  for (const std::string_view name : kNoted) {
    if (const auto found = said.find(std::string(name)); found != said.end()) all.insert(*found);
  }
  for (const ConventionRow& row : convention_rows()) {
    const std::string& text = conventions.text(row.name);
    if (row.is_common || text != row.allowed.front()) all.emplace(row.name, text);
  }
  return all;
}

void set_from_file(const std::string& file, std::string_view name, std::string_view value,
                   Settings& settings, Saying saying) {
  try {
    settings.set(file, name, value, saying);
  } catch (const Error& problem) {
    throw Error(Fault::bad_input, problem.what());
  }
}

std::vector<std::string> setting_choices(std::string_view name) {
  std::vector<std::string> values;
  for (const ConventionRow& row : convention_rows()) {
    if (row.name != name) continue;
    for (const std::string_view value : row.allowed) {
      if (value != "auto") values.emplace_back(value);
    }
    return values;
  }
  return fact_choices(name);
}

std::vector<std::string> searchable_settings() {
  std::vector<std::string> names;
  for (const ConventionRow& row : convention_rows()) {
    if (row.is_common) names.emplace_back(row.name);
  }
  for (std::string& name : fact_names()) {
    if (!fact_choices(name).empty() && !is_shown(name)) names.push_back(std::move(name));
  }
  return names;
}

void read_sidecar(const std::string& file, std::string_view json, Settings& settings) {
  for (const auto& [name, value] : sidecar_entries(file, json)) {
    set_from_file(file, name, value, settings, Saying::user);
  }
}

std::map<std::string, std::string> sidecar_entries(const std::string& file, std::string_view json) {
  const Json sidecar = parse_json(file, json);
  if (!sidecar.is_object()) fail(Fault::bad_input, "{}: not a JSON object", file);
  std::map<std::string, std::string> entries;
  Settings checked;
  for (const auto& [key, value] : sidecar.items()) {
    const std::optional<std::string> text = plain_text(value);
    if (!text) fail(Fault::bad_input, "{}: '{}' is neither a text nor a number", file, key);
    set_from_file(file, key, *text, checked);
    entries[key] = *text;
  }
  return entries;
}

std::string sidecar_text(const std::map<std::string, std::string>& entries) {
  return Json(entries).dump(2) + "\n";
}

}  // namespace sb3lm
