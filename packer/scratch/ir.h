// A Scratch project in memory: what kernels build, the writer writes, the reader reads back and the
// evaluator runs. Names stand for variables, lists, broadcasts and procedures; ids exist only in
// the file (sb3/ids.cc).
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "scratch/opcodes.h"

namespace sb3lm::scratch {

struct Node;
using NodePtr = std::unique_ptr<Node>;
using Stack = std::vector<NodePtr>;

/// One block, or a literal. Inputs and fields stand in the order of the opcode's row; a body input
/// has no entry in `inputs`, its blocks are in `bodies` (SUBSTACK first).
struct Node {
  Op op = Op::literal_text;
  std::vector<NodePtr> inputs;      // values only; null: an empty slot (0, "" or false)
  std::vector<std::string> fields;  // names, or choices such as "floor"
  std::vector<Stack> bodies;
  std::string text;  // literal: its text; call: the procedure's code ("row %s %s")
};

NodePtr make_node(Op op);
NodePtr clone(const Node& node);
/// Blocks that this node and everything inside it become in the file (literals and variables, which
/// live inside inputs, count 0).
std::size_t count_blocks(const Node& node);

using Scalar = std::variant<double, std::string>;

struct Variable {
  std::string name;
  Scalar value = 0.0;
};

/// `items`, followed by `zeros` times the number 0 (big preloaded lists are mostly that).
struct List {
  std::string name;
  std::vector<Scalar> items;
  std::size_t zeros = 0;
  std::size_t size() const { return items.size() + zeros; }
};

struct Parameter {
  std::string name;
  bool is_boolean = false;
};

/// Where the editor shows a script: columns from left to right, ranks from top to bottom, equal
/// ones in program order. A file has coordinates instead (scratch/arrange.h).
struct Shelf {
  int column = 0, rank = 0;
};

/// A custom block. `code` is Scratch's proccode: words and %s / %b; it is the procedure's identity.
struct Procedure {
  std::string code;
  std::vector<Parameter> parameters;
  bool warp = true;  // run without screen refresh
  Stack body;
  std::string comment = {};  // on the definition; empty: none
  Shelf shelf = {1, 0};
};

/// A script under a hat (`hat` is never a define).
struct Script {
  NodePtr hat;
  Stack body;
  std::string comment = {};  // on the hat
  Shelf shelf = {};
};

struct Costume {
  std::string name;
  std::string asset;  // key of Program::assets
  double center_x = 0;
  double center_y = 0;
};

/// The stage or a sprite. Names of variables and lists are unique over the whole project.
struct Target {
  std::string name;
  bool is_stage = false;
  std::vector<Variable> variables;
  std::vector<List> lists;
  std::vector<Costume> costumes;
  int current_costume = 0;
  std::vector<Procedure> procedures;
  std::vector<Script> scripts;
  std::vector<std::string> notes;  // comments that belong to no script
  bool visible = true;
  double x = 0, y = 0, size = 100, direction = 90;
  int layer = 0;
};

/// What the stage shows of a variable or list.
struct Monitor {
  enum class Mode { normal, large, slider, list } mode = Mode::normal;
  std::string target;  // sprite name; empty for the stage
  std::string name;    // of the variable or list
  bool visible = true;
  double x = 0, y = 0, width = 0, height = 0;  // width, height 0: default
  double slider_min = 0, slider_max = 100;
  bool slider_discrete = true;
};

struct Program {
  std::vector<Target> targets;  // the stage first
  std::vector<std::string> broadcasts;
  std::vector<Monitor> monitors;
  std::map<std::string, std::string> assets;  // "<name>.svg" before writing: bytes by file name
  std::string title;
  /// The file's bytes count before compression: what players can do without is left out.
  bool counts_text = false;
};

}  // namespace sb3lm::scratch
