// The parts of a project.json around the blocks: targets, variables, lists, costumes, monitors.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "scratch/ir.h"

namespace sb3lm {

/// A costume's file: its name in the archive is the md5 of its bytes.
struct Asset {
  std::string id;      // 32 hexadecimal digits
  std::string format;  // "svg"
  std::string file_name() const { return id + "." + format; }
};

/// The archive's assets by the program's own name. The key "" is the empty picture that a target
/// without costumes gets, as every target must have one.
std::map<std::string, Asset> name_assets(const scratch::Program& program);
/// The bytes of an asset of name_assets.
const std::string& asset_bytes(const scratch::Program& program, const std::string& name);

/// What a program has to fit into when it joins somebody else's project.
struct Surroundings {
  std::set<std::string> ids;  // in use
  /// Names that both have, and their ids there. The program uses those.
  std::map<std::string, std::string> variables, lists, broadcasts;
  int layers = 0;  // of the project's sprites
};

/// The pieces of a program, as JSON without the braces around them.
struct ProjectParts {
  std::string variables, lists, broadcasts, blocks;  // members of the stage's
  std::string sprites;                               // items of "targets"
  std::string monitors;                              // items
  std::vector<std::string> extensions;               // names
  /// By name, what the stage's entry of a shared variable or list has to be: ["name",value].
  std::map<std::string, std::string> shared_variables, shared_lists;
};

/// Costumes, comments and notes of the stage are not among them: the project's stage stays.
ProjectParts write_project_parts(const scratch::Program& program, const Surroundings& around);

}  // namespace sb3lm
