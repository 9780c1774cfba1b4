// What we write is accepted by the Scratch Foundation's own parser and schema.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "sb3/sb3.h"
#include "support/programs.h"
#include "support/skip.h"

using namespace sb3lm;

TEST_CASE("scratch-parser accepts our projects") {
  SilentProgress progress;
  const auto file =
      std::filesystem::temp_directory_path() / fmt::format("sb3lm-parser-{}.sb3", getpid());
  for (const auto& make : {test::sample_program, test::empty_program}) {
    write_file(file, write_sb3(make(), 6, progress));
    const std::string command = fmt::format("node '{}/tools/vm/check_project.mjs' '{}' > /dev/null",
                                            SB3LM_SOURCE_DIR, file.string());
    const int status = std::system(command.c_str());
    std::filesystem::remove(file);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code == 4 || code == 127) return test::skip_without("scratch-parser");
    CHECK(code == 0);
  }
}
