#include "sb3/block_in.h"

#include <unordered_set>

#include "base/error.h"
#include "base/number_text.h"
#include "scratch/placeholders.h"

namespace sb3lm {
namespace {

using scratch::FieldKind;
using scratch::InputKind;
using scratch::Node;
using scratch::NodePtr;
using scratch::Op;
using scratch::OpcodeInfo;

// Deeper nesting than any editor makes; keeps recursion over a read program safe.
constexpr int kMaxNesting = 1000;
enum Primitive { kNumber = 4, kText = 10, kBroadcast = 11, kVariable = 12, kList = 13 };

class BlockIn {
 public:
  BlockIn(const std::string& file, const JsonObject& blocks, const IdNames& names,
          const BlockComments& comments, scratch::Target& target)
      : file_(file), names_(names), comments_(comments), target_(target) {
    for (const auto& [id, block] : blocks.members) {
      if (block.object() != nullptr) blocks_[id] = block.object();
    }
  }

  void read(const JsonObject& blocks) {
    for (const auto& [id, json] : blocks.members) {
      const JsonObject* block = json.object();
      if (block == nullptr) continue;  // a variable lying loose on the workspace
      const bool* top = block->at("topLevel").boolean();
      if (top == nullptr || !*top || blocks_[id] != block) continue;
      read_top(id, *block);
    }
  }

 private:
  template <class... Args>
  [[noreturn]] void bad(const std::string& id, fmt::format_string<Args...> format,
                        Args&&... args) const {
    fail(Fault::bad_input, "{}: {}: block '{}': {}", file_, target_.name, id,
         fmt::format(format, std::forward<Args>(args)...));
  }

  void read_top(const std::string& id, const JsonObject& block) {
    const OpcodeInfo& row = opcode_of(id, block);
    if (row.op == Op::define) {
      read_procedure(id, block);
    } else if (row.shape == scratch::BlockShape::hat) {
      take_once(id);
      scratch::Script script;
      script.hat = read_block(id, block, row, 0);
      script.body = read_stack(next_of(block), 0);
      script.comment = comment_on(id);
      target_.scripts.push_back(std::move(script));
    }
    // Anything else is a loose stack that nothing can start.
  }

  void read_procedure(const std::string& id, const JsonObject& block) {
    take_once(id);
    const Json& inputs = block.at("inputs");
    const JsonArray* custom =
        inputs.object() ? inputs.object()->at("custom_block").array() : nullptr;
    const std::string* inside = custom ? custom->at(1).string() : nullptr;
    if (inside == nullptr) bad(id, "a definition without its prototype");
    const JsonObject& prototype = find(id, *inside);
    take_once(*inside);
    const JsonObject* mutation = prototype.at("mutation").object();
    if (mutation == nullptr) bad(*inside, "a prototype without a mutation");
    scratch::Procedure procedure;
    procedure.code = text_at(*inside, *mutation, "proccode");
    procedure.warp = is_true(mutation->at("warp"));
    procedure.parameters = read_parameters(*inside, *mutation, procedure.code);
    procedure.body = read_stack(next_of(block), 0);
    procedure.comment = comment_on(id);
    target_.procedures.push_back(std::move(procedure));
  }

  std::vector<scratch::Parameter> read_parameters(const std::string& id, const JsonObject& mutation,
                                                  const std::string& code) {
    const Json names = read_json(file_, text_at(id, mutation, "argumentnames"));
    const std::vector<Placeholder> places = placeholders(code);
    if (names.array() == nullptr || names.array()->size() != places.size()) {
      bad(id, "not as many argument names as places in '{}'", code);
    }
    std::vector<scratch::Parameter> parameters;
    for (std::size_t i = 0; i < places.size(); ++i) {
      const std::string* name = names.array()->at(i).string();
      if (name == nullptr) bad(id, "an argument name that is no text");
      parameters.push_back({*name, places[i] == Placeholder::boolean});
    }
    return parameters;
  }

  // The blocks from `first` on.
  scratch::Stack read_stack(const std::string* first, int depth) {
    scratch::Stack stack;
    for (const std::string* id = first; id != nullptr;) {
      const JsonObject& block = find(*id, *id);
      take_once(*id);
      const OpcodeInfo& row = opcode_of(*id, block);
      if (!is_command(row)) bad(*id, "{} stands in a stack", row.opcode);
      stack.push_back(read_block(*id, block, row, depth));
      id = next_of(block);
    }
    return stack;
  }

