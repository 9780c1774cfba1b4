// What a checkpoint leaves open: every such choice is a named convention with a default, set by
// presets, config.json, metadata, the sidecar and --convention, later ones over earlier ones.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/spec.h"

namespace sb3lm {

struct ConventionRow {
  enum class Kind { choice, number, count };
  std::string_view name;
  Kind kind;
  std::vector<std::string_view> allowed;  // of a choice; the first is the default
  std::string_view fallback;              // default of the others; empty: derived or required
  std::string_view help;
};

/// All conventions, for checking, help texts and `probe`.
std::span<const ConventionRow> convention_rows();

class Conventions {
 public:
  /// Starts from the defaults.
  Conventions();

  /// Sets one. Throws usage (`origin` in front) if there is no such convention or value.
  void set(std::string_view origin, std::string_view name, std::string_view value);

  bool is(std::string_view name, std::string_view value) const { return text(name) == value; }
  const std::string& text(std::string_view name) const;
  double number(std::string_view name) const;
  int count(std::string_view name) const;  // 0 if not set

  RopeSpec rope(int head_size) const;
  RouterNorm router_norm() const;

  /// All that have a value.
  std::map<std::string, std::string> in_force() const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

/// The convention that other programs spell like this ("num_key_value_heads"); empty if none.
std::string_view convention_named(std::string_view theirs);
/// Sets one from a file: throws bad_input where Conventions::set throws usage.
void set_from_file(const std::string& file, std::string_view name, std::string_view value,
                   Conventions& conventions);
/// Reads __metadata__ texts under such names; other keys are left alone.
void read_metadata_conventions(const std::string& file,
                               const std::map<std::string, std::string>& metadata,
                               Conventions& conventions);
/// Reads CKPT.conventions.json: {"name": "value"}.
void read_sidecar(const std::string& file, std::string_view json, Conventions& conventions);
/// The same as it stands there, checked like read_sidecar, without what it leaves out.
std::map<std::string, std::string> sidecar_entries(const std::string& file, std::string_view json);
/// The text of a sidecar with these entries.
std::string sidecar_text(const std::map<std::string, std::string>& entries);

}  // namespace sb3lm
