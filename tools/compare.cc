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

namespace {

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

Agreement agreement_of(const Model& model, int context, const BlockRequest& request,
                       const BlockResult& result) {
  Engine engine(model, context);
  return check_against_engine(engine, request.tokens, result.tokens, result.logits);
}

Comparison compare_vms(const Model& model, const Unpacked& packed, const scratch::Program& program,
                       const std::filesystem::path& sb3, const std::string& vm,
                       const BlockRequest& request, Progress& progress) {
  Comparison comparison;
  for (const char* name : {"blocks", "scratch", "turbowarp"}) {
    if (vm != "all" && vm != name) continue;
    VmComparison one{.name = name};
    if (one.name == "blocks") {
      BlockSession session(program, progress);
      one.result = session.run(request, progress);
      one.seconds_loading = session.seconds_loading();
    } else {
      progress.report(fmt::format("running in {}", name), -1);
      VmResult result = run_in_vm(name, sb3, request);
      one.result = std::move(result.run);
      one.seconds_loading = result.seconds_loading;
    }
    std::string wrong = wrong_text(packed, request, one.result);
    if (wrong.empty() && one.result.status != "ready") wrong = "status: " + one.result.status;
    if (wrong.empty()) {
      progress.report("running the reference", -1);
      one.agreement = agreement_of(model, packed.context, request, one.result);
    } else {
      one.agreement = {.ok = false, .first_difference = wrong};
    }
    if (!comparison.vms.empty() && comparison.vms.front().name == "blocks") {
      one.same_bits = same_bits(one.result.logits, comparison.vms.front().result.logits) &&
                      one.result.tokens == comparison.vms.front().result.tokens;
    }
    comparison.ok = comparison.ok && one.agreement.ok && one.same_bits;
    comparison.vms.push_back(std::move(one));
  }
  return comparison;
}

}  // namespace sb3lm
