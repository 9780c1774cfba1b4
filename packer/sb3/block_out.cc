#include "sb3/block_out.h"

#include <algorithm>

#include "base/error.h"
#include "base/number_text.h"
#include "scratch/placeholders.h"

namespace sb3lm {

using scratch::InputKind;
using scratch::Node;
using scratch::Op;

namespace {

// How an input is filled: project.json's first number of an input.
enum InputState { kShadow = 1, kNoShadow = 2, kObscuredShadow = 3 };
// Kinds of value that live inside an input instead of in a block.
enum Primitive {
  kNumber = 4,
  kPositive = 5,
  kWhole = 6,
  kInteger = 7,
  kColor = 9,
  kText = 10,
  kBroadcast = 11,
  kVariable = 12,
  kList = 13,
};

// The editor's own choice of shadow for a slot; every virtual machine takes any of them.
int primitive_for(std::string_view name, InputKind kind) {
  if (name == "TIMES" || name == "LETTER") return kWhole;
  if (name == "INDEX") return kInteger;
  if (name == "DURATION") return kPositive;
  if (kind == InputKind::color) return kColor;
  return kind == InputKind::number ? kNumber : kText;
}

bool is_literal(const Node* node) {
  return node == nullptr || node->op == Op::literal_number || node->op == Op::literal_text;
}

// ["a","b"] as a text, the way mutations carry arrays.
template <class Items, class Text>
std::string array_text(const Items& items, Text text_of) {
  JsonOut json;
  json.begin_array();
  for (std::size_t i = 0; i < items.size(); ++i) json.string(text_of(items[i], i));
  return json.end().take();
}

}  // namespace

std::vector<BlockOut::Block> BlockOut::target(const scratch::Target& target) {
  const scratch::Arrangement places = scratch::arrange(target);
  for (std::size_t i = 0; i < target.procedures.size(); ++i) {
    procedure(target.procedures[i], places.procedures[i]);
  }
  for (std::size_t i = 0; i < target.scripts.size(); ++i) {
    script(target.scripts[i], places.scripts[i]);
  }
  for (std::size_t i = 0; i < target.notes.size(); ++i) {
    comment(target.notes[i], places.notes[i], nullptr);
  }
  return std::move(blocks_);
}

// Ids of comments are a space of their own, one in every target.
std::string BlockOut::comment(const std::string& text, const scratch::Box& box,
                              const std::string* block) {
  if (text.empty()) return {};
  const std::string id = nth_id(comments_.size());
  JsonOut json;
  json.begin_object().key(id).begin_object().key("blockId");
  block ? json.string(*block) : json.null();
  json.key("x").number(box.x).key("y").number(box.y);
  json.key("width").number(box.width).key("height").number(box.height);
  json.key("minimized").boolean(false).key("text").string(text);
  const std::string whole = json.end().end().take();
  comments_.push_back(whole.substr(1, whole.size() - 2));  // the member of an object
  return id;
}

BlockOut::Place BlockOut::place_of(Handle top, const scratch::Spot& spot, const std::string& text) {
  const std::string id = text.empty() ? "" : comment(text, spot.comment, &ids_.use(top));
  return {spot.script.x, spot.script.y, id};
}

void BlockOut::procedure(const scratch::Procedure& procedure, const scratch::Spot& spot) {
  const Handle definition = next_handle_++, inside = next_handle_++;
  const std::optional<Handle> first = queue_stack(procedure.body);
  const Place place = place_of(definition, spot, procedure.comment);
  open_block(definition, true);
  none("fields");
  links({nullptr, definition, std::nullopt, first, true, place}, "procedures_definition");
  out_.key("inputs").begin_object().key("custom_block").begin_array();
  out_.number(kShadow).string(ids_.use(inside)).end().end();
  close_block();
  prototype(procedure, inside, definition);
  write_pending();
}

void BlockOut::prototype(const scratch::Procedure& procedure, Handle self, Handle parent) {
  const auto& parameters = procedure.parameters;
  check(placeholders(procedure.code).size() == parameters.size(),
        "a procedure's code has not as many places as parameters");
  const Handle first_shadow = next_handle_;
  next_handle_ += parameters.size();
  open_block(self, false);
  none("fields");
  links({nullptr, self, parent, std::nullopt, false}, "procedures_prototype");
  out_.key("inputs").begin_object();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    out_.key(argument_id(i)).begin_array();
    out_.number(kShadow).string(ids_.use(first_shadow + i)).end();
  }
  out_.end().key("mutation").begin_object().key("tagName").string("mutation");
  out_.key("children").begin_array().end().key("proccode").string(procedure.code);
  out_.key("argumentids");
  out_.string(array_text(parameters, [](const auto&, std::size_t i) { return argument_id(i); }));
  out_.key("argumentnames");
  out_.string(array_text(parameters, [](const auto& item, std::size_t) { return item.name; }));
  out_.key("argumentdefaults").string(array_text(parameters, [](const auto& item, std::size_t) {
    return item.is_boolean ? "false" : "";
  }));
  out_.key("warp").string(procedure.warp ? "true" : "false").end();
  close_block();
  argument_shadows(procedure, first_shadow, self);
}

