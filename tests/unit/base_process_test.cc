#include <doctest/doctest.h>

#include "base/process.h"

using namespace sb3lm;

TEST_CASE("a program gets its arguments as they are, and its output and exit code come back") {
  const std::string odd = "it's $HOME \"`x`\" \\ ;\n*";
  CHECK(run_process({"printf", "%s", odd}).text == odd);
  const ProcessOutput failed = run_process({"sh", "-c", "echo out; echo err >&2; exit 9"});
  CHECK(failed.exit_code == 9);
  CHECK(failed.text == "out\n");
  CHECK(run_process({"no-program-of-this-name"}).exit_code == kProgramNotFound);
}

TEST_CASE("the folder of the running program has this test in it") {
  CHECK(std::filesystem::exists(program_folder() / "base_process_test"));
}
