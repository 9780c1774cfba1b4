#include "support/vm_run.h"

#include <unistd.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "runtime_ref/block_eval.h"
#include "sb3/sb3.h"

namespace sb3lm::test {
namespace {

constexpr std::size_t kMaxSteps = 100000;

// A folder of this run's own, removed at the end.
class Scratchpad {
 public:
  Scratchpad() {
    std::string name = (std::filesystem::temp_directory_path() / "sb3lm-vm-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) fail(Fault::bad_input, "{}: cannot be made", name);
    path_ = name;
  }
  ~Scratchpad() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratchpad(const Scratchpad&) = delete;
  Scratchpad& operator=(const Scratchpad&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

constexpr const char* kNan = "n:7ff8000000000000";

// Half a surrogate pair, which no JSON reader takes, is written "<d83d" on both sides.
std::string without_halves(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]) & 0x3Fu; };
    const bool half = text[i] == '\xED' && i + 2 < text.size() && byte(i + 1) >= 0x20;
    if (half) {
      out += fmt::format("<{:x}", 0xD000u | byte(i + 1) << 6 | byte(i + 2));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// JSON.stringify escapes lone halves and nothing else as \ud...
std::string without_escaped_halves(std::string json) {
  for (std::size_t at = json.find("\\ud"); at != std::string::npos; at = json.find("\\ud", at)) {
    json.replace(at, 2, "<");
  }
  return json;
}

std::string tagged(const scratch::Scalar& item) {
  if (const auto* text = std::get_if<std::string>(&item)) return "s:" + without_halves(*text);
  const double number = std::get<double>(item);
  if (std::isnan(number)) return kNan;
  return fmt::format("n:{:016x}", std::bit_cast<std::uint64_t>(number));
}

// For Scratch there is only one NaN.
void merge_nans(Lists& lists) {
  for (auto& [name, items] : lists) {
    for (std::string& item : items) {
      if (item.starts_with("n:7ff8") || item.starts_with("n:fff8")) item = kNan;
    }
  }
}

using Json = nlohmann::json;

void check_compiled(const std::string& vm, const Json& result) {
  if (result.contains("compile_errors") && !result["compile_errors"].empty()) {
    fail(Fault::bug, "{}: {}", vm, result["compile_errors"].dump());
  }
}

// What the harness says of files in the folder; nothing if the machine is missing.
std::optional<std::string> run_harness(const Scratchpad& pad, const std::string& source_dir,
                                       const std::string& vm, const std::string& arguments) {
  const std::string command =
      fmt::format("cd '{}' && node '{}/tools/vm/run.mjs' --vm {} {} > out.json",
                  pad.path().string(), source_dir, vm, arguments);
  const int status = std::system(command.c_str());
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  if (code == 4 || code == 127) return std::nullopt;
  if (code != 0) fail(Fault::bug, "{}: the harness ended with {}", vm, code);
  const MappedFile out(pad.path() / "out.json");
  return without_escaped_halves(std::string(out.text()));
}

}  // namespace

std::optional<std::string> run_request(const std::string& source_dir, const std::string& vm,
                                       const std::string& sb3, const std::string& request) {
  const Scratchpad pad;
  write_file(pad.path() / "project.sb3", sb3);
  write_file(pad.path() / "request.json", request);
  const auto text = run_harness(pad, source_dir, vm, "project.sb3 request.json");
  if (text) check_compiled(vm, Json::parse(*text));
  return text;
}

std::optional<std::vector<Lists>> run_all_in_vm(const std::string& source_dir,
                                                const std::string& vm,
                                                const std::vector<std::string>& sb3s,
                                                const std::vector<std::string>& lists,
                                                const std::string& done_variable) {
  const Scratchpad pad;
  const Json request = {{"runs", Json::array()},
                        {"done_variable", {{"name", done_variable}, {"value", "1"}}},
                        {"read_lists", lists}};
  Json jobs = Json::array();
  for (const std::string& sb3 : sb3s) {
    const std::string file = fmt::format("{}.sb3", jobs.size());
    write_file(pad.path() / file, sb3);
    jobs.push_back({{"file", file}, {"request", request}});
  }
  write_file(pad.path() / "batch.json", Json{{"jobs", std::move(jobs)}}.dump());
  const auto text = run_harness(pad, source_dir, vm, "--batch batch.json");
  if (!text) return std::nullopt;
  std::vector<Lists> all;
  for (const Json& result : Json::parse(*text)) {
    check_compiled(vm, result);
    all.push_back(result.at("lists").get<Lists>());
    merge_nans(all.back());
  }
  return all;
}

std::optional<Lists> run_in_vm(const std::string& source_dir, const std::string& vm,
                               const std::string& sb3, const std::vector<std::string>& lists,
                               const std::string& done_variable) {
  auto all = run_all_in_vm(source_dir, vm, {sb3}, lists, done_variable);
  if (!all) return std::nullopt;
  return std::move(all->front());
}

Lists run_in_evaluator(const std::string& sb3, const std::vector<std::string>& lists,
                       const std::string& done_variable) {
  BlockEvaluator evaluator(read_sb3("project.sb3", as_bytes(sb3)));
  evaluator.green_flag();
  const auto done = [&] { return evaluator.text(done_variable) == "1"; };
  if (!evaluator.run_until(done, kMaxSteps)) fail(Fault::bug, "the project never ends");
  Lists read;
  for (const std::string& name : lists) {
    for (std::size_t i = 0; i < evaluator.list_size(name); ++i) {
      read[name].push_back(tagged(evaluator.list_item(name, i)));
    }
  }
  return read;
}

}  // namespace sb3lm::test
