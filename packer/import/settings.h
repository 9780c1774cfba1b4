// How a checkpoint is read: conventions and facts, which users set alike (--convention NAME=VALUE,
// the sidecar). Who says what, later ones over earlier ones: the family, a preset for the shape,
// config.json, the file's own texts, the sidecar, the command line.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "import/conventions.h"
#include "import/facts.h"

namespace sb3lm {

class Settings {
 public:
  Conventions conventions;
  Facts facts;

  /// Sets a convention or a fact. Throws usage (`origin` in front) if there is neither, or it
  /// cannot have the value.
  void set(const std::string& origin, std::string_view name, std::string_view value,
           Saying saying = Saying::file);

  /// What reading the file in the same way takes, by name: every convention, what the user said,
  /// and facts that neither a tensor shows nor a spec of the file's own says.
  std::map<std::string, std::string> in_force() const;
};

/// The same as Settings::set, but throws bad_input: what is wrong stands in a file.
void set_from_file(const std::string& file, std::string_view name, std::string_view value,
                   Settings& settings, Saying saying = Saying::file);

/// The names that `probe` may try, and the values that each can have. "auto" is no value.
std::vector<std::string> searchable_settings();
std::vector<std::string> setting_choices(std::string_view name);

/// Reads CKPT.conventions.json: {"name": "value"}.
void read_sidecar(const std::string& file, std::string_view json, Settings& settings);
/// The same as it stands there, checked like read_sidecar, without what it leaves out.
std::map<std::string, std::string> sidecar_entries(const std::string& file, std::string_view json);
/// The text of a sidecar with these entries.
std::string sidecar_text(const std::map<std::string, std::string>& entries);

}  // namespace sb3lm
