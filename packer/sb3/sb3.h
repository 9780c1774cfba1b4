// A Program as the bytes of an .sb3 file, and back. Writer and reader share only the opcode table;
// a round-trip test ties them together.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "base/file.h"
#include "base/progress.h"
#include "scratch/ir.h"

namespace sb3lm {

/// project.json, minified, deterministic. Asset file names become their md5.
std::string write_project_json(const scratch::Program& program);

/// The whole .sb3: a zip of project.json and the assets; same program, same bytes.
/// `level` is libdeflate's 1..12.
std::string write_sb3(const scratch::Program& program, int level, Progress& progress);

/// Given the stage's variables and lists, the targets whose code and variables are to be read;
/// nothing: all. Of others only the name is kept, as they may hold what no Program can.
using ChooseTargets =
    std::function<std::optional<std::set<std::string>>(const scratch::Target& stage)>;

/// Parses untrusted bytes. Throws bad_input (no zip, broken JSON, impossible structure) or
/// unsupported (a block that we never emit) with `file`, and the block or offset at fault.
scratch::Program read_sb3(const std::string& file, Bytes bytes, const ChooseTargets& choose = {});

struct MergeOptions {
  std::set<std::string> shared;
  int level = 12;  // libdeflate's
};

/// Adds a program to the project `sb3` of somebody else, which is untrusted: its sprites,
/// backdrops, sounds, monitors, extensions and everything else stay as they are, byte for byte. The
/// program's stage gives variables, lists, broadcasts and scripts. `shared`: names of the program's
/// stage that the project may already have, and then means; they get the program's initial values.
/// Throws bad_input for a broken project, and for names that are taken, all of which it lists;
/// usage for a shared name that there is not.
std::string add_to_sb3(const std::string& file, Bytes sb3, scratch::Program program,
                       const MergeOptions& options, Progress& progress);

}  // namespace sb3lm
