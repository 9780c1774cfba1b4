// Runs one request in several VMs and checks each against the engine, and their bits against each
// other.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "option_choices.h"
#include "runtime_ref/block_session.h"
#include "runtime_ref/verify.h"
#include "unpack/unpack.h"

namespace sb3lm {

struct VmComparison {
  Vm vm = Vm::blocks;
  BlockResult result;
  Agreement agreement;
  bool same_bits = true;  // as the evaluator's
  double seconds_loading = 0;
};

struct Comparison {
  bool ok = true;
  std::vector<VmComparison> vms;
};

/// Of a request's result with the engine, of whose tokens the blocks have the `kept` ones (empty:
/// all).
Agreement agreement_of(Engine& engine, const BlockRequest& request, const BlockResult& result,
                       std::span<const int> kept = {});

/// How the tokens that blocks make of a text differ from the native tokenizer's; empty: they do
/// not.
std::string text_difference(const Unpacked& packed, const std::string& text,
                            const std::vector<int>& native, const std::vector<int>& blocks);

/// `model` has all tokens of the checkpoint, also where the project does not. `request.tokens` are
/// what a user message has to become. `program` is what was read back from the bytes of `sb3`.
Comparison compare_vms(const Model& model, const Unpacked& packed, const scratch::Program& program,
                       const std::filesystem::path& sb3, const std::vector<Vm>& vms,
                       const BlockRequest& request, Progress& progress);

}  // namespace sb3lm