  static bool is_command(const OpcodeInfo& row) {
    using enum scratch::BlockShape;
    return row.shape == stack || row.shape == c_block || row.shape == end;
  }
  static bool is_value(const OpcodeInfo& row) {
    using enum scratch::BlockShape;
    return row.shape == value || row.shape == condition;
  }

  NodePtr read_block(const std::string& id, const JsonObject& block, const OpcodeInfo& row,
                     int depth) {
    if (depth > kMaxNesting) bad(id, "nested deeper than {}", kMaxNesting);
    NodePtr node = scratch::make_node(row.op);
    const JsonObject* inputs = block.at("inputs").object();
    if (row.op == Op::call) {
      read_call(id, block, inputs, *node, depth);
    } else {
      for (const auto& spec : row.inputs) {
        const Json none;
        const Json& input = inputs ? inputs->at(spec.name) : none;
        if (spec.kind == InputKind::body) {
          node->bodies.push_back(read_stack(block_id(input), depth + 1));
        } else {
          node->inputs.push_back(read_input(id, input, spec.kind, depth));
        }
      }
    }
    read_fields(id, block, row, *node);
    return node;
  }

  void read_call(const std::string& id, const JsonObject& block, const JsonObject* inputs,
                 Node& node, int depth) {
    const JsonObject* mutation = block.at("mutation").object();
    if (mutation == nullptr) bad(id, "a call without a mutation");
    node.text = text_at(id, *mutation, "proccode");
    const Json ids = read_json(file_, text_at(id, *mutation, "argumentids"));
    const std::vector<Placeholder> places = placeholders(node.text);
    if (ids.array() == nullptr || ids.array()->size() != places.size()) {
      bad(id, "not as many arguments as places in '{}'", node.text);
    }
    for (std::size_t i = 0; i < places.size(); ++i) {
      const std::string* argument = ids.array()->at(i).string();
      if (argument == nullptr) bad(id, "an argument id that is no text");
      const Json none;
      const Json& input = inputs ? inputs->at(*argument) : none;
      const bool is_boolean = places[i] == Placeholder::boolean;
      node.inputs.push_back(
          read_input(id, input, is_boolean ? InputKind::boolean : InputKind::any, depth));
    }
  }

  NodePtr read_input(const std::string& owner, const Json& input, InputKind kind, int depth) {
    if (input.is_null()) return nullptr;
    if (input.array() == nullptr) bad(owner, "an input that is no array");
    const Json& value = input.array()->at(1);
    if (value.is_null()) return nullptr;
    if (const JsonArray* primitive = value.array()) return read_primitive(owner, *primitive);
    if (value.string() == nullptr) bad(owner, "an input of no known form");
    const std::string& id = *value.string();
    const JsonObject& block = find(owner, id);
    take_once(id);
    const std::string opcode = text_at(id, block, "opcode");
    if (opcode == "looks_costume") return read_menu(id, block, "COSTUME");
    const OpcodeInfo& row = opcode_of(id, block);
    if (!is_value(row)) bad(owner, "{} stands in an input", row.opcode);
    if (kind == InputKind::boolean && row.shape != scratch::BlockShape::condition) {
      bad(owner, "{} stands in a boolean input", row.opcode);
    }
    return read_block(id, block, row, depth + 1);
  }

  // A menu's shadow block stands for the text that is chosen in it.
  NodePtr read_menu(const std::string& id, const JsonObject& block, std::string_view field) {
    NodePtr node = scratch::make_node(Op::literal_text);
    node->text = field_text(id, block, field);
    return node;
  }

  NodePtr read_primitive(const std::string& owner, const JsonArray& primitive) {
    const double* kind = primitive.at(0).number();
    if (kind == nullptr) bad(owner, "a value of no known kind");
    const int code = *kind >= 0 && *kind <= static_cast<int>(kList) ? static_cast<int>(*kind) : 0;
    if (code == kVariable || code == kList) return read_variable(owner, primitive, code);
    if (code == kBroadcast) return read_broadcast(owner, primitive);
    if (code < kNumber || code > kText) bad(owner, "a value of kind {}", *kind);
    const Json& value = primitive.at(1);
    if (const double* number = value.number()) {
      NodePtr node = scratch::make_node(Op::literal_number);
      node->text = std::signbit(*number) && *number == 0 ? "-0" : js_number_text(*number);
      return node;
    }
    if (value.string() == nullptr) bad(owner, "a value that is neither text nor number");
    NodePtr node = scratch::make_node(Op::literal_text);
    node->text = *value.string();
    return node;
  }