void BlockOut::argument_shadows(const scratch::Procedure& procedure, Handle first, Handle parent) {
  for (const auto& parameter : procedure.parameters) {
    const Op op = parameter.is_boolean ? Op::argument_boolean : Op::argument;
    const Handle self = first++;
    open_block(self, false);
    out_.key("fields").begin_object().key("VALUE").begin_array();
    out_.string(parameter.name).null().end().end();
    links({nullptr, self, parent, std::nullopt, false}, scratch::info(op).opcode);
    none("inputs");
    close_block();
  }
}

void BlockOut::script(const scratch::Script& script, const scratch::Spot& spot) {
  const Handle hat = next_handle_++;
  const std::optional<Handle> first = queue_stack(script.body);
  const Place place = place_of(hat, spot, script.comment);
  block({script.hat.get(), hat, std::nullopt, first, true, place});
  write_pending();
}

void BlockOut::write_pending() {
  // What was queued first is written first.
  std::reverse(pending_.begin(), pending_.end());
  while (!pending_.empty()) {
    const Pending next = pending_.back();
    pending_.pop_back();
    block(next);
  }
}

void BlockOut::block(const Pending& pending) {
  if (pending.is_costume_menu) return costume_menu(pending);
  const Node& node = *pending.node;
  const scratch::OpcodeInfo& row = scratch::info(node.op);
  const std::size_t already = pending_.size();
  open_block(pending.self, pending.top.has_value());
  fields(node);
  links(pending, row.opcode);
  if (node.op == Op::call) {
    call_inputs(node);
  } else {
    inputs(pending);
  }
  mutation_of(node);
  close_block();
  std::reverse(pending_.begin() + static_cast<std::ptrdiff_t>(already), pending_.end());
}

void BlockOut::open_block(Handle self, bool is_top) {
  blocks_.push_back({self, "", is_top});
  out_ = JsonOut();
  out_.begin_object().key(ids_.use(self)).begin_object();
}

void BlockOut::none(std::string_view member) {
  if (!short_form_) out_.key(member).begin_object().end();
}

void BlockOut::links(const Pending& pending, std::string_view opcode) {
  const auto link = [&](const char* member, std::optional<Handle> to) {
    out_.key(member);
    to ? out_.string(ids_.use(*to)) : out_.null();
  };
  const bool is_shadow = pending.parent.has_value(), is_top = pending.top.has_value();
  out_.key("opcode").string(opcode);
  if (!short_form_ || pending.in_stack) link("next", pending.next);
  if (!short_form_ || pending.in_stack || is_shadow) link("parent", pending.parent);
  if (!short_form_ || is_shadow) out_.key("shadow").boolean(is_shadow);
  if (!short_form_ || is_top) out_.key("topLevel").boolean(is_top);
  if (!is_top) return;
  out_.key("x").number(pending.top->x).key("y").number(pending.top->y);
  if (!pending.top->comment.empty()) out_.key("comment").string(pending.top->comment);
}

void BlockOut::close_block() {
  const std::string text = out_.end().end().take();
  blocks_.back().text = text.substr(1, text.size() - 2);  // the members of an object
}

