// Packed safetensors to Model. The file's names give roles, its shapes give the spec; what neither
// says comes from conventions. Flow: group by stem, name, number the layers, derive the spec,
// unpack, compare with what the spec demands.
#include <algorithm>
#include <set>

#include "import/config.h"
#include "import/formats.h"
#include "import/json.h"
#include "import/names.h"
#include "import/packed.h"
#include "import/presets.h"
#include "import/shards.h"
#include "model/spec_fields.h"

namespace sb3lm {
namespace {

constexpr const char* kFloatFormat = "safetensors";

struct NamedGroup {
  TensorKey key;  // layer: first the file's number, then the index
  const PackedGroup* group;
};

std::string shape_text(const PackedGroup& group) {
  return group.stacked
             ? fmt::format("[{}, {}, {}]", group.stack, group.extent.rows, group.extent.cols)
             : fmt::format("[{}, {}]", group.extent.rows, group.extent.cols);
}

std::map<std::string, TensorKey> read_name_map(const CheckpointFiles& files) {
  std::map<std::string, TensorKey> map;
  if (!files.name_map) return map;
  const std::string& file = files.name_map->file;
  const Json json = parse_json(file, as_text(files.name_map->bytes));
  if (!json.is_object()) fail(Fault::bad_input, "{}: not a JSON object of names", file);
  for (const auto& [name, role] : json.items()) {
    if (!role.is_string()) fail(Fault::bad_input, "{}: '{}': the role is not a string", file, name);
    try {
      map[name] = tensor_key_from_text(role.get<std::string>());
    } catch (const Error& problem) {
      fail(Fault::bad_input, "{}: '{}': {}", file, name, problem.what());
    }
  }
  return map;
}

/// Gives every group its role; all that have none are listed in one error.
std::vector<NamedGroup> name_groups(const CheckpointFiles& files,
                                    const std::vector<PackedGroup>& groups) {
  constexpr int kListed = 8;
  std::map<std::string, TensorKey> map = read_name_map(files);
  std::vector<NamedGroup> named;
  std::string unknown;
  int unknowns = 0;
  for (const PackedGroup& group : groups) {
    if (group.stem.ends_with(".rotary_emb.inv_freq")) continue;  // what rope-base says, once more
    if (const auto found = map.find(group.stem); found != map.end()) {
      named.push_back({found->second, &group});
      map.erase(found);
    } else if (const std::optional<TensorKey> key = role_of_name(group.stem)) {
      named.push_back({*key, &group});
    } else if (++unknowns <= kListed) {
      unknown += fmt::format("{}'{}' {} (nearest: {})", unknown.empty() ? "" : ", ", group.stem,
                             shape_text(group), nearest_role(group.stem));
    }
  }
  if (!map.empty()) {
    fail(Fault::bad_input, "{}: '{}' is not a tensor of {}", files.name_map->file,
         map.begin()->first, files.checkpoint.file);
  }
  if (unknowns > 0) {
    fail(Fault::unsupported, "{}: {} tensors have no known role: {}{}; name them with --map",
         files.checkpoint.file, unknowns, unknown, unknowns > kListed ? ", ..." : "");
  }
  return named;
}

/// A head that holds the embedding once more is no head.
void drop_tied_head(const CheckpointFiles& files, std::vector<NamedGroup>& named) {
  const auto of_role = [&named](Role role) {
    return std::find_if(named.begin(), named.end(),
                        [role](const NamedGroup& entry) { return entry.key.role == role; });
  };
  const auto head = of_role(Role::head), embedding = of_role(Role::embedding);
  if (head == named.end() || embedding == named.end()) return;
  const PackedGroup &a = *head->group, &b = *embedding->group;
  const bool same = a.form == PackedForm::plain && b.form == PackedForm::plain &&
                    a.extent == b.extent && a.data->type == b.data->type &&
                    std::ranges::equal(a.data->bytes, b.data->bytes);
  if (same) {
    named.erase(head);
  } else if (files.config && config_ties_head(files.config->file, as_text(files.config->bytes))) {
    a.fail("{} says tie_word_embeddings, but it is not '{}'", files.config->file, b.stem);
  }
}

/// A metadata text that holds a JSON list of layer numbers; empty if the key is not there.
std::vector<int> metadata_list(const Safetensors& container, const std::string& key) {
  constexpr std::size_t kLongest = 4096;
  std::vector<int> list;
  const auto found = container.metadata.find(key);
  if (found == container.metadata.end()) return list;
  const std::string where = fmt::format("{}: __metadata__ '{}'", container.file, key);
  const Json json = parse_json(where, found->second);
  if (!json.is_array() || json.size() > kLongest) {
    fail(Fault::bad_input, "{}: not a list of layer numbers", where);
  }
  for (const Json& item : json) {
    const std::optional<int> number = json_as<int>(item);
    if (!number || *number < 0 || *number > limits::kLayerId) {
      fail(Fault::bad_input, "{}: {} is not a layer number", where, item.dump());
    }
    list.push_back(*number);
  }
  return list;
}

/// Position of `value` in `list`, -1 if it is not there.
int index_in(const std::vector<int>& list, int value) {
  const auto found = std::find(list.begin(), list.end(), value);
  return found == list.end() ? -1 : static_cast<int>(found - list.begin());
}

/// The layer numbers that the names use, in stored order: original ids or slots.
std::vector<int> numbers_in_names(const Safetensors& container,
                                  const std::vector<NamedGroup>& named,
                                  const std::vector<int>& layer_ids) {
  std::set<int> used;
  for (const NamedGroup& entry : named) {
    if (entry.key.layer >= 0) used.insert(entry.key.layer);
  }
  const std::vector<int> sorted(used.begin(), used.end());
  if (layer_ids.empty()) return sorted;
  if (std::set<int>(layer_ids.begin(), layer_ids.end()).size() != layer_ids.size()) {
    fail(Fault::bad_input, "{}: __metadata__ 'layer_ids' names a layer twice", container.file);
  }
  std::vector<int> by_id = layer_ids;
  std::sort(by_id.begin(), by_id.end());
  if (sorted == by_id) return layer_ids;
  const bool slots = sorted.size() == layer_ids.size() && !sorted.empty() && sorted.front() == 0 &&
                     sorted.back() == static_cast<int>(sorted.size()) - 1;
  if (!slots) {
    fail(Fault::bad_input,
         "{}: its {} layers are numbered neither by the {} ids of __metadata__ 'layer_ids' nor "
         "from 0",
         container.file, sorted.size(), layer_ids.size());
  }
  return sorted;
}

/// Fills spec.layers (ids only) and spec.passes, and turns layer numbers into indices.
void number_layers(const Safetensors& container, std::vector<NamedGroup>& named, ModelSpec& spec) {
  const std::vector<int> layer_ids = metadata_list(container, "layer_ids");
  const std::vector<int> numbers = numbers_in_names(container, named, layer_ids);
  for (NamedGroup& entry : named) {
    if (entry.key.layer >= 0) entry.key.layer = index_in(numbers, entry.key.layer);
  }
  for (const int number : numbers) spec.layers.push_back({.id = number});
  const std::vector<int>& ids = layer_ids.empty() ? numbers : layer_ids;
  for (const int id : metadata_list(container, "pass_order")) {
    const int index = index_in(ids, id);
    if (index < 0) {
      fail(Fault::bad_input, "{}: __metadata__ 'pass_order' runs layer {}, which is not stored",
           container.file, id);
    }
    spec.passes.push_back(index);
  }
  if (spec.passes.empty()) {
    for (std::size_t i = 0; i < ids.size(); ++i) spec.passes.push_back(static_cast<int>(i));
  }
}

/// The groups by key. A stack of experts is under expert -1.
using Index = std::map<TensorKey, const PackedGroup*>;

Index index_groups(const std::vector<NamedGroup>& named) {
  Index index;
  for (const NamedGroup& entry : named) {
    const auto [at, is_new] = index.emplace(entry.key, entry.group);
    if (!is_new) {
      entry.group->fail("it has the role of '{}' too: {}", at->second->stem,
                        tensor_key_text(entry.key));
    }
  }
  return index;
}

const PackedGroup& need(const Index& index, const std::string& file, const TensorKey& key) {
  const auto found = index.find(key);
  if (found == index.end()) {
    fail(Fault::bad_input, "{}: no tensor for {}", file, tensor_key_text(key));
  }
  return *found->second;
}

/// Of heads, KV heads and head size one is enough, rows give the others.
AttentionSpec attention_of(const std::string& file, int query_rows, int kv_rows,
                           const Conventions& conventions) {
  AttentionSpec attention{.query_heads = conventions.count("heads"),
                          .kv_heads = conventions.count("kv-heads"),
                          .head_size = conventions.count("head-size"),
                          .rope = {}};
  if (attention.head_size == 0 && attention.query_heads > 0) {
    attention.head_size = query_rows / attention.query_heads;
  }
  if (attention.head_size == 0 && attention.kv_heads > 0) {
    attention.head_size = kv_rows / attention.kv_heads;
  }
  if (attention.head_size == 0) {
    fail(Fault::bad_input,
         "{}: nothing says how large a head is; add --convention head-size=N (or heads=N)", file);
  }
  if (attention.query_heads == 0) attention.query_heads = query_rows / attention.head_size;
  if (attention.kv_heads == 0) attention.kv_heads = kv_rows / attention.head_size;
  attention.rope = conventions.rope(attention.head_size);
  return attention;
}

FeedForwardSpec feed_forward_of(const Index& index, const std::string& file, int layer,
                                const Conventions& conventions) {
  FeedForwardSpec ffn;
  const auto router = index.find({Role::router, layer});
  if (router == index.end()) {
    ffn.hidden = need(index, file, {Role::gate, layer}).extent.rows;
    return ffn;
  }
  ffn.routed_experts = router->second->extent.rows;
  ffn.top_k = conventions.count("top-k");
  if (ffn.top_k == 0) {
    fail(Fault::bad_input, "{}: nothing says how many experts run; add --convention top-k=N", file);
  }
  ffn.router_norm = conventions.router_norm();
  const bool stacked = index.contains({Role::expert_gate, layer});
  ffn.hidden = need(index, file, {Role::expert_gate, layer, stacked ? -1 : 0}).extent.rows;
  if (const auto shared = index.find({Role::shared_gate, layer}); shared != index.end()) {
    ffn.shared_experts = 1;
    ffn.shared_hidden = shared->second->extent.rows;
    ffn.shared_gated = index.contains({Role::shared_router, layer});
  }
  return ffn;
}

void derive_spec(const Index& index, const std::string& file, const Conventions& conventions,
                 ModelSpec& spec) {
  const PackedGroup& embedding = need(index, file, {Role::embedding});
  spec.width = embedding.extent.cols;
  spec.vocabulary = embedding.extent.rows;
  spec.context = conventions.count("context");
  spec.norm_eps = conventions.number("norm-eps");
  spec.tied_head = !index.contains({Role::head});
  if (spec.context == 0) {
    fail(Fault::bad_input, "{}: nothing says the context; add --convention context=N", file);
  }
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    const int layer = static_cast<int>(i);
    spec.layers[i].attention =
        attention_of(file, need(index, file, {Role::q, layer}).extent.rows,
                     need(index, file, {Role::k, layer}).extent.rows, conventions);
    spec.layers[i].attention.qkv_bias = index.contains({Role::q_bias, layer});
    spec.layers[i].feed_forward = feed_forward_of(index, file, layer, conventions);
  }
  spec.validate(file);
}

const ModelPreset* preset_of(const Index& index) {
  ModelShape shape;
  const auto extent = [&index](const TensorKey& key) {
    const auto found = index.find(key);
    return found == index.end() ? Shape{} : found->second->extent;
  };
  shape.width = extent({Role::embedding}).cols;
  shape.vocabulary = extent({Role::embedding}).rows;
  shape.query_rows = extent({Role::q, 0}).rows;
  shape.kv_rows = extent({Role::k, 0}).rows;
  shape.routed_experts = extent({Role::router, 0}).rows;
  return find_preset(shape);
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

Tensor unpack(const PackedGroup& group, int part, const TensorKey& key,
              const Conventions& conventions) {
  if (group.form == PackedForm::plain) return unpack_plain(group, part);
  if (group.form == PackedForm::bits) return unpack_bits(group, part, conventions);
  if (group.form == PackedForm::bytes) return unpack_bytes(group, part);
  const bool vocabulary = is_vocabulary_matrix(key.role);
  return unpack_nibbles(group, part, conventions,
                        conventions.text(vocabulary ? "embedding-code" : "nibble-code"),
                        vocabulary);
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
    model.names.emplace(key, group.stem);
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

SourceFile describe_source(const Safetensors& container, const std::vector<PackedGroup>& groups) {
  const bool packed = std::any_of(groups.begin(), groups.end(), [](const PackedGroup& group) {
    return group.form != PackedForm::plain;
  });
  SourceFile source{packed ? "ssmoelm" : kFloatFormat, {}, container.metadata};
  for (const StoredTensor& tensor : container.tensors) {
    source.tensors.push_back({tensor.name, tensor.type, tensor.shape});
  }
  return source;
}

/// All that a file says before any weight is unpacked. `groups` point into `container`, `named`
/// into `groups`.
struct Description {
  Safetensors container;
  std::vector<PackedGroup> groups;
  std::vector<NamedGroup> named;  // by layer index, gate and up as the spec has them
  Model model;                    // without tensors
  Conventions conventions;
};

Description describe(const CheckpointFiles& files,
                     const std::map<std::string, std::string>& options) {
  const std::string& file = files.checkpoint.file;
  Description d{.container = read_container(files)};
  d.groups = group_packed(d.container);
  d.named = name_groups(files, d.groups);
  drop_tied_head(files, d.named);
  number_layers(d.container, d.named, d.model.spec);
  const Index index = index_groups(d.named);
  const ModelPreset* preset = preset_of(index);
  if (preset != nullptr) {
    apply_preset(*preset, d.conventions);
    apply_preset(*preset, d.model);
  }
  apply_settings(files, d.container.metadata, options, d.conventions);
  d.model.source = describe_source(d.container, d.groups);
  d.model.spec.family = preset != nullptr ? preset->family : d.model.source.format;
  derive_spec(index, file, d.conventions, d.model.spec);
  if (files.config && d.model.source.format == kFloatFormat) {
    check_config(files.config->file, as_text(files.config->bytes), file, d.model.spec);
  }
  settle_nibble_codes(d.named, d.conventions);
  d.model.conventions = d.conventions.in_force();
  if (d.conventions.is("swiglu", "up")) {
    for (NamedGroup& entry : d.named) entry.key.role = swap_gate_and_up(entry.key.role);
  }
  return d;
}

/// Plain matrices are quantised before use, or converted: they cannot stay where they are.
bool stays_packed(const NamedGroup& entry) {
  return entry.group->form != PackedForm::plain || entry.group->extent.rows == 1 ||
         entry.key.role == Role::router;
}

PackedMatrix view(const PackedGroup& group, int part, const TensorKey& key,
                  const Conventions& conventions) {
  if (group.form == PackedForm::plain) return pack_tensor(unpack_plain(group, part));
  if (group.form == PackedForm::bits) return view_bits(group, part, conventions);
  if (group.form == PackedForm::bytes) return view_bytes(group, part);
  return view_nibbles(
      group, part, conventions,
      conventions.text(is_vocabulary_matrix(key.role) ? "embedding-code" : "nibble-code"));
}

}  // namespace

Model import_ssmoelm(const CheckpointFiles& files,
                     const std::map<std::string, std::string>& options, Progress& progress) {
  Description d = describe(files, options);
  std::size_t done = 0;
  for (const NamedGroup& entry : d.named) {
    each_part(entry, d.model, [&](const TensorKey& key, int part) {
      const bool is_new =
          d.model.tensors.emplace(key, unpack(*entry.group, part, key, d.conventions)).second;
      if (!is_new) entry.group->fail("there is another tensor for {}", tensor_key_text(key));
    });
    progress.report("reading weights",
                    static_cast<double>(++done) / static_cast<double>(d.named.size()));
  }
  check_complete(files.checkpoint.file, d.model, d.model.tensors);
  return std::move(d.model);
}

std::optional<PackedModel> view_ssmoelm(const CheckpointFiles& files,
                                        const std::map<std::string, std::string>& options,
                                        const std::shared_ptr<const void>& owner) {
  Description d = describe(files, options);
  if (!std::all_of(d.named.begin(), d.named.end(), stays_packed)) return std::nullopt;
  PackedModel packed;
  for (const NamedGroup& entry : d.named) {
    each_part(entry, d.model, [&](const TensorKey& key, int part) {
      PackedMatrix matrix = view(*entry.group, part, key, d.conventions);
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
