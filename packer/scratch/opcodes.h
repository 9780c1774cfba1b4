// The opcode table, expanded from opcodes.def: the single source for the builder, writer, reader,
// printer, checker and evaluator.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace sb3lm::scratch {

enum class Op : std::uint8_t {
#define OPCODE(name, opcode, shape, result, inputs, fields, text) name,
#include "scratch/opcodes.def"
#undef OPCODE
};

enum class BlockShape : std::uint8_t { hat, stack, c_block, end, value, condition, pseudo, menu };
enum class Result : std::uint8_t { number, text, any, boolean, none };
enum class InputKind : char {
  number = 'n',
  text = 't',
  color = 'c',
  any = 'a',
  boolean = 'b',
  body = 's'
};
enum class FieldKind : char { variable = 'v', list = 'l', message = 'm', choice = 'c' };

struct InputSpec {
  std::string_view name;
  InputKind kind;
};
struct FieldSpec {
  std::string_view name;
  FieldKind kind;
};

struct OpcodeInfo {
  Op op;
  std::string_view name;    // ours: "list_item"
  std::string_view opcode;  // Scratch's: "data_itemoflist"
  BlockShape shape;
  Result result;
  std::vector<InputSpec> inputs;  // bodies included, in the row's order
  std::vector<FieldSpec> fields;
  std::string_view text;
};

const OpcodeInfo& info(Op op);
std::span<const OpcodeInfo> all_opcodes();
/// The row of Scratch's opcode name, or null.
const OpcodeInfo* find_opcode(std::string_view opcode);

}  // namespace sb3lm::scratch
