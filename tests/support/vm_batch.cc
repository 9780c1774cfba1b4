#include "support/vm_batch.h"

#include <sys/wait.h>

#include <bit>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "support/temp_folder.h"

namespace sb3lm::test {
namespace {

using Json = nlohmann::json;

constexpr int kMissing = 4;      // exit code of the harness
constexpr int kNoCommand = 127;  // of the shell

Json run_json(const BlockRequest& request) {
  Json run = {{"set",
               {{"max new tokens", request.max_new_tokens},
                {"record logits", request.record_logits},
                {"temperature", request.temperature},
                {"top k", request.top_k},
                {"top p", request.top_p},
                {"repetition penalty", request.repetition_penalty},
                {"seed", request.seed}}}};
  if (request.user_message.empty()) {
    run["tokens"] = request.tokens;
  } else {
    run["broadcast"] = "chat";
    run["user_message"] = request.user_message;
  }
  return run;
}

BlockResult result_of(const Json& run) {
  BlockResult result;
  result.status = run.at("status");
  result.stop_reason = run.value("stop_reason", "");
  result.tokens = run.at("tokens").get<std::vector<int>>();
  if (run.at("text").is_string()) result.text = run.at("text");
  for (const Json& digits : run.at("logits")) {
    result.logits.push_back(std::bit_cast<double>(
        static_cast<std::uint64_t>(std::stoull(digits.get<std::string>(), nullptr, 16))));
  }
  return result;
}

std::string file_name(std::size_t job) {
  return fmt::format("{}.sb3", job);
}

int run_command(const TempFolder& folder, const std::string& command) {
  const std::string in_folder = fmt::format("cd '{}' && {}", folder.path().string(), command);
  const int status = std::system(in_folder.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

std::optional<std::vector<std::vector<BlockResult>>> run_batch(const std::string& source_dir,
                                                               const std::string& vm,
                                                               const std::vector<VmJob>& jobs) {
  const TempFolder folder;
  Json batch = Json::array();
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    write_file(folder.path() / file_name(i), jobs[i].sb3);
    Json runs = Json::array();
    for (const BlockRequest& request : jobs[i].runs) runs.push_back(run_json(request));
    batch.push_back({{"file", file_name(i)}, {"request", {{"runs", std::move(runs)}}}});
  }
  write_file(folder.path() / "batch.json", Json{{"jobs", std::move(batch)}}.dump());
  const int code = run_command(
      folder, fmt::format("node '{}/tools/vm/run.mjs' --vm {} --batch batch.json > out.json",
                          source_dir, vm));
  if (code == kMissing || code == kNoCommand) return std::nullopt;
  const MappedFile out(folder.path() / "out.json");
  const Json results = Json::parse(out.text());
  std::vector<std::vector<BlockResult>> all;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const Json& result = results.at(i);
    if (result.contains("error")) {
      fail(Fault::bug, "{} in {}: {}", jobs[i].name, vm, result["error"].get<std::string>());
    }
    if (!result.at("compile_errors").empty()) {
      fail(Fault::bug, "{} in {}: {}", jobs[i].name, vm, result["compile_errors"].dump());
    }
    std::vector<BlockResult> runs;
    for (const Json& run : result.at("runs")) runs.push_back(result_of(run));
    all.push_back(std::move(runs));
  }
  return all;
}

std::optional<std::string> parser_complaints(const std::string& source_dir,
                                             const std::vector<VmJob>& jobs) {
  const TempFolder folder;
  std::string files;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    write_file(folder.path() / file_name(i), jobs[i].sb3);
    files += " " + file_name(i);
  }
  const int code = run_command(
      folder, fmt::format("node '{}/tools/vm/check_project.mjs'{} > out.txt", source_dir, files));
  if (code == kMissing || code == kNoCommand) return std::nullopt;
  const MappedFile out(folder.path() / "out.txt");
  return code == 0 ? std::string() : std::string(out.text());
}

}  // namespace sb3lm::test
