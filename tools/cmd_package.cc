// package: an .sb3 becomes one HTML page that plays it without network.
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "commands.h"
#include "console.h"
#include "node_process.h"
#include "outputs.h"

namespace sb3lm {
namespace {

constexpr int kMissingProgram = 4, kBadInput = 3;

[[noreturn]] void fail_as_said(const ProcessOutput& output) {
  const auto said = nlohmann::json::parse(output.text, nullptr, false);
  const std::string text = said.is_object() && said.contains("error") && said["error"].is_string()
                               ? said["error"].get<std::string>()
                               : "the packager printed no result";
  if (output.exit_code == kBadInput) fail(Fault::bad_input, "{}", text);
  if (output.exit_code == kMissingProgram) fail(Fault::unsupported, "{}", text);
  fail(Fault::bug, "package: {}", text);
}

}  // namespace

int run_command(const PackageOptions& asked, Progress& progress) {
  PackageOptions options = asked;
  if (options.out.empty()) options.out = default_out(options.sb3, ".html");
  Outputs outputs({options.sb3});
  outputs.expect(options.out);
  // Says what is wrong with the file before Node is looked for.
  const MappedFile readable(options.sb3);
  progress.report("packaging", -1);
  std::vector<std::string> arguments;
  if (!options.title.empty()) arguments.push_back("--title=" + options.title);
  arguments.insert(arguments.end(), {"--", options.sb3.string()});
  const ProcessOutput output = run_node("package.mjs", arguments);
  if (output.exit_code != 0) fail_as_said(output);
  outputs.write_result(options.out, output.text);
  return 0;
}

}  // namespace sb3lm
