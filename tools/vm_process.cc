#include "vm_process.h"

#include <bit>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/error.h"
#include "base/temporary_file.h"
#include "model/json_value.h"
#include "model/project_names.h"
#include "node_process.h"

namespace sb3lm {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

Json request_json(const BlockRequest& request) {
  Json run = {{"read_lists", {names::kPromptTokens}}, {"timeout_s", 3600}};
  for (const auto& [name, value] : settings_of(request)) run["set"][name] = value;
  if (!request.user_message.empty()) {
    run["broadcast"] = names::kChat;
    run["user_message"] = request.user_message;
  } else {
    run["tokens"] = request.tokens;
  }
  return {{"load_timeout_s", 900}, {"runs", Json::array({run})}};
}

constexpr std::string_view kNumber = "n:";  // before the digits of a list's item

double from_hex(const std::string& digits) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(std::stoull(digits, nullptr, 16)));
}

BlockResult read_run(const JsonFields& json) {
  BlockResult run{.status = json.get<std::string>("status"),
                  .stop_reason = json.get("stop_reason", std::string()),
                  .tokens = json.get<std::vector<int>>("tokens"),
                  .text = json.get("text", std::string()),
                  .seconds = json.get<double>("seconds")};
  const JsonFields lists = json.fields("lists");
  for (const std::string& item : lists.get<std::vector<std::string>>(names::kPromptTokens)) {
    run.prompt_tokens.push_back(static_cast<int>(from_hex(item.substr(kNumber.size()))));
  }
  for (const std::string& digits : json.get<std::vector<std::string>>("logits")) {
    run.logits.push_back(from_hex(digits));
  }
  // The first token comes with the prompt.
  const auto times = json.get<std::vector<double>>("token_ms");
  if (times.size() > 1) {
    run.seconds_per_token = std::accumulate(times.begin() + 1, times.end(), 0.0) / 1000 /
                            static_cast<double>(times.size() - 1);
  }
  return run;
}

}  // namespace

VmResult run_in_vm(const std::string& vm, const fs::path& sb3, const BlockRequest& request) {
  const TemporaryFile request_file(request_json(request).dump());
  const ProcessOutput output =
      run_node("run.mjs", {"--vm", vm, sb3.string(), request_file.path().string()});
  const Json json = Json::parse(output.text, nullptr, false);
  if (!json.is_object()) fail(Fault::unsupported, "{}: the harness printed no result", vm);
  const JsonFields said(json, vm);
  if (said.has("error")) {
    fail(output.exit_code == 4 ? Fault::unsupported : Fault::mismatch, "{}: {}", vm,
         said.get<std::string>("error"));
  }
  if (const Json& errors = said.list("compile_errors"); !errors.empty()) {
    fail(Fault::mismatch, "{}: {}", vm, errors.dump());
  }
  return {.run = read_run({said.list("runs").at(0), vm}),
          .seconds_loading = said.get<double>("seconds_loading")};
}

}  // namespace sb3lm