void BlockOut::inputs(const Pending& pending) {
  const Node& node = *pending.node;
  const auto& specs = scratch::info(node.op).inputs;
  if (specs.empty()) {
    none("inputs");
    return;
  }
  out_.key("inputs").begin_object();
  std::size_t value_index = 0, body_index = 0;
  for (const auto& spec : specs) {
    if (spec.kind == InputKind::body) {
      if (body_index < node.bodies.size()) body_input(spec.name, node.bodies[body_index]);
      ++body_index;
      continue;
    }
    const bool given = value_index < node.inputs.size();
    const Node* value = given ? node.inputs[value_index].get() : nullptr;
    ++value_index;
    if (spec.name == "BROADCAST_INPUT") {
      broadcast_input(value);
    } else if (spec.name == "COSTUME") {
      costume_input(pending, value);
    } else {
      value_input(spec.name, spec.kind, value);
    }
  }
  out_.end();
}

void BlockOut::call_inputs(const Node& node) {
  const std::vector<Placeholder> places = placeholders(node.text);
  if (places.size() != node.inputs.size()) {
    fail(Fault::bug, "call of '{}' with {} arguments", node.text, node.inputs.size());
  }
  if (places.empty()) {
    none("inputs");
    return;
  }
  out_.key("inputs").begin_object();
  for (std::size_t i = 0; i < places.size(); ++i) {
    const bool is_boolean = places[i] == Placeholder::boolean;
    value_input(argument_id(i), is_boolean ? InputKind::boolean : InputKind::any,
                node.inputs[i].get());
  }
  out_.end();
}

void BlockOut::fields(const Node& node) {
  const auto& specs = scratch::info(node.op).fields;
  if (specs.empty()) {
    none("fields");
    return;
  }
  check(node.fields.size() == specs.size(), "a block has not as many fields as its row");
  out_.key("fields").begin_object();
  for (std::size_t i = 0; i < specs.size(); ++i)
    field(specs[i].name, specs[i].kind, node.fields[i]);
  out_.end();
}

void BlockOut::field(std::string_view name, scratch::FieldKind kind, const std::string& value) {
  using scratch::FieldKind;
  out_.key(name).begin_array().string(value);
  switch (kind) {
    case FieldKind::variable:
      out_.string(find(names_.variables, value, "variable"));
      break;
    case FieldKind::list:
      out_.string(find(names_.lists, value, "list"));
      break;
    case FieldKind::message:
      out_.string(find(names_.broadcasts, value, "broadcast"));
      break;
    case FieldKind::choice:
      out_.null();
      break;
  }
  out_.end();
}

void BlockOut::value_input(std::string_view name, InputKind kind, const Node* value) {
  if (kind == InputKind::boolean) return boolean_input(name, value);
  const int primitive = primitive_for(name, kind);
  out_.key(name).begin_array();
  if (is_literal(value)) {
    out_.number(kShadow);
    literal(primitive, value);
  } else if (short_form_) {
    out_.number(kNoShadow);
    inner(*value);
  } else {
    out_.number(kObscuredShadow);
    inner(*value);
    literal(primitive, nullptr);
  }
  out_.end();
}

void BlockOut::boolean_input(std::string_view name, const Node* value) {
  if (value == nullptr) return;
  check(!is_literal(value), "a boolean slot holds a literal");
  out_.key(name).begin_array().number(kNoShadow);
  inner(*value);
  out_.end();
}

void BlockOut::broadcast_input(const Node* value) {
  if (value == nullptr) return;  // a stranger's empty slot
  out_.key("BROADCAST_INPUT").begin_array();
  if (is_literal(value)) {
    out_.number(kShadow);
    broadcast_name(value->text);
  } else if (names_.broadcasts.empty()) {
    out_.number(kNoShadow);
    inner(*value);
  } else {
    out_.number(kObscuredShadow);
    inner(*value);
    broadcast_name(names_.broadcasts.begin()->first);
  }
  out_.end();
}

void BlockOut::costume_input(const Pending& pending, const Node* value) {
  // The menu's shadow is a block of its own.
  const Handle menu = next_handle_++;
  out_.key("COSTUME").begin_array();
  if (is_literal(value)) {
    out_.number(kShadow);
  } else {
    out_.number(kObscuredShadow);
    inner(*value);
  }
  out_.string(ids_.use(menu)).end();
  pending_.push_back({value, menu, pending.self, std::nullopt, false, std::nullopt, true});
}

