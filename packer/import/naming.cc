#include "import/naming.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "import/json.h"
#include "import/names.h"
#include "model/spec_fields.h"

namespace sb3lm {
namespace {

std::string shape_text(const PackedGroup& group) {
  return group.stacked
             ? fmt::format("[{}, {}, {}]", group.stack, group.extent.rows, group.extent.cols)
             : fmt::format("[{}, {}]", group.extent.rows, group.extent.cols);
}

Shape extent_under(const NameRule& rule, const PackedGroup& group) {
  Shape extent = group.extent;
  if (rule.row >= 0) {
    if (rule.row >= extent.rows) group.fail("it has {} rows, not {}", extent.rows, rule.row + 1);
    extent.rows = 1;
  }
  if (rule.first >= extent.rows && rule.first > 0) {
    group.fail("it has {} rows, and row {} is the first that counts", extent.rows, rule.first);
  }
  extent.rows -= rule.first;
  if (rule.transposed) std::swap(extent.rows, extent.cols);
  int& fused = is_vector(rule.role) ? extent.cols : extent.rows;
  if (fused % rule.rows.of != 0) {
    group.fail("its {} rows are no {} equal parts", fused, rule.rows.of);
  }
  fused = fused / rule.rows.of * (rule.rows.to - rule.rows.from);
  return extent;
}

/// A head that holds the embedding once more is no head.
void drop_tied_head(std::vector<NamedGroup>& named) {
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
  if (same) named.erase(head);
}

/// A metadata text that holds a JSON list of layer numbers; empty if the key is not there.
std::vector<int> metadata_list(const Container& container, const std::string& key) {
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

/// The layer numbers that the names use, in the order of `ids`, which may be empty: original ids or
/// slots.
std::vector<int> numbers_in_names(const Container& container, const std::vector<NamedGroup>& named,
                                  const std::vector<int>& ids) {
  std::set<int> used;
  for (const NamedGroup& entry : named) {
    if (entry.key.layer >= 0 && !entry.rule->counts_own) used.insert(entry.key.layer);
  }
  if (used.size() > limits::kLayers) {
    fail(Fault::bad_input, "{}: {} layers are more than {}", container.file, used.size(),
         limits::kLayers);
  }
  const std::vector<int> sorted(used.begin(), used.end());
  if (ids.empty()) return sorted;
  std::vector<int> by_id = ids;
  std::sort(by_id.begin(), by_id.end());
  if (std::adjacent_find(by_id.begin(), by_id.end()) != by_id.end()) {
    fail(Fault::bad_input, "{}: __metadata__ 'layer_ids' names a layer twice", container.file);
  }
  if (sorted == by_id) return ids;
  const bool slots = sorted.size() == ids.size() && !sorted.empty() && sorted.front() == 0 &&
                     sorted.back() == static_cast<int>(sorted.size()) - 1;
  if (!slots) {
    fail(Fault::bad_input,
         "{}: its {} layers are numbered neither by the {} ids that it gives nor from 0",
         container.file, sorted.size(), ids.size());
  }
  return sorted;
}

std::vector<int> passes_of(const Container& container, const std::vector<int>& ids) {
  std::vector<int> passes;
  for (const int id : metadata_list(container, "pass_order")) {
    const int index = index_in(ids, id);
    if (index < 0) {
      fail(Fault::bad_input, "{}: __metadata__ 'pass_order' runs layer {}, which is not stored",
           container.file, id);
    }
    passes.push_back(index);
  }
  if (passes.empty()) {
    for (std::size_t i = 0; i < ids.size(); ++i) passes.push_back(static_cast<int>(i));
  }
  return passes;
}

}  // namespace

std::vector<NamedGroup> name_groups(const std::string& file, NameMap& map, const Family& family,
                                    const std::vector<PackedGroup>& groups) {
  constexpr int kListed = 8;
  std::vector<NamedGroup> named;
  std::string unknown;
  int unknowns = 0;
  for (const PackedGroup& group : groups) {
    const NameMap::Meaning meaning = map.of(group.stem);
    const std::vector<NameMatch> roles = meaning.role
                                             ? std::vector<NameMatch>{{*meaning.role, &kAsItIs}}
                                             : roles_of_name(family, meaning.name);
    for (const auto& [key, rule] : roles) {
      named.push_back({key, &group, rule, extent_under(*rule, group), rule->row});
    }
    if (roles.empty() && ++unknowns <= kListed) {
      unknown += fmt::format("{}'{}' {} (nearest: {})", unknown.empty() ? "" : ", ", group.stem,
                             shape_text(group), nearest_role(family, group.stem));
    }
  }
  map.check_used(file);
  if (unknowns > 0) {
    fail(Fault::unsupported,
         "{}: {} tensors have no known role: {}{}; name them with --map, or \"ignore\" them there",
         file, unknowns, unknown, unknowns > kListed ? ", ..." : "");
  }
  drop_tied_head(named);
  return named;
}

void number_layers(const Container& container, std::vector<NamedGroup>& named, ModelSpec& spec) {
  const bool is_described = !spec.layers.empty();
  std::vector<int> ids;
  for (const LayerSpec& layer : spec.layers) ids.push_back(layer.id);
  if (!is_described) ids = metadata_list(container, "layer_ids");
  const std::vector<int> numbers = numbers_in_names(container, named, ids);
  for (NamedGroup& entry : named) {
    if (entry.key.layer < 0 || entry.rule->counts_own) continue;
    entry.key.layer = index_in(numbers, entry.key.layer);
  }
  if (is_described) return;
  for (const int number : numbers) spec.layers.push_back({.id = number});
  spec.passes = passes_of(container, ids.empty() ? numbers : ids);
}

void give_to_layers(const ModelSpec& spec, std::vector<NamedGroup>& named) {
  std::vector<NamedGroup> given;
  for (const NamedGroup& entry : named) {
    if (!entry.rule->counts_own) {
      given.push_back(entry);
      continue;
    }
    const Role role = entry.key.role;
    std::vector<int> own;
    for (int layer = 0; layer < static_cast<int>(spec.layers.size()); ++layer) {
      if (shape_of_role(role, spec, layer)) own.push_back(layer);
    }
    const int layers = static_cast<int>(own.size()), rows = entry.extent.rows;
    const int number = entry.key.layer;
    if (number < 0 ? rows != layers : number >= layers) {
      entry.group->fail("{} layers have a {}, but here is one for {}", layers, role_name(role),
                        number < 0 ? rows : number + 1);
    }
    for (int row = number < 0 ? 0 : number; row < (number < 0 ? rows : number + 1); ++row) {
      NamedGroup one = entry;
      one.key.layer = own[static_cast<std::size_t>(row)];
      one.extent.rows = 1;
      if (number < 0) one.row = row;
      given.push_back(one);
    }
  }
  named = std::move(given);
}

}  // namespace sb3lm
