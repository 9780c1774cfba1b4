// The writer's parts (ids, JSON, MD5) and write -> read -> write.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <set>

#include "base/error.h"
#include "sb3/ids.h"
#include "sb3/json_out.h"
#include "sb3/md5.h"
#include "sb3/sb3.h"
#include "sb3/zip.h"
#include "support/programs.h"

using namespace sb3lm;

TEST_CASE("MD5 of RFC 1321's test suite") {
  CHECK(md5_hex("") == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(md5_hex("abc") == "900150983cd24fb0d6963f7d28e17f72");
  CHECK(md5_hex("abcdefghijklmnopqrstuvwxyz") == "c3fcd3d76192e4007dfb496cca67e13b");
  CHECK(md5_hex("1234567890123456789012345678901234567890123456789012345678901234567890123456789"
                "0") == "57edf4a22be3c955ac49da2e2107b67a");
}

TEST_CASE("ids are distinct, get longer, and never look like integers") {
  std::set<std::string> seen;
  std::size_t length = 1;
  for (std::size_t i = 0; i < 20000; ++i) {
    const std::string id = nth_id(i);
    CHECK(seen.insert(id).second);
    CHECK(id.size() >= length);
    length = id.size();
    CHECK_FALSE((id[0] >= '0' && id[0] <= '9'));
    CHECK(id.find_first_of("\"\\<>&'") == std::string::npos);
    CHECK(id != "of");
  }
  CHECK(length == 3);
}

TEST_CASE("neighbouring ids are distinct from each other and from others, and share their tails") {
  for (const std::size_t others :
       {std::size_t{0}, std::size_t{5}, std::size_t{500}, std::size_t{9000}}) {
    CAPTURE(others);
    std::set<std::string> seen;
    for (std::size_t i = 0; i < others; ++i) seen.insert(nth_id(i));
    const std::vector<std::string> ids = neighbour_ids(20000, others);
    for (const std::string& id : ids) {
      CHECK(seen.insert(id).second);
      CHECK(id.size() == ids[0].size());
      CHECK_FALSE((id[0] >= '0' && id[0] <= '9'));
    }
    CHECK(ids[0].substr(1) == ids[1].substr(1));
  }
}

TEST_CASE("handles with an order get neighbouring ids in that order") {
  IdTable ids;
  for (const std::size_t handle : {0, 1, 2, 3, 2}) ids.use(handle);
  ids.assign({3, 1});
  const std::vector<std::string> neighbours = neighbour_ids(2, 2);
  CHECK(ids.use(2) == nth_id(0));
  CHECK(ids.use(0) == nth_id(1));
  CHECK(ids.use(3) == neighbours[0]);
  CHECK(ids.use(1) == neighbours[1]);
}

TEST_CASE("the most used handle gets the shortest id") {
  IdTable ids;
  for (int i = 0; i < 3; ++i) ids.use(200);
  for (std::size_t handle = 0; handle < 200; ++handle) ids.use(handle);
  ids.assign();
  CHECK(ids.use(200) == nth_id(0));
  CHECK(ids.use(0) == nth_id(1));
}

TEST_CASE("JSON numbers are the shortest text that reads back") {
  CHECK(json_number_text(0) == "0");
  CHECK(json_number_text(-0.0) == "-0.0");
  CHECK(json_number_text(1) == "1");
  CHECK(json_number_text(-25) == "-25");
  CHECK(json_number_text(1e21) == "1e21");
  CHECK(json_number_text(100000) == "1e5");
  CHECK(json_number_text(0.1) == "0.1");
  CHECK(json_number_text(1.5e-7) == "15e-8");
  CHECK(json_number_text(5e-324) == "5e-324");
  CHECK(json_number_text(0.1 + 0.2) == "0.30000000000000004");
  for (const double value : {1.0 / 3, 6.02e23, 123456789.0, 1e-5, 2.2250738585072014e-308,
                             std::numeric_limits<double>::max()}) {
    CHECK(std::strtod(json_number_text(value).c_str(), nullptr) == value);
    CHECK(std::strtod(json_number_text(-value).c_str(), nullptr) == -value);
  }
  CHECK_THROWS_AS(json_number_text(std::nan("")), Error);
}

TEST_CASE("JSON text is escaped, and must be UTF-8") {
  JsonOut out;
  out.begin_array()
      .string(
          "a\"\\\n\t\x01\x7f"
          "é\xF0\x9F\x98\x80")
      .zeros(3)
      .null()
      .end();
  CHECK(out.take() ==
        "[\"a\\\"\\\\\\n\\t\\u0001\x7f"
        "é\xF0\x9F\x98\x80\",0,0,0,null]");
  for (const char* broken : {"\x80", "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82"}) {
    JsonOut bad;
    CHECK_THROWS_AS(bad.string(broken), Error);
  }
}

TEST_CASE("a project survives being read and written again, byte for byte") {
  SilentProgress progress;
  const scratch::Program program = test::sample_program();
  const std::string first = write_sb3(program, 6, progress);
  const scratch::Program again = read_sb3("first.sb3", as_bytes(first));
  const std::string second = write_sb3(again, 6, progress);
  CHECK(write_project_json(again) == read_zip("first", as_bytes(first)).at("project.json"));
  CHECK(first == second);
  CHECK(again.targets.at(1).lists.at(0).zeros == 1000);
  CHECK(again.targets.at(1).procedures.size() == program.targets.at(1).procedures.size());
}

TEST_CASE("the same program gives the same bytes, at every level") {
  SilentProgress progress;
  for (const int level : {1, 12}) {
    CHECK(write_sb3(test::sample_program(), level, progress) ==
          write_sb3(test::sample_program(), level, progress));
  }
}

TEST_CASE("names that do not resolve are our bug") {
  scratch::Program program = test::sample_program();
  program.targets[1].lists.erase(program.targets[1].lists.begin());
  CHECK_THROWS_WITH_AS(write_project_json(program), "no list is called '_codes'", Error);
}
