// What a file's bytes leave open: every such choice is a named convention whose first value is the
// default. What a model is, in contrast, is said by facts (facts.h).
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sb3lm {

struct ConventionRow {
  std::string_view name;
  std::vector<std::string_view> allowed;  // the first is the default
  std::string_view help;
  bool is_common = true;  // noted also where it has its default, and for `probe` to try
};

/// All conventions, for checking, help texts and `probe`.
std::span<const ConventionRow> convention_rows();
bool is_convention(std::string_view name);

class Conventions {
 public:
  /// Starts from the defaults.
  Conventions();

  /// Sets one. Throws usage (`origin` in front) if there is no such convention or value.
  void set(std::string_view origin, std::string_view name, std::string_view value);

  bool is(std::string_view name, std::string_view value) const { return text(name) == value; }
  const std::string& text(std::string_view name) const;
  const std::map<std::string, std::string, std::less<>>& all() const { return values_; }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace sb3lm
