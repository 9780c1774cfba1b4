#include "import/reading.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/error.h"
#include "import/config.h"
#include "import/describe.h"
#include "import/names.h"
#include "import/presets.h"

namespace sb3lm {
namespace {

const ModelPreset* preset_of(const Index& index) {
  const auto extent = [&index](const TensorKey& key) {
    const auto found = index.find(key);
    return found == index.end() ? Shape{} : found->second->extent;
  };
  return find_preset({.width = extent({Role::embedding}).cols,
                      .vocabulary = extent({Role::embedding}).rows,
                      .query_rows = extent({Role::q, 0}).rows,
                      .kv_rows = extent({Role::k, 0}).rows,
                      .routed_experts = extent({Role::router, 0}).rows});
}

/// Replaces "auto" by what the nibbles of the file show.
void settle_nibble_codes(const std::vector<NamedGroup>& named, Conventions& conventions) {
  NibbleCounts layers{};
  NibbleCounts vocabulary{};
  const bool same = !conventions.is("nibble-code", "auto");
  for (const NamedGroup& entry : named) {
    if (entry.group->form != PackedForm::nibbles) continue;
    count_nibbles(*entry.group, conventions,
                  is_vocabulary_matrix(entry.key.role) ? vocabulary : layers);
  }
  if (!same) conventions.set("import", "nibble-code", guess_nibble_code(layers));
  if (!conventions.is("embedding-code", "auto")) return;
  const std::string& likely = conventions.text("nibble-code");
  conventions.set("import", "embedding-code",
                  same ? likely : guess_narrow_code(vocabulary, likely));
}

bool any_packed(const Container& container) {
  return std::any_of(container.tensors.begin(), container.tensors.end(),
                     [](const StoredTensor& tensor) { return is_packed_name(tensor.name); });
}

SourceFile describe_source(const Container& container, bool packed) {
  SourceFile source{.format = packed ? "ssmoelm" : container.format,
                    .metadata = container.metadata,
                    .blocks = container.blocks};
  forget_spec(source.metadata);
  for (const StoredTensor& tensor : container.tensors) {
    source.tensors.push_back({tensor.name, tensor.type, tensor.shape});
  }
  return source;
}

/// The choices that neither the file nor its family settles.
std::vector<std::string> open_settings(const Description& d) {
  std::set<std::string_view> met = {"rope", "rope-sign"};
  for (const NamedGroup& entry : d.named) {
    const Role role = entry.key.role;
    if (entry.group->form == PackedForm::bits) met.insert({"bit-order", "sign"});
    if (entry.group->form == PackedForm::nibbles) {
      met.insert({"nibble-order", is_vocabulary_matrix(role) ? "embedding-code" : "nibble-code"});
    }
    if (is_router(role)) met.insert("router-norm");
    if (role != swap_gate_and_up(role)) met.insert("swiglu");
  }
  for (const std::string_view name : d.family->settled) met.erase(name);
  std::vector<std::string> open;
  for (const std::string& name : searchable_settings()) {
    if (met.contains(name) && !d.settings.facts.is_stated(name)) open.push_back(name);
  }
  return open;
}

/// What readers must know of a file whose family is only a guess.
std::string assumptions_note(const Description& d, const Config* config) {
  std::string assumed;
  for (const auto& [name, text] : d.settings.facts.assumed()) {
    assumed += fmt::format("{}{}={}", assumed.empty() ? "" : ", ", name, text);
  }
  const std::string type = config != nullptr ? config->model_type() : "";
  return fmt::format(
      "{}: {}; its fields and the names of its tensors are read as those of a {}{}{}",
      config != nullptr ? config->file() : d.container.file,
      type.empty() ? "no model_type" : fmt::format("model_type '{}' is not known", type),
      d.family->name, assumed.empty() ? "" : "; assumed: ",
      assumed.empty() ? "" : assumed + " (--convention NAME=VALUE changes them)");
}

/// What shapes leave open.
void note_choices(const std::vector<ShapeFact>& facts, Description& d) {
  for (const ShapeFact& fact : facts) {
    if (fact.others.empty() || d.settings.facts.is_said_by_file(fact.fact)) continue;
    std::vector<std::string>& values = d.model.choices[fact.fact];
    values = {fact.text};
    for (const std::string& other : fact.others) {
      if (std::ranges::find(values, other) == values.end()) values.push_back(other);
    }
    d.model.open.push_back(fact.fact);
  }
}

void read_users_settings(const CheckpointFiles& files,
                         const std::map<std::string, std::string>& options, Settings& settings) {
  if (files.sidecar) read_sidecar(files.sidecar->file, as_text(files.sidecar->bytes), settings);
  for (const auto& [name, value] : options) {
    settings.set("--convention", name, value, Saying::user);
  }
}

/// The spec from facts and shapes, as far as the file does not give it.
void find_spec(const CheckpointFiles& files, const Config* config,
               const std::map<std::string, std::string>& options, Description& d) {
  ModelSpec& spec = d.model.spec;
  const std::string& file = files.checkpoint.file;
  const ModelPreset* preset = nullptr;
  number_layers(d.container, d.named, spec);
  const Index index = index_groups(d.named);
  if (!d.container.spec) {
    preset = preset_of(index);
    spec.family = preset != nullptr ? preset->family : d.model.source.format;
    const std::string type = model_type_of(d.container, config);
    if (d.family != families().front()) spec.family = type.empty() ? d.family->name : type;
  }
  if (preset != nullptr) {
    apply_preset(*preset, d.settings);
    apply_preset(*preset, d.model);
  }
  d.model.open = open_settings(d);
  read_users_settings(files, options, d.settings);
  if (d.container.spec) {
    override_spec(d.settings.facts, spec);
  } else {
    note_choices(derive_spec(index, file, *d.family, d.settings.facts, spec), d);
  }
  spec.validate(file);
  give_to_layers(spec, d.named);
  if (config != nullptr && d.family->finish != nullptr) d.family->finish(*config, spec);
}

/// Which tensors are weights, and of what. What the configuration refuses is refused before.
void group_and_name(const CheckpointFiles& files, Description& d) {
  NameMap map(files.name_map);
  d.groups = group_packed(d.container, [&](const StoredTensor& tensor) {
    const auto ends = [&](std::string_view ending) { return tensor.name.ends_with(ending); };
    return map.of(tensor.name).is_ignored || is_buffer(tensor) ||
           std::ranges::any_of(d.family->ignored, ends);
  });
  d.named = name_groups(files.checkpoint.file, map, *d.family, d.groups);
  if (d.family->settle_roles != nullptr) d.model.notes = d.family->settle_roles(d.named);
}

}  // namespace

Description describe(Container container, const CheckpointFiles& files,
                     const std::map<std::string, std::string>& options, const Family* family) {
  std::optional<Config> config;
  // A file that describes its model needs no config.json, and one that lies there may be another's.
  const bool describes_itself = container.spec || !container.model_type.empty();
  if (files.config && !describes_itself) {
    config.emplace(files.config->file, as_text(files.config->bytes));
  } else if (container.config && !describes_itself) {
    config.emplace(container.file + ": its configuration", *container.config);
  }
  const Config* beside = config ? &*config : nullptr;
  Description d{.container = std::move(container)};
  for (StoredTensor& tensor : d.container.tensors) {
    tensor.name.erase(0, tensor.name.size() - without_wrappers(tensor.name).size());
  }
  const bool packed = any_packed(d.container);
  d.family = family != nullptr ? family : &family_of(d.container, beside, packed);
  d.model.source = describe_source(d.container, packed);
  if (d.container.spec) {
    d.container.spec->validate(d.container.file);
    d.model.spec = *d.container.spec;
    d.settings.facts.set_all(d.container.file, *d.container.spec);
  } else {
    if (beside != nullptr && !packed) refuse_quantised(*beside);
    read_family_settings(*d.family, d.container, beside, d.settings);
  }
  group_and_name(files, d);
  find_spec(files, beside, options, d);

  if (d.family->tells_assumptions && !d.container.spec) {
    d.model.notes.push_back(assumptions_note(d, beside));
  }
  Conventions& conventions = d.settings.conventions;
  settle_nibble_codes(d.named, conventions);
  d.model.conventions = d.settings.in_force();
  for (const auto& [name, text] : d.settings.facts.texts(Saying::assumed)) {
    if (d.model.choices.contains(name)) d.model.conventions.emplace(name, text);
  }
  if (conventions.is("swiglu", "up")) {
    for (NamedGroup& entry : d.named) entry.key.role = swap_gate_and_up(entry.key.role);
  }
  return d;
}

}  // namespace sb3lm
