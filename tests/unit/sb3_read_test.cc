// Broken archives and projects: every one must be refused with a reason, none may crash.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/error.h"
#include "sb3/json_in.h"
#include "sb3/sb3.h"
#include "sb3/zip.h"
#include "support/programs.h"

using namespace sb3lm;

namespace {

constexpr const char* kPicture = "0123456789abcdef0123456789abcdef.svg";

// A project with one stage whose blocks are `blocks`.
std::string archive(const std::string& blocks, const std::string& extra = "") {
  const std::string json = fmt::format(
      R"({{"targets":[{{"isStage":true,"name":"Stage","variables":{{"v":["speed",1]}},)"
      R"("lists":{{"l":["items",[1,0,0]]}},"broadcasts":{{}},"blocks":{{{}}},)"
      R"("costumes":[{{"name":"a","md5ext":"{}","dataFormat":"svg"}}]{}}}],"meta":{{}}}})",
      blocks, kPicture, extra);
  SilentProgress progress;
  return write_zip({{"project.json", json}, {kPicture, "<svg/>"}}, 6, progress);
}

std::string reason(const std::string& bytes) {
  try {
    read_sb3("x.sb3", as_bytes(bytes));
  } catch (const Error& error) {
    CHECK((error.fault == Fault::bad_input || error.fault == Fault::unsupported));
    return error.what();
  }
  return "";
}

std::string flag_then(const std::string& rest) {
  return R"("h":{"opcode":"event_whenflagclicked","next":"a","parent":null,"topLevel":true},)" +
         rest;
}

}  // namespace

TEST_CASE("a small project reads") {
  CHECK(reason(archive("")) == "");
  const scratch::Program program = read_sb3(
      "x.sb3", as_bytes(archive(flag_then(
                   R"("a":{"opcode":"data_setvariableto","next":null,"parent":"h",)"
                   R"("inputs":{"VALUE":[1,[10,"5"]]},"fields":{"VARIABLE":["old name","v"]}})"))));
  const scratch::Target& stage = program.targets.at(0);
  CHECK(stage.lists.at(0).zeros == 2);
  CHECK(stage.scripts.at(0).body.at(0)->fields.at(0) == "speed");
  CHECK(stage.scripts.at(0).body.at(0)->inputs.at(0)->op == scratch::Op::literal_text);
}

TEST_CASE("unknown blocks are named") {
  const std::string text = reason(archive(flag_then(R"("a":{"opcode":"pen_stamp","next":null})")));
  CHECK(text == "x.sb3: Stage: block 'a': opcode 'pen_stamp' is not one that sb3lm knows");
}

TEST_CASE("references that lead nowhere or in circles are refused") {
  const auto blocks = [](const char* rest) { return reason(archive(flag_then(rest))); };
  CHECK(blocks(R"("b":{})") ==
        "x.sb3: Stage: block 'a': refers to block 'a', which does not exist");
  CHECK(blocks(R"("a":{"opcode":"looks_show","next":"a"})").ends_with("occurs in two places"));
  CHECK(blocks(R"("a":{"opcode":"looks_show","next":"h"})").ends_with("occurs in two places"));
  CHECK(blocks(R"("a":{"opcode":"control_forever","inputs":{"SUBSTACK":[2,"a"]}})")
            .ends_with("occurs in two places"));
  CHECK(blocks(R"("a":{"opcode":"data_hidevariable","fields":{"VARIABLE":["n","zz"]}})")
            .ends_with("refers to 'n', which the project does not have"));
  CHECK(blocks(R"("a":{"opcode":"operator_add"})").ends_with("operator_add stands in a stack"));
  CHECK(blocks(R"("a":{"opcode":"looks_say","inputs":{"MESSAGE":[1,[99,"x"]]}})")
            .ends_with("a value of kind 99"));
}

TEST_CASE("comments belong to hats, or to nobody; those on other blocks are dropped") {
  const std::string blocks = flag_then(R"("a":{"opcode":"looks_show","next":null})");
  const auto with = [&](const char* comments) {
    return archive(blocks, std::string(R"(,"comments":)") + comments);
  };
  const std::string whole =
      with(R"({"1":{"blockId":"h","text":"on the hat"},"2":{"blockId":null,"text":"free"},)"
           R"("3":{"blockId":"a","text":"inside"},"4":{"blockId":"zz","text":"lost"}})");
  const scratch::Program program = read_sb3("x.sb3", as_bytes(whole));
  CHECK(program.targets.at(0).scripts.at(0).comment == "on the hat");
  CHECK(program.targets.at(0).notes == std::vector<std::string>{"free"});
  CHECK(reason(with(R"({"1":7})")) == "x.sb3: a comment of 'Stage' is no object");
  CHECK(reason(with(R"({"1":{"blockId":"h"}})")) ==
        "x.sb3: project.json: 'text' is missing or no text");
}

TEST_CASE("nesting has a limit") {
  std::string deep = R"("a":{"opcode":"looks_say","next":null,"inputs":{"MESSAGE":[2,"n0"]}})";
  for (int i = 0; i < 5000; ++i) {
    deep += fmt::format(R"(,"n{}":{{"opcode":"operator_round","inputs":{{"NUM":[2,"n{}"]}}}})", i,
                        i + 1);
  }
  CHECK(reason(archive(flag_then(deep))).find("nested deeper than") != std::string::npos);
  CHECK_THROWS_AS(read_json("x", std::string(100000, '[')), Error);
}

TEST_CASE("the same name twice is refused") {
  CHECK(reason(archive("", R"(,"variables":{"a":["n",1],"b":["n",2]})"))
            .find("two variables are called 'n'") != std::string::npos);
}

TEST_CASE("zeros are only counted") {
  const Json list = read_json("x", "[0,1,0,0,-0.0,2,0,0,0]");
  CHECK(list.array()->items.size() == 6);
  CHECK(list.array()->zeros == 3);
  CHECK(list.array()->size() == 9);
  CHECK(*list.array()->at(8).number() == 0);
  CHECK(list.array()->at(9).is_null());
}

TEST_CASE("no cut and no flipped byte of an archive is taken for something else") {
  SilentProgress progress;
  const std::string whole = write_sb3(test::sample_program(), 6, progress);
  for (std::size_t size = 0; size < whole.size(); size += 37) {
    CHECK(reason(whole.substr(0, size)) != "");
  }
  for (std::size_t at = 0; at < whole.size(); at += 11) {
    std::string broken = whole;
    broken[at] = static_cast<char>(broken[at] ^ 0x55);
    reason(broken);  // some bytes, such as dates, do not matter; none may crash
  }
}

TEST_CASE("a zip that lies about its sizes is refused") {
  SilentProgress progress;
  const std::string zeros(40 << 20, '\0');
  const std::string honest = write_zip({{"zeros", zeros}}, 6, progress);
  CHECK(read_zip("z", as_bytes(honest)).at("zeros").size() == zeros.size());
  std::string lie = honest;
  const std::size_t central = lie.rfind("PK\x01\x02");
  lie[central + 24 + 3] = 0x10;  // unpacked size over 256 MiB from 40 KB
  CHECK_THROWS_AS(read_zip("z", as_bytes(lie)), Error);
}
