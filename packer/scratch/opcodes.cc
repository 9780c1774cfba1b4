#include "scratch/opcodes.h"

#include <map>

namespace sb3lm::scratch {
namespace {

// "NAME:kind NAME:kind" to specs.
template <class Spec, class Kind>
std::vector<Spec> parse_specs(std::string_view text) {
  std::vector<Spec> specs;
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    specs.push_back({text.substr(0, colon), static_cast<Kind>(text[colon + 1])});
    text.remove_prefix(colon + 2);
    if (!text.empty()) text.remove_prefix(1);
  }
  return specs;
}

const std::vector<OpcodeInfo>& table() {
  static const std::vector<OpcodeInfo> rows = {
#define OPCODE(name, opcode, shape, result, inputs, fields, text) \
  {Op::name,                                                      \
   #name,                                                         \
   opcode,                                                        \
   BlockShape::shape,                                             \
   Result::result,                                                \
   parse_specs<InputSpec, InputKind>(inputs),                     \
   parse_specs<FieldSpec, FieldKind>(fields),                     \
   text},
#include "scratch/opcodes.def"
#undef OPCODE
  };
  return rows;
}

}  // namespace

const OpcodeInfo& info(Op op) {
  return table()[static_cast<std::size_t>(op)];
}

std::span<const OpcodeInfo> all_opcodes() {
  return table();
}

const OpcodeInfo* find_opcode(std::string_view opcode) {
  static const std::map<std::string_view, const OpcodeInfo*> index = [] {
    std::map<std::string_view, const OpcodeInfo*> by_name;
    for (const OpcodeInfo& row : table()) {
      if (!row.opcode.empty()) by_name.emplace(row.opcode, &row);
    }
    return by_name;
  }();
  const auto found = index.find(opcode);
  return found == index.end() ? nullptr : found->second;
}

}  // namespace sb3lm::scratch