void BlockOut::costume_menu(const Pending& pending) {
  open_block(pending.self, false);
  out_.key("fields").begin_object().key("COSTUME").begin_array();
  out_.string(is_literal(pending.node) && pending.node ? pending.node->text : "");
  out_.null().end().end();
  links(pending, "looks_costume");
  none("inputs");
  close_block();
}

void BlockOut::body_input(std::string_view name, const scratch::Stack& body) {
  const std::optional<Handle> first = queue_stack(body);
  if (first) out_.key(name).begin_array().number(kNoShadow).string(ids_.use(*first)).end();
}

// The variable, list or block that fills an input.
void BlockOut::inner(const Node& value) {
  if (value.op == Op::variable || value.op == Op::list_contents) {
    check(value.fields.size() == 1, "a variable block without a name");
    const bool is_list = value.op == Op::list_contents;
    const auto& map = is_list ? names_.lists : names_.variables;
    out_.begin_array().number(is_list ? kList : kVariable).string(value.fields[0]);
    out_.string(find(map, value.fields[0], is_list ? "list" : "variable")).end();
    return;
  }
  out_.string(ids_.use(queue(value)));
}

void BlockOut::literal(int primitive, const Node* node) {
  out_.begin_array().number(primitive);
  const char* none = primitive == kColor ? "#000000" : "";  // nothing else is taken for a colour
  const std::string text = node == nullptr ? none : node->text;
  const bool wants_number = node != nullptr && node->op == Op::literal_number;
  const std::optional<double> value = wants_number ? js_parse_number(text) : std::nullopt;
  // A JSON number stays a number in every virtual machine, without a cast at run time.
  if (value && *value - *value == 0 && js_number_text(*value) == text) {
    out_.number(*value);
  } else {
    out_.string(text);
  }
  out_.end();
}

void BlockOut::mutation_of(const Node& node) {
  if (node.op == Op::call) return call_mutation(node.text);
  if (node.op != Op::stop) return;
  const bool goes_on = node.fields[0].starts_with("other scripts");
  out_.key("mutation").begin_object().key("tagName").string("mutation");
  out_.key("children").begin_array().end();
  out_.key("hasnext").string(goes_on ? "true" : "false").end();
}

void BlockOut::call_mutation(const std::string& code) {
  out_.key("mutation").begin_object().key("tagName").string("mutation");
  out_.key("children").begin_array().end().key("proccode").string(code);
  out_.key("argumentids");
  out_.string(
      array_text(placeholders(code), [](Placeholder, std::size_t i) { return argument_id(i); }));
  // The call's warp flag is not read by any virtual machine; the prototype's is.
  if (!short_form_) out_.key("warp").string("true");
  out_.end();
}

void BlockOut::broadcast_name(const std::string& name) {
  out_.begin_array().number(kBroadcast).string(name);
  out_.string(find(names_.broadcasts, name, "broadcast")).end();
}

std::optional<BlockOut::Handle> BlockOut::queue_stack(const scratch::Stack& stack) {
  if (stack.empty()) return std::nullopt;
  const Handle first = next_handle_;
  next_handle_ += stack.size();
  for (std::size_t i = 0; i < stack.size(); ++i) {
    const Handle self = first + i;
    const bool last = i + 1 == stack.size();
    pending_.push_back({stack[i].get(), self, std::nullopt,
                        last ? std::nullopt : std::optional<Handle>(self + 1), true});
  }
  return first;
}

BlockOut::Handle BlockOut::queue(const Node& node) {
  const Handle self = next_handle_++;
  pending_.push_back({&node, self, std::nullopt, std::nullopt, false});
  return self;
}

const std::string& BlockOut::find(const Names::Map& map, const std::string& name,
                                  const char* kind) {
  const auto found = map.find(name);
  if (found == map.end()) fail(Fault::bug, "no {} is called '{}'", kind, name);
  return ids_.use(found->second);
}

}  // namespace sb3lm
