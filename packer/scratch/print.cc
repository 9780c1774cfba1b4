#include "scratch/print.h"

#include <algorithm>
#include <cctype>

namespace sb3lm {
namespace {

using scratch::InputKind;
using scratch::Node;
using scratch::Op;
using scratch::Stack;

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '[' || c == ']' || c == '\\' || c == '<' || c == '>' || c == '(' || c == ')')
      out += '\\';
    out += c;
  }
  return out;
}

std::string reporter(const Node& node);

std::string input_text(const Node* node, InputKind kind) {
  if (node != nullptr) return reporter(*node);
  if (kind == InputKind::boolean) return "<>";
  return kind == InputKind::number ? "()" : "[]";
}

// Slots that show a menu of names.
bool is_menu(Op op) {
  return op == Op::broadcast || op == Op::broadcast_wait || op == Op::switch_costume;
}

InputKind kind_of_value(const scratch::OpcodeInfo& row, std::size_t index) {
  for (const auto& spec : row.inputs) {
    if (spec.kind != InputKind::body && index-- == 0) return spec.kind;
  }
  return InputKind::any;
}

std::string value_at(const Node& node, std::size_t index) {
  const Node* input = index < node.inputs.size() ? node.inputs[index].get() : nullptr;
  const bool literal = input && (input->op == Op::literal_text || input->op == Op::literal_number);
  if (literal && is_menu(node.op)) return "[" + escaped(input->text) + " v]";
  return input_text(input, kind_of_value(scratch::info(node.op), index));
}

// The row's text with its inputs and fields filled in.
std::string filled(const Node& node) {
  const std::string_view form = scratch::info(node.op).text;
  std::string out;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool marked = (form[i] == '%' || form[i] == '$') && i + 1 < form.size() &&
                        std::isdigit(static_cast<unsigned char>(form[i + 1]));
    if (!marked) {
      out += form[i];
      continue;
    }
    const std::size_t index = static_cast<std::size_t>(form[i + 1] - '1');
    if (form[i] == '%') {
      out += value_at(node, index);
    } else {
      out += index < node.fields.size() ? escaped(node.fields[index]) : "?";
    }
    ++i;
  }
  return out;
}

// A procedure's code with `place(i, is_boolean)` in its places.
template <class PlaceText>
std::string filled_code(const std::string& code, PlaceText place) {
  std::string out;
  std::size_t index = 0;
  for (std::size_t i = 0; i < code.size(); ++i) {
    const char kind = i + 1 < code.size() ? code[i + 1] : ' ';
    if (code[i] == '%' && (kind == 's' || kind == 'n' || kind == 'b')) {
      out += place(index++, kind == 'b');
      ++i;
    } else {
      out += code[i];
    }
  }
  return out;
}

std::string call_text(const Node& node) {
  return filled_code(node.text, [&](std::size_t i, bool is_boolean) {
    const Node* input = i < node.inputs.size() ? node.inputs[i].get() : nullptr;
    return input_text(input, is_boolean ? InputKind::boolean : InputKind::any);
  });
}

std::string reporter(const Node& node) {
  switch (node.op) {
    case Op::literal_number:
      return "(" + node.text + ")";
    case Op::literal_text:
      return "[" + escaped(node.text) + "]";
    case Op::call:
      return call_text(node);
    default:
      return filled(node);
  }
}

void print_stack(std::string& out, const Stack& stack, int indent);

void print_command(std::string& out, const Node& node, int indent) {
  const std::string margin(static_cast<std::size_t>(indent) * 2, ' ');
  out += margin + reporter(node) + "\n";
  if (scratch::info(node.op).shape != scratch::BlockShape::c_block) return;
  for (std::size_t i = 0; i < node.bodies.size(); ++i) {
    if (i > 0) out += margin + "else\n";
    print_stack(out, node.bodies[i], indent + 1);
  }
  out += margin + "end\n";
}

void print_stack(std::string& out, const Stack& stack, int indent) {
  for (const auto& block : stack) {
    if (block) print_command(out, *block, indent);
  }
}

// The end of a hat's line. scratchblocks comments are one line long.
std::string head_end(std::string comment) {
  if (comment.empty()) return "\n";
  std::replace(comment.begin(), comment.end(), '\n', ' ');
  return " // " + comment + "\n";
}

}  // namespace

std::string print_block(const Node& node) {
  std::string out;
  print_command(out, node, 0);
  out.pop_back();
  return out;
}

std::string print_script(const scratch::Script& script) {
  std::string out = script.hat ? reporter(*script.hat) + head_end(script.comment) : "";
  print_stack(out, script.body, 0);
  return out;
}

std::string print_procedure(const scratch::Procedure& procedure) {
  std::string out = "define " + filled_code(procedure.code, [&](std::size_t i, bool is_boolean) {
                      const std::string name =
                          i < procedure.parameters.size() ? procedure.parameters[i].name : "?";
                      return is_boolean ? "<" + escaped(name) + ">" : "(" + escaped(name) + ")";
                    });
  const char* refresh = procedure.warp ? "" : "with screen refresh";
  const bool both = !procedure.warp && !procedure.comment.empty();
  out += head_end(refresh + std::string(both ? ". " : "") + procedure.comment);
  print_stack(out, procedure.body, 0);
  return out;
}

std::string print_program(const scratch::Program& program) {
  std::string out;
  for (const auto& target : program.targets) {
    out += "// " + target.name + "\n";
    for (const std::string& note : target.notes) out += head_end(note).substr(1);
    out += "\n";
    for (const auto& procedure : target.procedures) out += print_procedure(procedure) + "\n";
    for (const auto& script : target.scripts) out += print_script(script) + "\n";
  }
  return out;
}

}  // namespace sb3lm
