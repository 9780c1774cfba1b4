// The parts of a project.json around the blocks: targets, variables, lists, costumes, monitors.
#pragma once

#include <map>
#include <string>

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

}  // namespace sb3lm
