// The whole way from a checkpoint to the bytes of an .sb3, on one page.
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "base/progress.h"
#include "import/import.h"
#include "lower/lower.h"
#include "model/model.h"
#include "quant/rtn.h"

namespace sb3lm {

struct PackRequest {
  LowerOptions lower;
  FloatBits bits;               // as asked, for `model info`
  int deflate_level = 12;       // 1 to 12
  bool best_encodings = false;  // hex instead of lower.encoding for widths where it is smaller
  std::filesystem::path project = {};  // somebody's .sb3 that the model joins; empty: a new one
  std::set<std::string> shared_names = {};  // see MergeOptions
};

/// Imports, and quantises and rounds as the recipe says. Throws as require_use and apply_recipe do.
Model load_model(const std::filesystem::path& checkpoint, const ImportOptions& options,
                 const Recipe& recipe, Progress& progress, const RoundMatrices& gptq = {});

/// The .sb3 of a loaded model.
std::string pack(const Model& model, const PackRequest& request, Progress& progress);

}  // namespace sb3lm
