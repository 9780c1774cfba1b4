// Any bytes as an .sb3: a Program or an Error, nothing else. What reads must also be checked,
// printed and run for a while. Bytes that are no zip are taken for a project.json, so that the
// fuzzer need not find checksums.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "runtime_ref/block_eval.h"
#include "sb3/sb3.h"
#include "sb3/zip.h"
#include "scratch/check.h"
#include "scratch/print.h"

namespace {

using namespace sb3lm;

constexpr std::size_t kBlocksPerStep = 5000, kSteps = 20, kListItems = 1000;

scratch::Program read(std::string_view bytes) {
  if (bytes.starts_with("PK")) return read_sb3("fuzz.sb3", as_bytes(bytes));
  SilentProgress silent;
  const std::string zip = write_zip({{"project.json", bytes}, {"a.svg", "<svg/>"}}, 1, silent);
  return read_sb3("fuzz.sb3", as_bytes(zip));
}

// Texts that grow double with each block, which no count of blocks bounds.
bool can_grow_texts(const scratch::Node& node) {
  if (node.op == scratch::Op::join || node.op == scratch::Op::list_contents) return true;
  const auto inside = [](const scratch::NodePtr& part) { return part && can_grow_texts(*part); };
  return std::any_of(node.inputs.begin(), node.inputs.end(), inside) ||
         std::any_of(node.bodies.begin(), node.bodies.end(), [&](const scratch::Stack& body) {
           return std::any_of(body.begin(), body.end(), inside);
         });
}

bool can_grow_texts(const scratch::Program& program) {
  const auto grows = [](const auto& owner) {
    return std::any_of(owner.body.begin(), owner.body.end(),
                       [](const scratch::NodePtr& block) { return can_grow_texts(*block); });
  };
  return std::any_of(
      program.targets.begin(), program.targets.end(), [&](const scratch::Target& target) {
        return std::any_of(target.procedures.begin(), target.procedures.end(), grows) ||
               std::any_of(target.scripts.begin(), target.scripts.end(), grows);
      });
}

void run(const scratch::Program& program) {
  BlockEvaluator evaluator(program);
  evaluator.limit_blocks(kBlocksPerStep);
  evaluator.limit_lists(kListItems);
  evaluator.green_flag();
  for (const std::string& message : program.broadcasts) evaluator.broadcast(message);
  evaluator.run_until([&] { return evaluator.answer("1"), false; }, kSteps);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const scratch::Program program = read(as_text({data, size}));
    print_program(program);
    if (check_program(program).empty()) {
      const std::string json = write_project_json(program);
      check(!json.empty(), "nothing was written");
    }
    if (!can_grow_texts(program)) run(program);
  } catch (const Error& problem) {
    check(problem.fault != Fault::bug, problem.what());
  }
  return 0;
}
