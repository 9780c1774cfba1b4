// What a project is made of: how many weights, at how many bits, and where the bytes of the .sb3
// go. Everything is measured on the finished file, nothing is taken from a plan.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "model/model.h"
#include "model/sense.h"
#include "report/limits.h"
#include "report/load_estimate.h"
#include "report/resaved.h"

namespace sb3lm {

enum class Component {
  embedding,
  head,
  attention_q,
  attention_k,
  attention_v,
  attention_o,
  dense,
  shared_expert,
  routed_experts,
  routers,
  norms,
  row_scales,  // of all quantised matrices
  codebooks,   // what digits stand for, where an encoding chooses that itself
  tokenizer,   // its lists, and the costumes that stand for letters
  blocks,      // scripts and procedures
  preloaded,   // lists that are zeros until the weights are decoded
  model_info,  // the list of that name
  other_json,  // the rest of project.json
  assets,      // the archive's other files
  zip,         // its headers and directory
};
inline constexpr int kComponents = static_cast<int>(Component::zip) + 1;

/// "attention q".
std::string_view component_name(Component component);
/// Of a weight matrix; its row scales are Component::row_scales.
Component component_of(Role role);

struct ComponentRow {
  Component component{};
  std::int64_t values = 0;        // weights, or scales; 0 for what holds neither
  std::uint64_t packed_bits = 0;  // the values at their nominal width
  double entropy_bits = 0;        // zeroth order, each tensor with its own statistics
  std::uint64_t sb3_bits = 0;     // in the finished file
  std::size_t sb3_bytes = 0;      // the same, rounded so that all rows add up to the file
};

/// One stored tensor, its row scales included.
struct TensorRow {
  TensorKey key;
  Shape shape;
  int bits = 0;  // of a weight
  std::uint64_t packed_bits = 0;
  double entropy_bits = 0;
  std::uint64_t sb3_bits = 0;
};

/// Something that would make the file smaller.
struct Advice {
  std::string what;             // "embedding 4 to 3 bits"
  std::string how;              // the option, or the command, that does it
  double bytes = 0;             // about what it saves
  bool changes_numbers = true;  // else the model stays exactly the same
};

struct Report {
  std::string file;
  std::string family;
  bool is_sb3 = false;                   // else a checkpoint: no bytes, no measures
  std::int64_t parameters = 0;           // weights without row scales
  Rounding rounding;                     // on request, when building
  std::string vocabulary;                // what is left of it; empty: all
  std::optional<Sense> sense;            // where somebody has measured it
  std::string letters;                   // that can be typed; empty: not known, or none
  std::vector<ComponentRow> components;  // all, by number
  std::vector<TensorRow> tensors;        // in expected_tensors order
  Measures measures;
  std::size_t resaved_bytes = 0;     // of the .sb3 after an editor has saved it again, not loaded
  std::optional<UsedSize> used;      // the same while its weights are loaded
  std::optional<LoadEstimate> load;  // until the weights are decoded
  std::size_t fit = 0;               // bytes that the .sb3 is to fit
  std::vector<Advice> advice;        // if it does not; largest saving first
};

/// `fit`: bytes that the file should have at most, 0 for the limit of the target `sb3`. Throws
/// bad_input or unsupported as read_sb3 and unpack do.
Report make_report(const std::string& file, Bytes sb3, std::size_t fit = 0);

/// Of a checkpoint, imported and quantised.
Report make_report(const std::string& file, const Model& model);

}  // namespace sb3lm
