// The program's probe on a trained model: whatever convention its file is rewritten for, it is
// found back.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "import/conventions.h"
#include "import/import.h"
#include "import/settings.h"
#include "support/repack.h"
#include "support/temp_folder.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;
using Entries = std::map<std::string, std::string>;

struct Sample {
  std::string checkpoint;  // bytes
  std::filesystem::path folder;
  Entries conventions;  // those in force by the file's own account
  int head_size = 0;
  bool has_router = false;
};

const Sample& sample() {
  static const Sample loaded = [] {
    const std::filesystem::path folder =
        std::filesystem::path(SB3LM_SOURCE_DIR) / "samples" / "dictionary-cat";
    SilentProgress silent;
    const Model model = import_model(folder / "model.safetensors", {}, silent);
    const MappedFile file(folder / "model.safetensors");
    return Sample{.checkpoint = std::string(file.text()),
                  .folder = folder,
                  .conventions = model.conventions,
                  .head_size = model.spec.layers.front().attention.head_size,
                  .has_router = model.spec.layers.front().feed_forward.is_mixture()};
  }();
  return loaded;
}

/// The other value that a file can be rewritten for, or a start can be flipped to.
std::string flipped(const std::string& name) {
  static const Entries others = {{"msb", "lsb"},
                                 {"lsb", "msb"},
                                 {"low", "high"},
                                 {"high", "low"},
                                 {"offset8", "twos"},
                                 {"twos", "offset8"},
                                 {"half-split", "interleaved"},
                                 {"chosen", "all"},
                                 {"all", "chosen"},
                                 {"gate", "up"},
                                 {"up", "gate"},
                                 {"plus", "minus"},
                                 {"minus", "plus"}};
  return others.at(sample().conventions.at(name));
}

/// What the sample says itself: it says little about any other text.
std::string answers() {
  const MappedFile file(std::filesystem::path(SB3LM_SOURCE_DIR) /
                        "samples/dictionary-cat/answers.json");
  const auto said = nlohmann::json::parse(file.text());
  std::string text;
  for (const auto& answer : said.at("answers")) {
    text += answer.at("text").get<std::string>() + " ";
  }
  return text;
}

/// Runs the program's probe on these bytes, starting from the sample's conventions with `changes`;
/// gives what it wrote.
Entries probed(const std::string& checkpoint, const Entries& changes) {
  const TempFolder folder;
  const std::filesystem::path file = folder.path() / "model.safetensors";
  write_file(file, checkpoint);
  for (const char* other : {"tokenizer.json", "tokenizer.bin", "config.json"}) {
    if (std::filesystem::exists(sample().folder / other)) {
      std::filesystem::copy_file(sample().folder / other, folder.path() / other);
    }
  }
  Entries start = sample().conventions;
  for (const auto& [name, value] : changes) start[name] = value;
  write_file(folder.path() / "start.json", sidecar_text(start));
  write_file(folder.path() / "text.txt", answers());
  const std::filesystem::path out = folder.path() / "found.json";
  const std::string command = fmt::format(
      "'{}' -q probe '{}' '{}' --sidecar '{}' -o '{}' >'{}'", SB3LM_BINARY, file.string(),
      (folder.path() / "text.txt").string(), (folder.path() / "start.json").string(), out.string(),
      (folder.path() / "table").string());
  const int status = std::system(command.c_str());
  const MappedFile table(folder.path() / "table");
  INFO(std::string(table.text()));
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
  const MappedFile found(out);
  return sidecar_entries(out.string(), found.text());
}

}  // namespace

TEST_CASE("the sample is read right by its own account") {
  CHECK(probed(sample().checkpoint, {}) == sample().conventions);
}

TEST_CASE("every packing convention of a rewritten file is found back") {
  REQUIRE(sample().conventions.at("rope") == "half-split");
  for (const std::string name : {"bit-order", "sign", "nibble-order", "nibble-code",
                                 "embedding-code", "swiglu", "rope", "rope-sign"}) {
    CAPTURE(name);
    const std::string checkpoint = repacked(sample().checkpoint, name, sample().head_size);
    if (checkpoint == sample().checkpoint) {
      MESSAGE("the sample holds nothing that is stored by ", name);
      continue;
    }
    Entries expected = sample().conventions;
    expected[name] = flipped(name);
    CHECK(sidecar_text(probed(checkpoint, {})) == sidecar_text(expected));
  }
}

TEST_CASE("forward conventions are found from flipped values") {
  for (const std::string name : {"rope", "rope-sign", "router-norm", "swiglu"}) {
    CAPTURE(name);
    if (name == "router-norm" && !sample().has_router) {
      MESSAGE("the sample has no router");
      continue;
    }
    CHECK(sidecar_text(probed(sample().checkpoint, {{name, flipped(name)}})) ==
          sidecar_text(sample().conventions));
  }
  CHECK(probed(sample().checkpoint, {{"rope", "none"}}) == sample().conventions);
}

TEST_CASE("everything wrong at once is mended too") {
  Entries wrong;
  for (const char* name : {"bit-order", "sign", "nibble-order", "nibble-code", "embedding-code",
                           "swiglu", "rope", "rope-sign"}) {
    wrong[name] = flipped(name);
  }
  CHECK(sidecar_text(probed(sample().checkpoint, wrong)) == sidecar_text(sample().conventions));
}
