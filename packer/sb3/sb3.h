// A Program as the bytes of an .sb3 file, and back. Writer and reader share only the opcode table;
// a round-trip test ties them together.
#pragma once

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

/// Parses untrusted bytes. Throws bad_input (no zip, broken JSON, impossible structure) or
/// unsupported (a block that we never emit) with `file`, and the block or offset at fault.
scratch::Program read_sb3(const std::string& file, Bytes bytes);

}  // namespace sb3lm
