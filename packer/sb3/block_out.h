// Writes the blocks of one target as members of project.json's flat map: every block with an id and
// its successor. Never recurses, so that long stacks and deep expressions are only memory.
//
// Other tools expect every member of every block, filled or not. `fields` come first: blocks are
// sorted by their text, and those about one variable are best for deflate as neighbours.
//
// Only shadow blocks name their parents. Players and editors build stacks and expressions from
// `next` and `inputs` (scratch-vm's blocks.js; a menu asks for the parent of its shadow), and the
// names of ten thousand parents would weigh much in the zip.
#pragma once

#include <optional>
#include <vector>

#include "sb3/json_out.h"
#include "sb3/names.h"
#include "scratch/arrange.h"

namespace sb3lm {

class BlockOut {
 public:
  struct Block {
    IdTable::Handle handle;
    std::string text;     // "id":{...}
    bool is_top = false;  // of a script or a definition
  };

  /// `short_form`: without what lies under a block in an input, without a call's own warp flag (the
  /// prototype's counts), and without members that say what players assume.
  BlockOut(const Names& names, IdTable& ids, IdTable::Handle first_handle, bool short_form)
      : names_(names), ids_(ids), next_handle_(first_handle), short_form_(short_form) {}

  /// Procedures, then scripts, each with everything under it.
  std::vector<Block> target(const scratch::Target& target);
  /// Members of the target's "comments", notes included; complete after target().
  const std::vector<std::string>& comments() const { return comments_; }
  /// The first handle that no block has taken.
  IdTable::Handle next_handle() const { return next_handle_; }

 private:
  using Handle = IdTable::Handle;
  struct Place {
    double x, y;
    std::string comment;  // its id; empty: none
  };
  // A block that has its handle but is not written yet.
  struct Pending {
    const scratch::Node* node;
    Handle self;
    std::optional<Handle> parent;  // of a shadow
    std::optional<Handle> next;
    bool in_stack = false;  // next is written even if there is none
    std::optional<Place> top{};
    bool is_costume_menu = false;  // node is the chosen costume's literal, or anything else
  };

  void procedure(const scratch::Procedure& procedure, const scratch::Spot& spot);
  void prototype(const scratch::Procedure& procedure, Handle self, Handle parent);
  void argument_shadows(const scratch::Procedure& procedure, Handle first, Handle parent);
  void script(const scratch::Script& script, const scratch::Spot& spot);
  Place place_of(Handle top, const scratch::Spot& spot, const std::string& comment);
  std::string comment(const std::string& text, const scratch::Box& box, const std::string* block);
  void write_pending();
  void open_block(Handle self, bool is_top);
  /// An empty member, where it is written at all.
  void none(std::string_view member);
  void links(const Pending& pending, std::string_view opcode);
  void close_block();
  void block(const Pending& pending);
  void costume_menu(const Pending& pending);
  void inputs(const Pending& pending);
  void call_inputs(const scratch::Node& node);
  void fields(const scratch::Node& node);
  void field(std::string_view name, scratch::FieldKind kind, const std::string& value);
  void value_input(std::string_view name, scratch::InputKind kind, const scratch::Node* value);
  void boolean_input(std::string_view name, const scratch::Node* value);
  void broadcast_input(const scratch::Node* value);
  void costume_input(const Pending& pending, const scratch::Node* value);
  void body_input(std::string_view name, const scratch::Stack& body);
  void inner(const scratch::Node& value);
  void literal(int primitive, const scratch::Node* node);
  void mutation_of(const scratch::Node& node);
  void call_mutation(const std::string& code);
  void broadcast_name(const std::string& name);

  std::optional<Handle> queue_stack(const scratch::Stack& stack);
  Handle queue(const scratch::Node& node);
  const std::string& find(const Names::Map& map, const std::string& name, const char* kind);

  JsonOut out_;  // of the block that is being written
  std::vector<Block> blocks_;
  const Names& names_;
  IdTable& ids_;
  Handle next_handle_;
  std::vector<Pending> pending_;
  std::vector<std::string> comments_;
  bool short_form_;
};

}  // namespace sb3lm
