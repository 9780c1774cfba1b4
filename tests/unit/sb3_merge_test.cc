// A program in somebody else's project: what was there stays, what is taken is named.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "sb3/sb3.h"
#include "sb3/zip.h"
#include "scratch/script.h"
#include "support/programs.h"
#include "unpack/unpack.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::blocks;

constexpr const char* kPicture = "0123456789abcdef0123456789abcdef.svg";

// An engine with public and private names on the stage, and one script there.
scratch::Program small_program() {
  scratch::Program program = test::empty_program();
  Sprite stage(program, 0), engine(program, 1);
  const auto status = stage.var<Str>("status", "none");
  const auto transcript = stage.list<Str>("transcript", {std::string("first")});
  stage.list<Str>("model info", {std::string(R"({"targets":["engine"]})")});
  const auto acc = engine.var<Num>("_acc");
  engine.list<Num>("_act", {1.0}, 20);
  engine.when_received("generate", [&](Script& s) {
    s.set(status, "thinking");
    s.set(acc, 1);
    s.append(transcript, "x");
    s.broadcast("done");
  });
  stage.when_received("generate", [&](Script& s) { s.set(status, "on the stage"); });
  engine.add_broadcast("done");
  return program;
}

// Odd, but a project: unknown members and blocks, escapes, spaces, numbers that no double holds.
const std::string kStageMembers =
    R"("variables" : { "a":["speed", 1.500000000000000000000001] },"lists":{},"broadcasts":{"b":"go"},)"
    R"("blocks":{"c":{"opcode":"pen_clear","next":null}},"comments":{},)"
    R"("costumes":[{"name":"room","md5ext":"0123456789abcdef0123456789abcdef.svg"}])";
const std::string kSprite =
    "{ "
    "\"isStage\":false,\"name\":\"Cat\\u0021\",\"layerOrder\":7,\n\"variables\":{\"d\":[\"turn\","
    "\"\"]},"
    R"("blocks":{"e":{"opcode":"music_play","inputs":{"X":[1,[9,"#ff0000"]]}}},)"
    R"("future":[null,true,12345678901234567890,-0.0,"\ud83d\ude00"]})";

std::string project(
    const std::string& stage_members, const std::string& sprites,
    const std::string& rest = R"(,"monitors":[],"extensions":["pen"],"x":{"y":1})") {
  return "\n {\"targets\":[{\"isStage\":true,\"name\":\"Stage\"," + stage_members + "}" + sprites +
         "]" + rest + "}\n";
}

std::string zipped(const std::string& json) {
  SilentProgress progress;
  return write_zip({{"project.json", json}, {kPicture, "<svg/>"}, {"sound.wav", "RIFF\1\2"}}, 6,
                   progress);
}

std::string merged(const std::string& json, const std::set<std::string>& shared = {}) {
  SilentProgress progress;
  return add_to_sb3("theirs.sb3", as_bytes(zipped(json)), small_program(),
                    {.shared = shared, .level = 6}, progress);
}

std::string json_of(const std::string& sb3) {
  return read_zip("merged", as_bytes(sb3)).at("project.json");
}