  NodePtr read_variable(const std::string& owner, const JsonArray& primitive, int code) {
    NodePtr node = scratch::make_node(code == kList ? Op::list_contents : Op::variable);
    const auto& names = code == kList ? names_.lists : names_.variables;
    node->fields.push_back(resolve(owner, names, primitive.at(1), primitive.at(2)));
    return node;
  }

  NodePtr read_broadcast(const std::string& owner, const JsonArray& primitive) {
    NodePtr node = scratch::make_node(Op::literal_text);
    node->text = resolve(owner, names_.broadcasts, primitive.at(1), primitive.at(2));
    return node;
  }

  void read_fields(const std::string& id, const JsonObject& block, const OpcodeInfo& row,
                   Node& node) {
    if (row.fields.empty()) return;
    const JsonObject* fields = block.at("fields").object();
    if (fields == nullptr) bad(id, "{} without fields", row.opcode);
    for (const auto& spec : row.fields) {
      const JsonArray* field = fields->at(spec.name).array();
      if (field == nullptr) bad(id, "{} without its field {}", row.opcode, spec.name);
      node.fields.push_back(field_value(id, spec.kind, *field));
    }
  }

  std::string field_value(const std::string& id, FieldKind kind, const JsonArray& field) {
    switch (kind) {
      case FieldKind::variable:
        return resolve(id, names_.variables, field.at(0), field.at(1));
      case FieldKind::list:
        return resolve(id, names_.lists, field.at(0), field.at(1));
      case FieldKind::message:
        return resolve(id, names_.broadcasts, field.at(0), field.at(1));
      case FieldKind::choice:
        break;
    }
    if (field.at(0).string() == nullptr) bad(id, "a field that is no text");
    return *field.at(0).string();
  }

  // The id decides; the name beside it is only the editor's memory.
  std::string resolve(const std::string& owner,
                      const std::unordered_map<std::string, std::string>& names, const Json& name,
                      const Json& id) const {
    const std::string* key = id.string();
    if (key != nullptr) {
      const auto found = names.find(*key);
      if (found != names.end()) return found->second;
    }
    bad(owner, "refers to '{}', which the project does not have",
        name.string() ? *name.string() : "?");
  }

  std::string comment_on(const std::string& id) const {
    const auto found = comments_.find(id);
    return found == comments_.end() ? "" : found->second;
  }

  const JsonObject& find(const std::string& owner, const std::string& id) const {
    const auto found = blocks_.find(id);
    if (found == blocks_.end()) bad(owner, "refers to block '{}', which does not exist", id);
    return *found->second;
  }

  void take_once(const std::string& id) {
    if (!taken_.insert(id).second) bad(id, "occurs in two places");
  }

  const OpcodeInfo& opcode_of(const std::string& id, const JsonObject& block) const {
    const std::string opcode = text_at(id, block, "opcode");
    const OpcodeInfo* row = scratch::find_opcode(opcode);
    if (row == nullptr) {
      fail(Fault::unsupported, "{}: {}: block '{}': opcode '{}' is not one that sb3lm knows", file_,
           target_.name, id, opcode);
    }
    return *row;
  }

  static const std::string* next_of(const JsonObject& block) { return block.at("next").string(); }

  static const std::string* block_id(const Json& input) {
    return input.array() == nullptr ? nullptr : input.array()->at(1).string();
  }

  std::string field_text(const std::string& id, const JsonObject& block,
                         std::string_view name) const {
    const JsonObject* fields = block.at("fields").object();
    const JsonArray* field = fields ? fields->at(name).array() : nullptr;
    const std::string* text = field ? field->at(0).string() : nullptr;
    if (text == nullptr) bad(id, "a menu without its choice");
    return *text;
  }

  std::string text_at(const std::string& id, const JsonObject& object,
                      std::string_view name) const {
    const std::string* text = object.at(name).string();
    if (text == nullptr) bad(id, "'{}' is missing or no text", name);
    return *text;
  }

  static bool is_true(const Json& value) {
    if (const bool* flag = value.boolean()) return *flag;
    return value.string() != nullptr && *value.string() == "true";
  }

  const std::string& file_;
  const IdNames& names_;
  const BlockComments& comments_;
  scratch::Target& target_;
  std::unordered_map<std::string, const JsonObject*> blocks_;
  std::unordered_set<std::string> taken_;
};

}  // namespace

void read_blocks(const std::string& file, const JsonObject& blocks, const IdNames& names,
                 const BlockComments& comments, scratch::Target& target) {
  BlockIn(file, blocks, names, comments, target).read(blocks);
}

}  // namespace sb3lm
