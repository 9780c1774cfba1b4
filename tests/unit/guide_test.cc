// What a person finds who looks inside a finished project.
#include "lower/guide.h"

#include <doctest/doctest.h>

#include <set>

#include "lower/lower.h"
#include "sb3/sb3.h"
#include "support/built_models.h"
#include "support/random_model.h"
#include "support/small_families.h"
#include "support/tiny_model.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;

constexpr std::string_view kRowNames[] = {
#define GUIDE(part, name, comment) name,
#include "lower/guide.def"
#undef GUIDE
};

// The starts of all comments.
std::set<std::string> headings(const scratch::Target& target) {
  std::set<std::string> found;
  const auto add = [&](const std::string& text) {
    if (!text.empty()) found.insert(text.substr(0, text.find_first_of(".:")));
  };
  for (const auto& script : target.scripts) add(script.comment);
  for (const auto& procedure : target.procedures) add(procedure.comment);
  return found;
}

}  // namespace

TEST_CASE("every block of the engine has its row in the guide, and every row a project") {
  std::set<std::string_view> used;
  const auto check_rows = [&](const std::string& name, const scratch::Target& engine) {
    CAPTURE(name);
    for (const scratch::Script& script : engine.scripts) used.insert(guide_row(script));
    for (const scratch::Procedure& procedure : engine.procedures) {
      CAPTURE(procedure.code);
      CHECK_MESSAGE(!guide_row(procedure).empty(), "packer/lower/guide.def has no row for it");
      used.insert(guide_row(procedure));
    }
  };
  for (const BuiltModel& built : build_all_tiny()) {
    // The website's projects have short names, and no room to read them.
    if (built.name.ends_with("for the website")) continue;
    check_rows(built.name, engine_of(read_sb3("x", as_bytes(built.sb3))));
  }
  check_rows("naive",
             engine_of(lower(tiny_model("tiny-moe"),
                             {.context = 40, .encoding = "hex", .kernel = Kernel::naive})));
  for (const SmallFamily& family : small_families()) {
    check_rows(family.name, engine_of(lower(random_model(family.spec, {4}, 1), {})));
  }
  check_rows("in lists", engine_of(lower(tiny_model("tiny-moe"), {.most_codes = 20000})));
  for (const std::string_view row : kRowNames) {
    CHECK_MESSAGE(used.contains(row), std::string(row), ": no project has it");
  }
}

TEST_CASE("what people should find has a comment") {
  for (const BuiltModel& built : build_all_tiny()) {
    CAPTURE(built.name);
    if (built.name.ends_with("for the website")) continue;
    const scratch::Program program = read_sb3("x", as_bytes(built.sb3));
    const std::set<std::string> said = headings(engine_of(program));
    for (const char* heading : {"START HERE", "HOW WRITING WORKS", "HOW THE MODEL WORKS",
                                "HOW ATTENTION WORKS", "CHOOSING THE NEXT TOKEN", "UNPACKING"}) {
      CHECK_MESSAGE(said.contains(heading), heading);
    }
    const bool mixture = built.model.spec.layers.front().feed_forward.is_mixture();
    CHECK(said.contains(mixture ? "HOW EXPERTS WORK" : "HOW THE FEED FORWARD WORKS"));
    CHECK(said.contains("TEXT TO TOKENS") == built.model.tokenizer.present());
  }
}

TEST_CASE("the notes name the model, its licence, its settings and whom to thank") {
  Model model = tiny_model("tiny-moe");
  model.licence = "a licence";
  model.temperature = 0.75;
  scratch::Target engine;
  add_guide(engine, model,
            {.title = "My cat", .parameters = "5 parameters", .version = "9.9", .context = 48});
  REQUIRE(engine.notes.size() == 1);
  const std::string& notes = engine.notes.front();
  for (const char* part : {"My cat", model.spec.family.c_str(), "5 parameters", "a licence", "0.75",
                           "48 tokens", "may be wrong", "sb3lm 9.9"}) {
    CHECK_MESSAGE(notes.find(part) != std::string::npos, part);
  }
  CHECK(notes.find("http") == std::string::npos);
}

TEST_CASE("long names from files are cut between letters") {
  Model model = tiny_model("tiny-moe");
  for (int i = 0; i < 500; ++i) model.licence += "\xC3\xA9";
  scratch::Target engine;
  add_guide(engine, model, {});
  CHECK(engine.notes.front().size() < 1200);
  scratch::Program program;
  program.targets.push_back({.name = "Stage", .is_stage = true});
  program.targets.push_back(std::move(engine));
  CHECK_NOTHROW(write_project_json(program));  // which refuses broken UTF-8
}

TEST_CASE("comments and notes take at most 3 KB of the file") {
  const BuiltModel built = build_tiny("tiny-moe", "", 32);
  scratch::Program program = read_sb3("x", as_bytes(built.sb3));
  SilentProgress progress;
  const std::size_t with = write_sb3(program, 12, progress).size();
  for (scratch::Target& target : program.targets) {
    target.notes.clear();
    for (auto& script : target.scripts) script.comment.clear();
    for (auto& procedure : target.procedures) procedure.comment.clear();
  }
  const std::size_t without = write_sb3(program, 12, progress).size();
  MESSAGE("comments and notes: " << with - without << " bytes");
  CHECK(with - without > 500);
  CHECK(with - without <= 3072);
}
