// Any bytes as somebody else's project: the program joins it or an Error says why not. What came
// out must be a project that holds the program, and every sprite of theirs as it was. Bytes that
// are no zip are taken for a project.json, so that the fuzzer need not find checksums.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "sb3/json_in.h"
#include "sb3/sb3.h"
#include "sb3/zip.h"
#include "scratch/script.h"

namespace {

using namespace sb3lm;

scratch::Program small_program() {
  using namespace blocks;
  scratch::Program program;
  program.targets.push_back({.name = "Stage", .is_stage = true});
  program.targets.push_back({.name = "engine", .layer = 1});
  Sprite stage(program, 0), engine(program, 1);
  const auto status = stage.var<Str>("status", "none");
  const auto transcript = stage.list<Str>("transcript");
  const auto acc = engine.var<Num>("_acc");
  engine.when_received("generate", [&](Script& s) {
    s.set(status, "thinking");
    s.set(acc, 1);
    s.append(transcript, "x");
  });
  return program;
}

std::string archive(std::string_view bytes) {
  if (bytes.starts_with("PK")) return std::string(bytes);
  SilentProgress silent;
  return write_zip({{"project.json", bytes}, {"a.svg", "<svg/>"}}, 1, silent);
}

const JsonArray& targets_of(const Json& project) {
  return *project.object()->at("targets").array();
}

bool same(const Json& a, const Json& b);

bool same(const JsonArray& a, const JsonArray& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (!same(a.items[i], b.items[i])) return false;
  }
  return a.items.size() == b.items.size();
}

bool same(const JsonObject& a, const JsonObject& b) {
  if (a.members.size() != b.members.size()) return false;
  for (std::size_t i = 0; i < a.members.size(); ++i) {
    if (a.members[i].first != b.members[i].first) return false;
    if (!same(a.members[i].second, b.members[i].second)) return false;
  }
  return true;
}

bool same(const Json& a, const Json& b) {
  if (a.array()) return b.array() && same(*a.array(), *b.array());
  if (a.object()) return b.object() && same(*a.object(), *b.object());
  if (a.string()) return b.string() && *a.string() == *b.string();
  if (a.number()) return b.number() && *a.number() == *b.number();
  if (a.boolean()) return b.boolean() && *a.boolean() == *b.boolean();
  return b.is_null();
}

void join(const std::string& theirs, const MergeOptions& options) {
  SilentProgress silent;
  const std::string both =
      add_to_sb3("fuzz.sb3", as_bytes(theirs), small_program(), options, silent);
  const Json before = read_json("before", read_zip("before", as_bytes(theirs)).at("project.json"));
  const Json after = read_json("after", read_zip("after", as_bytes(both)).at("project.json"));
  const JsonArray &old_targets = targets_of(before), &new_targets = targets_of(after);
  check(new_targets.size() == old_targets.size() + 1, "the engine is not there");
  for (std::size_t i = 1; i < old_targets.size(); ++i) {
    check(same(old_targets.at(i), new_targets.at(i)), "a sprite has changed");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string theirs = archive(as_text({data, size}));
  for (const bool share : {false, true}) {
    MergeOptions options{.level = 1};
    if (share) options.shared = {"status", "transcript", "generate"};
    try {
      join(theirs, options);
    } catch (const Error& problem) {
      check(problem.fault != Fault::bug, problem.what());
    }
  }
  return 0;
}