std::string reason(const std::string& json, const std::set<std::string>& shared = {},
                   Fault fault = Fault::bad_input) {
  try {
    merged(json, shared);
  } catch (const Error& error) {
    CHECK(error.fault == fault);
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("their project stays byte for byte, with ours put into it") {
  const std::string theirs = project(kStageMembers, "," + kSprite);
  const std::string sb3 = merged(theirs);
  const auto files = read_zip("merged", as_bytes(sb3));
  CHECK(files.at(kPicture) == "<svg/>");
  CHECK(files.at("sound.wav") == "RIFF\1\2");
  CHECK(files.size() == 4);  // and the engine's empty picture
  const std::string& json = files.at("project.json");
  CHECK(contains(json, kSprite));
  CHECK(contains(json, R"("a":["speed", 1.500000000000000000000001] ,)"));
  CHECK(contains(json, R"("extensions":["pen"],"x":{"y":1}})"));
  // Nothing of theirs was lost, so taking ours out again gives back the file.
  std::size_t at = 0;
  for (const char letter : theirs) {
    at = json.find(letter, at);
    REQUIRE(at != std::string::npos);
    ++at;
  }
}

TEST_CASE("the model reads back from the merged file, whatever else is in it") {
  const std::string sb3 = merged(project(kStageMembers, "," + kSprite));
  CHECK_THROWS_AS(read_sb3("all", as_bytes(sb3)), Error);  // pen_clear
  const scratch::Program program = read_sb3("ours", as_bytes(sb3), own_targets);
  REQUIRE(program.targets.size() == 3);
  CHECK(program.targets[1].name == "Cat!");
  CHECK(program.targets[1].variables.empty());
  const scratch::Target& engine = program.targets[2];
  CHECK(engine.name == "engine");
  CHECK(engine.layer == 8);  // over theirs
  CHECK(engine.scripts.size() == 1);
  CHECK(engine.lists.at(0).zeros == 20);
  CHECK(program.targets[0].scripts.empty());
  CHECK(program.broadcasts == std::vector<std::string>{"go", "generate", "done"});
}

TEST_CASE("ids of both stay apart, even if theirs are as short as ours") {
  std::string taken;
  for (char c = 'a'; c <= 'z'; ++c) taken += fmt::format(R"(,"{}":["v{}",0])", c, c);
  const std::string json = json_of(merged(
      project(R"("variables":{"A":["v",0])" + taken + R"(},"blocks":{"B":{},"Baa":{}})", "")));
  const std::string ours = R"(:["status","none"])";
  const std::size_t at = json.find(ours);
  REQUIRE(at != std::string::npos);
  const char id = json[at - 2];
  CHECK(id > 'B');  // the first one that is free
  CHECK(id <= 'Z');
}

TEST_CASE("names that are taken are listed, with the way out") {
  const std::string json = project(
      R"("variables":{"a":["status",0]},"lists":{"b":["transcript",[]],"c":["model info",[]]},)"
      R"("broadcasts":{"d":"Generate"})",
      R"(,{"isStage":false,"name":"engine","lists":{"e":["_act",[]]}})");
  CHECK(reason(json) ==
        "theirs.sb3: names that the model needs are taken: variable 'status', list 'transcript', "
        "list 'model info', sprite 'engine', list '_act', broadcast 'generate'; rename them, or, "
        "where they are meant to be the model's, give --share \"status,transcript,generate\"");
  const std::set<std::string> all = {"status", "transcript", "generate"};
  CHECK(reason(json, all) ==
        "theirs.sb3: names that the model needs are taken: list 'model info', sprite 'engine', "
        "list '_act'; rename them");
  CHECK(reason(json, {"speed"}, Fault::usage) ==
        "--share: 'speed' is no name that the model shares");
  CHECK(reason(json, {"_act"}, Fault::usage) != "");
  CHECK(reason(json, {"model info"}, Fault::usage) != "");
  // A sprite's own variable, and one in the cloud, cannot be the model's.
  CHECK(contains(
      reason(project(R"("variables":{})", R"(,{"name":"Cat","variables":{"a":["status",0]}})"),
             {"status"}),
      "variable 'status'; rename them"));
  CHECK(contains(reason(project(R"("variables":{"a":["status",0,true]})", ""), {"status"}),
                 "variable 'status'; rename them"));
}

TEST_CASE("shared names are one variable for both, with the model's first value") {
  const std::string json = json_of(merged(
      project(
          R"("variables":{"theirs":["status", 5 ],"x":["y",1]},"lists":{"l":["transcript",[1,2]]},)"
          R"("broadcasts":{"g":"generate"})",
          ""),
      {"status", "transcript", "generate"}));
  CHECK(contains(json, R"("variables":{"theirs":["status","none"],"x":["y",1]})"));
  CHECK(contains(json, R"("l":["transcript",["first"]])"));
  CHECK(contains(json, R"("VARIABLE":["status","theirs"])"));
  CHECK(contains(json, R"("BROADCAST_OPTION":["generate","g"])"));
  const std::string sent = R"(:"generate")";
  CHECK(json.find(sent) == json.rfind(sent));  // only theirs
}

TEST_CASE("members that are missing are added, members that make no sense refused") {
  const std::string bare = json_of(merged("{\"targets\":[{\"isStage\":true,\"name\":\"Stage\"}]}"));
  for (const char* part : {R"("variables":{")", R"("lists":{")", R"("broadcasts":{")",
                           R"("blocks":{")", R"("name":"engine")"}) {
    CHECK_MESSAGE(contains(bare, part), part);
  }
}

TEST_CASE("the pen is asked for once") {
  SilentProgress progress;
  const auto extensions = [&](const std::string& theirs) {
    const std::string zip = zipped(project("\"variables\":{}", "", theirs));
    const std::string sb3 = add_to_sb3("x", as_bytes(zip), small_program(), {.level = 1}, progress);
    scratch::Program ours = small_program();
    Sprite(ours, 1).when_flag([](Script& s) { s.pen_clear(); });
    const std::string both =
        add_to_sb3("x", as_bytes(zip), std::move(ours), {.level = 1}, progress);
    CHECK(contains(json_of(sb3), theirs));  // without the pen, as they were
    const std::string json = json_of(both);
    const std::size_t at = json.rfind("\"extensions\":");
    return json.substr(at + 13, json.find(']', at) - at - 12);
  };
  CHECK(extensions(R"(,"extensions":[])") == R"(["pen"])");
  CHECK(extensions(R"(,"extensions":["music"])") == R"(["music","pen"])");
  CHECK(extensions(R"(,"extensions":["pen"])") == R"(["pen"])");
  CHECK(extensions(R"(,"meta":{})") == R"(["pen"])");
}

TEST_CASE("what is no project is refused") {
  const auto stage = [](const std::string& members) { return reason(project(members, "")); };
  CHECK(contains(reason("[]"), "no Scratch 3 project"));
  CHECK(contains(reason(R"({"objName":"Stage","children":[]})"), "no Scratch 3 project"));
  CHECK(contains(reason(R"({"targets":[{"isStage":false,"name":"a"}]})"), "the stage must be"));
  CHECK(contains(reason(R"({"targets":[7]})"), "a target is no object"));
  CHECK(contains(stage(R"("variables":{"a":7})"), "has no name"));
  CHECK(contains(stage(R"("variables":[])"), "'variables' is not what it has to be"));
  CHECK(contains(stage(R"("broadcasts":{"a":7})"), "has no name"));
  CHECK(contains(stage(R"("blocks":{},"bl\u006fcks":{})"), "'blocks' stands twice"));
  CHECK(contains(stage(R"("variables":{"a":["v",1],"b":["v",1]})"), "two of 'variables'"));
  SilentProgress progress;
  const auto add = [&](const std::string& bytes) {
    add_to_sb3("x", as_bytes(bytes), small_program(), {}, progress);
  };
  CHECK_THROWS_AS(add("hello"), Error);
  CHECK_THROWS_AS(add(write_zip({{"a", "b"}}, 6, progress)), Error);
}

TEST_CASE("the storyteller takes the names that its README says") {
  const MappedFile file(std::string(SB3LM_SOURCE_DIR) + "/samples/storyteller/storyteller.sb3");
  SilentProgress progress;
  const std::string sb3 = add_to_sb3("storyteller", file.bytes(), small_program(),
                                     {.shared = {"status", "transcript"}, .level = 6}, progress);
  CHECK(read_sb3("ours", as_bytes(sb3), own_targets).targets.size() == 4);
}
