#include "compare.h"

#include <algorithm>

#include "base/error.h"
#include "model/unicode.h"
#include "vm_process.h"

namespace sb3lm {

std::string text_difference(const Unpacked& packed, const std::string& text,
                            const std::vector<int>& native, const std::vector<int>& blocks) {
  if (native == blocks) return "";
  if (packed.letters) {
    for (const TextChar& c : text_chars(text)) {
      if (packed.letters->has(c.value)) continue;
      return fmt::format("'{}' (U+{:04X}) is no letter that can be typed in this project",
                         utf8(c.value), static_cast<unsigned>(c.value));
    }
  }
  const auto [mine, theirs] =
      std::mismatch(native.begin(), native.end(), blocks.begin(), blocks.end());
  const auto name = [](auto at, auto end) { return at == end ? "nothing" : std::to_string(*at); };
  return fmt::format("token {} is {} in the blocks and {} natively, after '{}'",
                     mine - native.begin() + 1, name(theirs, blocks.end()),
                     name(mine, native.end()),
                     decode(packed.model.tokenizer, {native.begin(), mine}));
}

Agreement agreement_of(Engine& engine, const BlockRequest& request, const BlockResult& result,
                       std::span<const int> kept) {
  if (result.status != "ready") {
    return {.ok = false, .first_difference = "status: " + result.status};
  }
  return check_against_engine(engine, request.tokens, result.tokens, result.logits,
                              request.record_logits, kept);
}

namespace {

VmComparison run_blocks(const scratch::Program& program, const BlockRequest& request,
                        Progress& progress) {
  BlockSession session(program, progress);
  VmComparison blocks{.result = session.run(request, progress)};
  blocks.seconds_loading = session.seconds_loading();
  return blocks;
}

VmComparison run_machine(Vm vm, const std::filesystem::path& sb3, const BlockRequest& request,
                         Progress& progress) {
  progress.report(fmt::format("running in {}", enum_name(vm)), -1);
  VmResult result = run_in_vm(std::string(enum_name(vm)), sb3, request);
  return {.vm = vm, .result = std::move(result.run), .seconds_loading = result.seconds_loading};
}

// Of a message, what the blocks made of it.
std::string wrong_text(const Unpacked& packed, const BlockRequest& request,
                       const BlockResult& result) {
  const std::string& text = request.user_message;
  if (text.empty()) return "";
  const std::string difference =
      text_difference(packed, text, request.tokens, result.prompt_tokens);
  return difference.empty() ? "" : "text: " + difference;
}

}  // namespace

Comparison compare_vms(const Model& model, const Unpacked& packed, const scratch::Program& program,
                       const std::filesystem::path& sb3, const std::vector<Vm>& vms,
                       const BlockRequest& request, Progress& progress) {
  Comparison comparison;
  Engine engine(model, packed.context);
  const std::span<const int> kept = packed.model.kept.ids;
  const VmComparison blocks = run_blocks(program, request, progress);
  for (const Vm vm : vms) {
    VmComparison one = vm == Vm::blocks ? blocks : run_machine(vm, sb3, request, progress);
    const std::string wrong = wrong_text(packed, request, one.result);
    progress.report("running the reference", -1);
    one.agreement = wrong.empty() ? agreement_of(engine, request, one.result, kept)
                                  : Agreement{.ok = false, .first_difference = wrong};
    one.same_bits = same_bits(one.result.logits, blocks.result.logits) &&
                    one.result.tokens == blocks.result.tokens;
    comparison.ok = comparison.ok && one.agreement.ok && one.same_bits;
    comparison.vms.push_back(std::move(one));
  }
  return comparison;
}

}  // namespace sb3lm
