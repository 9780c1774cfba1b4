#include "runtime_ref/block_eval_reporters.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/number_text.h"

namespace sb3lm::eval {

using scratch::Node;
using scratch::Op;

namespace {

// Evaluation recurses; deeper than this would not fit a browser's stack either.
constexpr int kMaxDepth = 1500;

// The number a literal stands for in a slot that wants one, if it is one.
std::optional<double> constant_number(const Node* node) {
  if (node == nullptr || (node->op != Op::literal_number && node->op != Op::literal_text)) {
    return std::nullopt;
  }
  return to_number(literal_value(*node));
}

// A number that is no index word such as "last".
std::optional<double> constant_index(const Node* node) {
  if (node == nullptr || node->op != Op::literal_number) return std::nullopt;
  const Value value = literal_value(*node);
  if (!value.is_number()) return std::nullopt;
  return value.number();
}

}  // namespace

Value literal_value(const Node& node) {
  if (node.op == Op::literal_number) {
    // Any other text of a number stays a text in the file, and so in the virtual machines.
    const std::optional<double> number = js_parse_number(node.text);
    if (number && js_number_text(*number) == node.text) return Value(*number);
  }
  return Value(Text(node.text));
}

Value* ReporterCompiler::variable(const Node& node) const {
  check(!node.fields.empty(), "a variable block without a name");
  Value* found = world_.find_variable(node.fields[0]);
  if (found == nullptr) fail(Fault::bad_input, "no variable is called '{}'", node.fields[0]);
  return found;
}

ItemList* ReporterCompiler::list(const Node& node) const {
  check(!node.fields.empty(), "a list block without a name");
  ItemList* found = world_.find_list(node.fields[0]);
  if (found == nullptr) fail(Fault::bad_input, "no list is called '{}'", node.fields[0]);
  return found;
}

ExprPtr ReporterCompiler::compile(const Node* node) {
  if (node == nullptr) return std::make_unique<Constant>(Value(Text()));
  if (++depth_ > kMaxDepth) fail(Fault::bad_input, "an expression nested over {}", kMaxDepth);
  ExprPtr made = block(*node);
  --depth_;
  return made;
}

ExprPtr ReporterCompiler::input(const Node& node, std::size_t index) {
  return compile(index < node.inputs.size() ? node.inputs[index].get() : nullptr);
}

ExprPtr ReporterCompiler::block(const Node& node) {
  const auto at = [&](std::size_t index) { return input(node, index); };
  switch (node.op) {
    case Op::literal_number:
    case Op::literal_text:
      return std::make_unique<Constant>(literal_value(node));
    case Op::variable:
      return std::make_unique<VariableExpr>(variable(node));
    case Op::list_contents:
      return make_list_contents(list(node));
    case Op::list_item:
      return item(node);
    case Op::list_index:
      return make_list_index(list(node), at(0));
    case Op::list_length:
      return make_list_length(list(node));
    case Op::list_contains:
      return make_list_contains(list(node), at(0));
    case Op::add:
    case Op::subtract:
      return sum(node);
    case Op::multiply:
    case Op::divide:
    case Op::mod: {
      ExprPtr left = at(0);
      return make_arithmetic(node.op, std::move(left), at(1));
    }
    case Op::round:
      return make_round(at(0));
    case Op::math:
      return make_math(node.fields.at(0), at(0));
    case Op::random:
      return make_random(world_, at(0), at(1));
    case Op::less:
    case Op::greater:
    case Op::equal:
      return make_comparison(node.op, at(0), at(1));
    case Op::both:
    case Op::either:
      return make_logic(node.op, at(0), at(1));
    case Op::negate:
      return make_not(at(0));
    case Op::join:
      return make_join(at(0), at(1));
    case Op::letter_of:
      return make_letter_of(at(0), at(1));
    case Op::text_length:
      return make_text_length(at(0));
    case Op::text_contains:
      return make_text_contains(at(0), at(1));
    case Op::argument:
    case Op::argument_boolean:
      return argument(node);
    case Op::costume_number:
      return make_costume(actor_, node.fields.at(0) == "number");
    case Op::answer:
      return make_answer(world_);
    case Op::mouse_x:
    case Op::mouse_y:
    case Op::mouse_down:
      return make_mouse(node.op, world_);
    case Op::timer:
      return make_timer(world_);
    case Op::days_since_2000:
      return make_days_since_2000(world_);
    default:
      break;
  }
  fail(Fault::bad_input, "{} stands in an input", scratch::info(node.op).name);
}

// The whole left-deep chain of + and - at once: deep in the file, flat here.
ExprPtr ReporterCompiler::sum(const Node& node) {
  std::vector<Term> terms;
  const Node* left = &node;
  for (; left->op == Op::add || left->op == Op::subtract; left = left->inputs.at(0).get()) {
    check(left->inputs.size() == 2, "an addition without two inputs");
    terms.push_back({input(*left, 1), left->op == Op::subtract});
    if (left->inputs[0] == nullptr) break;
  }
  const bool empty_slot = left->op == Op::add || left->op == Op::subtract;
  ExprPtr first = compile(empty_slot ? nullptr : left);
  if (terms.size() == 1) {
    return make_arithmetic(node.op, std::move(first), std::move(terms[0].expr));
  }
  terms.push_back({std::move(first), false});
  std::reverse(terms.begin(), terms.end());
  return make_sum(std::move(terms));
}

ExprPtr ReporterCompiler::item(const Node& node) {
  const Node* index = node.inputs.empty() ? nullptr : node.inputs[0].get();
  const Value* variable = nullptr;
  double offset = 0;
  if (offset_index(index, variable, offset)) return make_offset_item(list(node), variable, offset);
  if (index != nullptr && index->op == Op::add && index->inputs.size() == 2 &&
      index->inputs[0] != nullptr && index->inputs[0]->op == Op::list_item) {
    const Node& code = *index->inputs[0];
    const std::optional<double> extra = constant_number(index->inputs[1].get());
    const Node* code_index = code.inputs.empty() ? nullptr : code.inputs[0].get();
    if (extra && offset_index(code_index, variable, offset)) {
      return std::make_unique<TableLookup>(list(node), OffsetItem(list(code), variable, offset),
                                           *extra);
    }
  }
  return make_item(list(node), compile(index));
}

bool ReporterCompiler::offset_index(const Node* index, const Value*& variable_out,
                                    double& offset) const {
  if (const auto constant = constant_index(index)) {
    variable_out = nullptr;
    offset = *constant;
    return true;
  }
  if (index == nullptr || (index->op != Op::add && index->op != Op::subtract)) return false;
  if (index->inputs.size() != 2) return false;
  const Node *left = index->inputs[0].get(), *right = index->inputs[1].get();
  if (left != nullptr && left->op != Op::variable && index->op == Op::add) std::swap(left, right);
  const std::optional<double> constant = constant_number(right);
  if (left == nullptr || left->op != Op::variable || !constant) return false;
  variable_out = variable(*left);
  offset = index->op == Op::subtract ? -*constant : *constant;
  return true;
}

ExprPtr ReporterCompiler::argument(const Node& node) const {
  const std::string& name = node.fields.at(0);
  if (procedure_ != nullptr) {
    // Of two parameters with one name the virtual machines see the last.
    for (std::size_t i = procedure_->parameters.size(); i-- > 0;) {
      if (procedure_->parameters[i].name == name) return make_argument(i);
    }
  }
  return std::make_unique<Constant>(Value(0.0));
}

}  // namespace sb3lm::eval
