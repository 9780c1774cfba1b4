#include "import/container.h"

#include <array>

#include "import/json.h"
#include "model/spec_json.h"

namespace sb3lm {
namespace {

constexpr const char* kSpecKey = "sb3lm_spec";

struct TypeRow {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr std::array<TypeRow, 15> kTypes{{{"F64", 8},
                                          {"I64", 8},
                                          {"U64", 8},
                                          {"F32", 4},
                                          {"I32", 4},
                                          {"U32", 4},
                                          {"F16", 2},
                                          {"BF16", 2},
                                          {"I16", 2},
                                          {"U16", 2},
                                          {"F8_E4M3", 1},
                                          {"F8_E5M2", 1},
                                          {"I8", 1},
                                          {"U8", 1},
                                          {"BOOL", 1}}};

}  // namespace

std::uint64_t type_bytes(std::string_view type) {
  for (const TypeRow& row : kTypes) {
    if (row.name == type) return row.bytes;
  }
  return 0;
}

std::uint64_t StoredTensor::elements() const {
  return bytes.size() / type_bytes(type);
}

const StoredTensor* Container::find(std::string_view name) const {
  for (const StoredTensor& tensor : tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

Bytes Container::keep(std::string bytes) {
  buffers.push_back(std::make_shared<const std::string>(std::move(bytes)));
  return as_bytes(*buffers.back());
}

void put_spec(const ModelSpec& spec, std::map<std::string, std::string>& metadata) {
  metadata[kSpecKey] = spec_to_json(spec);
}

void forget_spec(std::map<std::string, std::string>& metadata) {
  if (had_spec(metadata)) metadata[kSpecKey].clear();
}

bool had_spec(const std::map<std::string, std::string>& metadata) {
  return metadata.contains(kSpecKey);
}

std::optional<ModelSpec> spec_in(const std::string& file,
                                 const std::map<std::string, std::string>& metadata) {
  const auto found = metadata.find(kSpecKey);
  if (found == metadata.end() || found->second.empty()) return std::nullopt;
  const std::string where = file + ": __metadata__ '" + kSpecKey + "'";
  parse_json(where, found->second);  // which refuses what could harm the reader
  return spec_from_json(found->second, where);
}

}  // namespace sb3lm
