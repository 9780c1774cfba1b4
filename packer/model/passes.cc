#include "model/passes.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/error.h"

namespace sb3lm {
namespace {

/// By old index: where the layer is afterwards, -1 for those that are dropped.
std::vector<int> new_places(const ModelSpec& spec, const std::vector<int>& ids) {
  std::vector<int> places(spec.layers.size(), -1);
  int next = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (std::ranges::find(ids, spec.layers[i].id) != ids.end()) places[i] = next++;
  }
  return places;
}

/// The model's parts by key, with the layers' new indices; what is not expected any more is left
/// out.
template <class Part>
std::map<TensorKey, Part> moved(std::map<TensorKey, Part> parts, const std::vector<int>& places,
                                const std::map<TensorKey, Shape>& expected) {
  std::map<TensorKey, Part> made;
  for (auto& [key, part] : parts) {
    TensorKey to = key;
    if (key.layer >= 0) to.layer = places[static_cast<std::size_t>(key.layer)];
    if ((key.layer >= 0 && to.layer < 0) || !expected.contains(to)) continue;
    made.emplace(to, std::move(part));
  }
  return made;
}

void drop_from_source(const std::map<TensorKey, std::string>& before, Model& model) {
  std::set<std::string> gone;
  for (const auto& [key, name] : before) gone.insert(name);
  for (const auto& [key, name] : model.names) gone.erase(name);
  std::erase_if(model.source.tensors, [&](const SourceTensor& source) {
    return gone.contains(source.name) || std::ranges::any_of(gone, [&](const std::string& name) {
             return source.name.starts_with(name + "__");
           });
  });
  // As packed checkpoints say it.
  std::vector<int> layers;
  for (const LayerSpec& layer : model.spec.layers) layers.push_back(layer.id);
  for (const auto& [name, ids] :
       {std::pair("layer_ids", layers), std::pair("pass_order", pass_ids(model.spec))}) {
    const auto found = model.source.metadata.find(name);
    if (found != model.source.metadata.end()) {
      found->second = fmt::format("[{}]", fmt::join(ids, ","));
    }
  }
}

}  // namespace

std::vector<int> pass_ids(const ModelSpec& spec) {
  std::vector<int> ids;
  for (const int layer : spec.passes) {
    ids.push_back(spec.layers[static_cast<std::size_t>(layer)].id);
  }
  return ids;
}

void take_passes(Model& model, const std::vector<int>& ids) {
  ModelSpec& spec = model.spec;
  if (ids == pass_ids(spec)) return;
  if (spec.skips) {
    fail(Fault::unsupported, "passes: the model's are tied to each other (skips)");
  }
  const std::vector<int> places = new_places(spec, ids);
  ModelSpec made = spec;
  made.layers.clear();
  made.passes.clear();
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i] >= 0) made.layers.push_back(spec.layers[i]);
  }
  for (const int id : ids) {
    const auto layer = std::ranges::find(made.layers, id, &LayerSpec::id);
    if (layer == made.layers.end()) {
      fail(Fault::bad_input, "passes: the model has no layer {}; it has {}", id,
           fmt::join(pass_ids(spec), ", "));
    }
    made.passes.push_back(static_cast<int>(layer - made.layers.begin()));
  }
  made.validate("passes");
  std::map<TensorKey, Shape> expected;
  for (const auto& [key, shape] : expected_tensors(made)) expected.emplace(key, shape);
  const std::map<TensorKey, std::string> names = model.names;
  model.tensors = moved(std::move(model.tensors), places, expected);
  model.names = moved(std::move(model.names), places, expected);
  spec = std::move(made);
  drop_from_source(names, model);
}

}  // namespace sb3lm
