// --map FILE: what the tensors of a checkpoint are where their names do not tell.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "import/import.h"
#include "model/tensor.h"

namespace sb3lm {

/// A JSON object. A name stands for one tensor, "BEGINNING*" for all whose names begin so; of those
/// that fit the longest counts.
///   "NAME": "layer 3 q"        its role
///   "NAME" or "BEGINNING*": "ignore"
///   "BEGINNING*": "OTHER*"     read as if it were called so
class NameMap {
 public:
  /// Without a file it maps nothing. Throws bad_input for anything else than the above.
  explicit NameMap(const std::optional<NamedBytes>& file);

  struct Meaning {
    bool is_ignored = false;
    std::optional<TensorKey> role = {};
    std::string name = {};  // that the family's rules are to see
  };
  Meaning of(std::string_view name);

  /// Throws bad_input unless everything in the file was about a tensor that was asked for.
  void check_used(const std::string& checkpoint) const;

 private:
  struct Entry {
    Meaning meaning;
    bool is_used = false;
  };
  Meaning read_meaning(const std::string& name, const std::string& text) const;

  std::string file_;
  std::map<std::string, Entry, std::less<>> names_, beginnings_;
};

}  // namespace sb3lm
