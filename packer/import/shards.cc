#include "import/shards.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "base/error.h"
#include "import/json.h"
#include "import/sniff.h"

namespace sb3lm {
namespace {

constexpr std::size_t kMostShards = 1024;

/// Tensor to file.
std::map<std::string, std::string> read_weight_map(const std::string& file,
                                                   std::string_view index) {
  const Json json = parse_json(file, index);
  const auto found = json.is_object() ? json.find("weight_map") : json.end();
  if (!json.is_object() || found == json.end() || !found->is_object() || found->empty()) {
    fail(Fault::bad_input, "{}: it has no weight_map with tensors", file);
  }
  std::map<std::string, std::string> map;
  for (const auto& [tensor, shard] : found->items()) {
    const std::string name = shard.is_string() ? shard.get<std::string>() : "";
    if (name.empty() || name == "." || name == ".." ||
        name.find_first_of(std::string_view("/\\\0", 3)) != name.npos) {
      fail(Fault::bad_input, "{}: tensor '{}': {} is not the name of a file beside it", file,
           tensor, shard.dump());
    }
    map[tensor] = name;
  }
  return map;
}

std::string_view base_name(std::string_view file) {
  const std::size_t slash = file.find_last_of('/');
  return slash == file.npos ? file : file.substr(slash + 1);
}

void add_shard(const NamedBytes& shard, const std::map<std::string, std::string>& weight_map,
               Container& all) {
  Container part = readable_format(shard).read({.checkpoint = shard});
  all.format = part.format;
  std::ranges::move(part.buffers, std::back_inserter(all.buffers));
  for (StoredTensor& tensor : part.tensors) {
    const auto place = weight_map.find(tensor.name);
    if (place == weight_map.end() || place->second != base_name(shard.file)) {
      fail(Fault::bad_input, "{}: tensor '{}' is not there according to {}", shard.file,
           tensor.name, all.file);
    }
    all.tensors.push_back(std::move(tensor));
  }
  all.metadata.merge(part.metadata);
}

}  // namespace

bool is_shard_index(std::string_view file) {
  return file.ends_with(".safetensors.index.json") || file.ends_with(".bin.index.json");
}

bool is_one_shard(std::string_view file) {
  constexpr std::string_view kShape = "-#####-of-#####.";  // # is a digit
  const auto fits = [](char c, char shape) {
    return shape == '#' ? c >= '0' && c <= '9' : c == shape;
  };
  for (std::size_t at = file.find('-'); at != file.npos; at = file.find('-', at + 1)) {
    const std::string_view part = file.substr(at, kShape.size());
    if (std::ranges::equal(part, kShape, fits)) return !part.ends_with("-of-00001.");
  }
  return false;
}

std::vector<std::string> shard_names(const std::string& file, std::string_view index) {
  std::set<std::string> names;
  for (const auto& [tensor, shard] : read_weight_map(file, index)) names.insert(shard);
  if (names.size() > kMostShards) {
    fail(Fault::bad_input, "{}: it names more than {} files", file, kMostShards);
  }
  return {names.begin(), names.end()};
}

Container read_shards(const CheckpointFiles& files) {
  const NamedBytes& file = files.checkpoint;
  const auto weight_map = read_weight_map(file.file, as_text(file.bytes));
  Container all{.file = file.file};
  for (const NamedBytes& shard : files.shards) add_shard(shard, weight_map, all);
  std::set<std::string_view> found;
  for (const StoredTensor& tensor : all.tensors) found.insert(tensor.name);
  for (const auto& [tensor, shard] : weight_map) {
    if (!found.contains(tensor)) {
      fail(Fault::bad_input, "{}: tensor '{}' is not in {}", file.file, tensor, shard);
    }
  }
  all.spec = spec_in(file.file, all.metadata);
  return all;
}

}  // namespace sb3lm
