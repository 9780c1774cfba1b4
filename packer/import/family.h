// A family of models: how its files spell tensors and settings. A row of it each in families.cc.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "import/container.h"
#include "import/settings.h"
#include "model/tensor.h"

namespace sb3lm {

class Config;
struct NamedGroup;

/// Part of the rows of a tensor (items of a vector) that holds several matrices: the tensor is one
/// block, or one for each query head; each block is `of` equal parts, and the parts from..to - 1 of
/// every block are the matrix.
struct FusedRows {
  int from = 0, to = 1, of = 1;
  bool per_head = false;
  bool operator==(const FusedRows&) const = default;
};

/// Which tensor has which role, and what makes it the matrix that the role means: first a row is
/// taken, or it is transposed, then rows are taken, then 1 is added.
struct NameRule {
  Role role;
  std::string_view pattern;  // "(a|b)" is a choice, {L} the layer, {E} the expert
  FusedRows rows = {};
  bool transposed = false;  // stored input x output
  bool plus_one = false;
  int row = -1;   // a vector: this row of the tensor
  int first = 0;  // a table: it begins in this row
  /// It counts only the layers that have the role: {L} is a number among them; without {L}, each
  /// row of the tensor is one's.
  bool counts_own = false;
  bool is_plain() const {
    return rows == FusedRows{} && !transposed && !plus_one && row < 0 && first == 0 && !counts_own;
  }
};

/// Of tensors that are what they are called: by a name map, or by export's own names.
inline constexpr NameRule kAsItIs{Role::embedding, ""};

/// A fact (facts.h) that holds unless a file says otherwise.
struct Assumption {
  std::string_view fact, text;
};

/// A fact that holds for models of certain shapes, and the other values that `probe` may try.
struct ShapeFact {
  std::string fact, text;
  std::vector<std::string> others = {};
};

/// A "model_type" of config.json, and what programs assume where its files are silent.
struct ModelType {
  std::string_view name;
  std::vector<Assumption> assumed;
};

/// What the family's files call a fact.
struct FactSpelling {
  std::string_view theirs, fact;
};

struct Family {
  std::string_view name;
  std::vector<ModelType> model_types;
  std::vector<Assumption> assumed;
  std::vector<std::span<const NameRule>> rules;
  std::vector<std::string_view> ignored;  // endings of tensors that are no weights
  std::vector<std::string_view> settled;  // conventions and facts that its files do not leave open
  std::vector<FactSpelling> spellings;    // in config.json, and in metadata if that is read
  bool reads_metadata = false;
  /// Whether names may stand behind any words ("backbone.decoder.layers.0...").
  bool any_prefix = false;
  /// Whether readers are told what is assumed of its files.
  bool tells_assumptions = false;
  /// Whether files that name no family are its own, by their tensors and fields.
  bool (*claims)(const Container&, const Config*) = nullptr;
  /// Changes roles that names alone do not tell. What it returns is said to readers.
  std::vector<std::string> (*settle_roles)(std::vector<NamedGroup>&) = nullptr;
  /// What more there is in config.json. Throws unsupported for what changes the model in ways that
  /// we do not handle.
  void (*read_config)(const Config&, Settings&) = nullptr;
  /// With all shapes known: facts that follow from them unless file or user say otherwise.
  std::vector<ShapeFact> (*assume)(const ModelSpec&) = nullptr;
  /// With everything known: what differs from layer to layer, and what contradicts config.json.
  void (*finish)(const Config&, ModelSpec&) = nullptr;
};

/// All of them. The first is read without being named.
std::span<const Family* const> families();

/// What config.json or the file itself says; empty if neither does.
std::string model_type_of(const Container& container, const Config* config);

/// By its model_type, or by the family that the file's own spec names. Throws unsupported
/// for a model_type that is none of ours if the weights are floats, whose meaning follows from it.
const Family& family_of(const Container& container, const Config* config, bool is_packed);

/// What config.json, metadata, `model_type` say to the family.
void read_family_settings(const Family& family, const Container& container, const Config* config,
                          Settings& settings);

}  // namespace sb3lm
