// Which bytes of project.json belong to what.
#pragma once

#include <optional>
#include <vector>

#include "report/project_map.h"
#include "report/report.h"
#include "unpack/unpack.h"

namespace sb3lm {

struct Piece {
  Span span;
  Component component{};
  std::optional<TensorKey> tensor;
};

/// Pieces that cover the whole text, ascending, none empty. Throws bad_input if tensors overlap or
/// lie outside their lists.
std::vector<Piece> cut_project(const ProjectMap& map, const Unpacked& unpacked);

}  // namespace sb3lm
