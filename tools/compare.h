// Runs one request in several VMs and checks each against the engine, and their bits against each
// other.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime_ref/block_session.h"
#include "runtime_ref/verify.h"

namespace sb3lm {

/// Where the blocks can run: the block evaluator, and the machines of tools/vm.
inline constexpr std::array kVms = {"blocks",    "scratch", "turbowarp", "scratch-browser",
                                    "scratch15", "firefox", "webkit"};

struct VmComparison {
  std::string name;  // one of kVms
  BlockResult result;
  Agreement agreement;
  bool same_bits = true;  // as the evaluator's
  double seconds_loading = 0;
};

struct Comparison {
  bool ok = true;
  std::vector<VmComparison> vms;
};

/// `vm` is one of kVms, or "all": blocks, scratch and turbowarp. `program` is what was read back
/// from the bytes of `sb3`.
Comparison compare_vms(const Model& model, int context, const scratch::Program& program,
                       const std::filesystem::path& sb3, const std::string& vm,
                       const BlockRequest& request, Progress& progress);

}  // namespace sb3lm
