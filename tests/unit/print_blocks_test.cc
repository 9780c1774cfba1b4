#include <doctest/doctest.h>

#include "scratch/print.h"
#include "support/programs.h"

using namespace sb3lm;
using namespace sb3lm::test;

TEST_CASE("blocks read like scratchblocks") {
  CHECK(print_block(*set("x", add(var("y"), num(-2.5)))) == "set [x v] to ((y) + (-2.5))");
  CHECK(print_block(*block(Op::wait_until, nullptr)) == "wait until <>");
  CHECK(print_block(*append(text("a]b"), "words")) == "add [a\\]b] to [words v]");
  CHECK(print_block(*block(Op::broadcast, text("go"))) == "broadcast [go v]");
  CHECK(print_block(*block(Op::set_size, num(50))) == "set size to (50) %");
  CHECK(print_block(*item(num(1), "t")) == "(item (1) of [t v])");
  CHECK(print_block(*repeat(num(3), stack(change("x", num(1))))) ==
        "repeat (3)\n  change [x v] by (1)\nend");
}

TEST_CASE("a program is its procedures and scripts") {
  const std::string text = print_program(sample_program());
  CHECK(
      text.starts_with("// Stage\n\n// engine\n// a note\n// another, about é\n\n"
                       "define row (first) of <fast> // one \"row\" of many\n"));
  CHECK(text.find("  change [total v] by (-2.25)\nelse\nend\n") != std::string::npos);
  CHECK(text.find("define idle // with screen refresh\n") != std::string::npos);
  CHECK(text.find("when I receive [generate v] // on request\nidle\n") != std::string::npos);
  CHECK(text.find("row (1) of <<(total) < (1e+21)> and <>>\n") != std::string::npos);
}
