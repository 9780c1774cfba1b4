#include "vm_process.h"

#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "model/project_names.h"
#include "node_process.h"

namespace sb3lm {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

// Removed when it goes out of scope.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& contents) {
    std::string name = (fs::temp_directory_path() / "sb3lm-XXXXXX").string();
    const int handle = ::mkstemp(name.data());
    if (handle < 0) fail(Fault::bad_input, "{}: {}", name, std::strerror(errno));
    ::close(handle);
    path_ = name;
    write_file(path_, contents);
  }
  ~TemporaryFile() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

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

}  // namespace

VmResult run_in_vm(const std::string& vm, const fs::path& sb3, const BlockRequest& request) {
  const TemporaryFile request_file(request_json(request).dump());
  const NodeOutput output =
      run_node("run.mjs", {"--vm", vm, sb3.string(), request_file.path().string()});
  const Json json = Json::parse(output.text, nullptr, false);
  if (!json.is_object()) fail(Fault::unsupported, "{}: the harness printed no result", vm);
  if (json.contains("error")) {
    fail(output.exit_code == 4 ? Fault::unsupported : Fault::mismatch, "{}: {}", vm,
         json.at("error").get<std::string>());
  }
  if (const Json& errors = json.at("compile_errors"); !errors.empty()) {
    fail(Fault::mismatch, "{}: {}", vm, errors.dump());
  }
  const Json& run = json.at("runs").at(0);
  VmResult result;
  result.seconds_loading = json.at("seconds_loading");
  result.run.status = run.at("status");
  result.run.stop_reason = run.value("stop_reason", "");
  result.run.tokens = run.at("tokens").get<std::vector<int>>();
  for (const std::string item : run.at("lists").at(names::kPromptTokens)) {
    result.run.prompt_tokens.push_back(static_cast<int>(from_hex(item.substr(kNumber.size()))));
  }
  result.run.seconds = run.at("seconds");
  if (run.at("text").is_string()) result.run.text = run.at("text");
  for (const Json& digits : run.at("logits")) result.run.logits.push_back(from_hex(digits));
  const auto& times = run.at("token_ms");
  double total = 0;
  for (std::size_t i = 1; i < times.size(); ++i) total += times[i].get<double>();
  if (times.size() > 1) {
    result.run.seconds_per_token = total / 1000 / static_cast<double>(times.size() - 1);
  }
  return result;
}

}  // namespace sb3lm
