#include "import/assemble.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/half.h"
#include "import/matrix_rule.h"
#include "import/reading.h"

namespace sb3lm {
namespace {

Tensor unpack(const PackedGroup& group, int part, const TensorKey& key,
              const Conventions& conventions) {
  if (group.form == PackedForm::plain) return unpack_plain(group, part);
  if (group.form == PackedForm::bits) return unpack_bits(group, part, conventions);
  if (group.form == PackedForm::bytes) return unpack_bytes(group, part);
  if (group.form == PackedForm::codes) return unpack_codes(group, part);
  const bool vocabulary = is_vocabulary_matrix(key.role);
  return unpack_nibbles(group, part, conventions,
                        conventions.text(vocabulary ? "embedding-code" : "nibble-code"),
                        vocabulary);
}

/// Tables as parameter-golf's programs have them in memory.
Tensor rounded_table(Tensor tensor, const TensorKey& key, const Conventions& conventions) {
  const bool is_rounded = conventions.is("embedding-rounding", "bf16") &&
                          about(key.role).kind == RoleKind::lookup &&
                          std::holds_alternative<CodedTensor>(tensor);
  if (!is_rounded) return tensor;
  const Shape shape = shape_of(tensor);
  FloatTensor rounded{.shape = shape, .type = FloatType::bf16};
  for (int row = 0; row < shape.rows; ++row) {
    for (int col = 0; col < shape.cols; ++col) {
      rounded.values.push_back(bfloat16_rounded(static_cast<float>(weight_at(tensor, row, col))));
    }
  }
  return rounded;
}

/// Under which export writes what the file has not as it is: in the file's numbers of layers.
std::string own_name(TensorKey key, const ModelSpec& spec) {
  if (key.layer >= 0) key.layer = spec.layers[static_cast<std::size_t>(key.layer)].id;
  return tensor_key_text(key);
}

/// Whether the file has positions that the context asked for does not reach.
bool is_cut(const NamedGroup& entry, const ModelSpec& spec) {
  return entry.key.role == Role::position_embedding && entry.extent.rows > spec.learned_positions;
}

bool is_as_stored(const NamedGroup& entry, const ModelSpec& spec) {
  return entry.rule->is_plain() && !is_cut(entry, spec);
}

Tensor obey(const NamedGroup& entry, Tensor tensor, const Model& model) {
  if (is_cut(entry, model.spec) || entry.rule->first > 0) {
    const int rows = is_cut(entry, model.spec) ? model.spec.learned_positions : entry.extent.rows;
    tensor = rows_from(std::move(tensor), entry.rule->first, rows);
  }
  if (entry.rule->is_plain()) return tensor;
  if (entry.row >= 0) tensor = take_row(tensor, entry.row);
  const int layer = std::max(entry.key.layer, 0);
  const AttentionSpec& attention = model.spec.layers[static_cast<std::size_t>(layer)].attention;
  return obey_rule(*entry.rule, std::move(tensor),
                   {.file = entry.group->file, .name = entry.group->stem}, attention.query_heads);
}

/// Calls `take` with the role of each matrix of a stack, or of the only one, and notes its name.
template <class Take>
void each_part(const NamedGroup& entry, Model& model, Take take) {
  const PackedGroup& group = *entry.group;
  TensorKey key = entry.key;
  const bool whole_stack = about(key.role).home == RoleHome::expert && key.expert < 0;
  if (group.stacked && !whole_stack) {
    group.fail("it stacks {} matrices, but {} is one", group.stack, tensor_key_text(key));
  }
  for (int part = 0; part < group.stack; ++part) {
    if (whole_stack) key.expert = part;
    take(key, part);
    const bool as_stored = is_as_stored(entry, model.spec);
    model.names.emplace(key, as_stored ? group.stem : own_name(key, model.spec));
  }
}

/// Exactly what the spec demands, in the demanded shapes.
template <class Weights>
void check_complete(const std::string& file, const Model& model, const Weights& weights) {
  std::size_t expected = 0;
  for (const auto& [key, shape] : expected_tensors(model.spec)) {
    const auto found = weights.find(key);
    if (found == weights.end()) {
      fail(Fault::bad_input, "{}: no tensor for {}", file, tensor_key_text(key));
    }
    const Shape is = shape_of(found->second);
    if (is != shape) {
      fail(Fault::bad_input, "{}: tensor '{}': {} is [{}, {}] but must be [{}, {}]", file,
           model.names.at(key), tensor_key_text(key), is.rows, is.cols, shape.rows, shape.cols);
    }
    ++expected;
  }
  if (expected == weights.size()) return;
  std::set<TensorKey> known;
  for (const auto& [key, shape] : expected_tensors(model.spec)) known.insert(key);
  for (const auto& [key, tensor] : weights) {
    if (!known.contains(key)) {
      fail(Fault::bad_input, "{}: tensor '{}': a model of this shape has no {}", file,
           model.names.at(key), tensor_key_text(key));
    }
  }
}

/// Plain matrices are quantised before use, or converted, and others put together anew: they cannot
/// stay where they are.
bool stays_packed(const NamedGroup& entry) {
  return entry.group->form != PackedForm::plain || entry.group->extent.rows == 1 ||
         is_router(entry.key.role);
}

PackedMatrix view(const PackedGroup& group, int part, const TensorKey& key,
                  const Conventions& conventions) {
  if (group.form == PackedForm::plain) return pack_tensor(unpack_plain(group, part));
  if (group.form == PackedForm::bits) return view_bits(group, part, conventions);
  if (group.form == PackedForm::bytes) return view_bytes(group, part);
  if (group.form == PackedForm::codes) return view_codes(group, part);
  return view_nibbles(
      group, part, conventions,
      conventions.text(is_vocabulary_matrix(key.role) ? "embedding-code" : "nibble-code"));
}

}  // namespace

Model assemble(Container container, const CheckpointFiles& files,
               const std::map<std::string, std::string>& options, Progress& progress,
               const Family* family) {
  Description d = describe(std::move(container), files, options, family);
  std::size_t done = 0;
  for (const NamedGroup& entry : d.named) {
    each_part(entry, d.model, [&](const TensorKey& key, int part) {
      Tensor tensor = obey(entry, unpack(*entry.group, part, key, d.settings.conventions), d.model);
      tensor = rounded_table(std::move(tensor), key, d.settings.conventions);
      const bool is_new = d.model.tensors.emplace(key, std::move(tensor)).second;
      if (!is_new) entry.group->fail("there is another tensor for {}", tensor_key_text(key));
    });
    progress.report("reading weights",
                    static_cast<double>(++done) / static_cast<double>(d.named.size()));
  }
  check_complete(files.checkpoint.file, d.model, d.model.tensors);
  return std::move(d.model);
}

std::optional<PackedModel> assemble_packed(Container container, const CheckpointFiles& files,
                                           const std::map<std::string, std::string>& options,
                                           const std::shared_ptr<const void>& owner) {
  Description d = describe(std::move(container), files, options);
  const auto stays = [&d](const NamedGroup& entry) {
    return is_as_stored(entry, d.model.spec) && stays_packed(entry);
  };
  if (!std::all_of(d.named.begin(), d.named.end(), stays)) return std::nullopt;
  PackedModel packed;
  for (const NamedGroup& entry : d.named) {
    each_part(entry, d.model, [&](const TensorKey& key, int part) {
      PackedMatrix matrix = view(*entry.group, part, key, d.settings.conventions);
      if (matrix.owner == nullptr) matrix.owner = owner;
      const bool is_new = packed.matrices.emplace(key, std::move(matrix)).second;
      if (!is_new) entry.group->fail("there is another tensor for {}", tensor_key_text(key));
    });
  }
  check_complete(files.checkpoint.file, d.model, packed.matrices);
  packed.about = std::move(d.model);
  return packed;
}

}  // namespace sb3lm
