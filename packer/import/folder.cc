#include "import/folder.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace sb3lm {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUsual[] = {"model.safetensors", "model.safetensors.index.json",
                                       "pytorch_model.bin", "pytorch_model.bin.index.json"};
constexpr std::string_view kEndings[] = {".safetensors", ".gguf", ".pt", ".pth", ".ptz", ".bin"};
constexpr std::string_view kOthers[] = {"tokenizer.bin", "training_args.bin", "optimizer.bin",
                                        "optimizer.pt", "scheduler.pt"};

bool could_be_checkpoint(const std::string& name) {
  return std::ranges::any_of(kEndings, [&](auto ending) { return name.ends_with(ending); }) &&
         std::ranges::find(kOthers, name) == std::end(kOthers);
}

}  // namespace

fs::path checkpoint_in(const fs::path& given) {
  std::error_code error;
  if (!fs::is_directory(given, error)) return given;
  for (const std::string_view name : kUsual) {
    if (fs::is_regular_file(given / name, error)) return given / name;
  }
  std::vector<std::string> found;
  for (fs::directory_iterator entry(given, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (could_be_checkpoint(name) && entry->is_regular_file(ignored)) found.push_back(name);
  }
  if (error) fail(Fault::bad_input, "{}: {}", given.string(), error.message());
  std::ranges::sort(found);
  if (found.empty()) {
    fail(Fault::bad_input, "{}: no checkpoint in this folder: no file that ends in {}",
         given.string(), fmt::join(kEndings, ", "));
  }
  if (found.size() > 1) {
    fail(Fault::bad_input, "{}: several checkpoints in this folder: {}; name one of them",
         given.string(), fmt::join(found, ", "));
  }
  return given / found.front();
}

}  // namespace sb3lm
