// What the readers of a tokenizer.json's stages share.
#pragma once

#include <string>

#include "import/file_errors.h"
#include "import/json.h"
#include "model/json_value.h"

namespace sb3lm {

class StageReader : protected FileErrors {
 protected:
  using FileErrors::FileErrors;

  /// null if there is none.
  static const Json& field(const Json& json, const char* key) {
    static const Json null;
    const auto found = json.find(key);
    return found == json.end() ? null : *found;
  }
  bool flag(const Json& json, const char* key, bool fallback) const {
    return JsonFields(json, file_).get(key, fallback);
  }
  std::string text(const Json& json, const char* key) const {
    return JsonFields(json, file_).get(key, std::string());
  }

  /// Calls `piece` with type and JSON of each step of a stage, sequences flattened.
  template <class Piece>
  void for_each_step(const Json& json, const char* stage, const char* list, Piece piece) const {
    const Json& step = field(json, stage);
    if (!step.is_null()) visit(step, stage, list, piece);
  }

 private:
  /// The parser bounds the depth.
  template <class Piece>
  void visit(const Json& step, const char* stage, const char* list, Piece& piece) const {
    if (!step.is_object()) fail("{} is not an object", stage);
    const std::string type = text(step, "type");
    if (type != "Sequence") {
      piece(type, step);
      return;
    }
    const Json& steps = field(step, list);
    if (!steps.is_array()) fail("the {} Sequence has no list '{}'", stage, list);
    for (const Json& inner : steps) visit(inner, stage, list, piece);
  }
};

}  // namespace sb3lm
