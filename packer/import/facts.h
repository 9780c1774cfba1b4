// What is said about a model beside its tensors, field by field of a ModelSpec, before the tensors'
// shapes complete it. A field goes by its key in spec_fields.h with dashes ("norm-eps",
// "rope-base"; "heads" and "rope" for two that have been called so for long).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/spec.h"

namespace sb3lm {

/// Who says something; later ones win. `assumed`: nobody, but models of the family mostly are so.
enum class Saying { assumed, file, user };

class Facts {
 public:
  /// A layer's field can have values that hold for some layers, after one for all of them or none:
  /// "0/1024@0,2,4-10", by the numbers that the file has for layers.
  /// Throws usage (`origin` in front) if there is no such field or it cannot have the value. Saying
  /// once more what a file says changes nothing: its layers may differ.
  void set(const std::string& origin, std::string_view name, std::string_view text,
           Saying saying = Saying::file);
  /// Everything that a whole spec says, layers as its first one. Without texts: the spec has it.
  void set_all(const std::string& origin, const ModelSpec& spec);

  /// True if file or user say it.
  bool is_stated(std::string_view name) const;
  bool is_said_by_file(std::string_view name) const;

  /// Copies what was said (by `least` or later ones) to a model and all its layers.
  void apply(ModelSpec& spec, Saying least = Saying::assumed) const;

  /// Throws bad_input if tensors show something else than file or user say.
  void compare(const std::string& checkpoint, const ModelSpec& shown) const;

  /// What `least` or later ones have set by a text.
  std::map<std::string, std::string> texts(Saying least) const;
  /// What only the family says.
  std::map<std::string, std::string> assumed() const;

 private:
  /// For which layers, all of them if none is named.
  struct Value {
    std::vector<int> layers;
    LayerSpec of;
    bool is_for(const LayerSpec& layer) const;
  };
  struct Said {
    std::string origin, text;
    Saying saying;
    std::vector<Value> values;  // of a layer's field; later ones win
  };
  static std::vector<Value> layer_values(const std::string& origin, std::string_view name,
                                         std::string_view text);
  ModelSpec model_;
  std::map<std::string, Said, std::less<>> said_;
};

/// The fields that can be set.
std::vector<std::string> fact_names();
bool is_fact(std::string_view name);
/// The values of a field that has few: what `probe` tries. Empty for numbers.
std::vector<std::string> fact_choices(std::string_view name);
/// Its text in a spec; of a layer's field that of the first layer.
std::string fact_text(const ModelSpec& spec, std::string_view name);

}  // namespace sb3lm
