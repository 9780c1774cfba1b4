// Any bytes as a PyTorch checkpoint: a model or an Error, nothing else. Bytes that are neither a
// zip nor compressed are a pickle, beside four storages of some bytes, so that mutations need not
// keep a zip whole.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "import/import.h"

namespace {

using namespace sb3lm;

/// Stored records, as torch.save writes them; checksums of zero stand for none.
std::string zip_of(const std::vector<std::pair<std::string, std::string_view>>& records) {
  const auto number = [](std::size_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
    return text;
  };
  std::string out, directory;
  for (const auto& [name, bytes] : records) {
    const std::string fields = std::string(14, '\0') + number(bytes.size(), 4) +
                               number(bytes.size(), 4) + number(name.size(), 2) + number(0, 2);
    directory +=
        "PK\1\2" + number(0, 2) + fields + std::string(10, '\0') + number(out.size(), 4) + name;
    out += "PK\3\4" + fields + name;
    out += bytes;
  }
  const std::size_t at = out.size();
  return out + directory + "PK\5\6" + number(0, 4) + number(records.size(), 2) +
         number(records.size(), 2) + number(directory.size(), 4) + number(at, 4) + number(0, 2);
}

std::string around_pickle(std::string_view pickle) {
  static const std::string kNumbers(768, '\1');
  std::vector<std::pair<std::string, std::string_view>> records = {{"x/data.pkl", pickle}};
  // Weights of 8 * 8 floats or halves, a vector, two scales.
  for (const std::size_t size : {256, 128, 32, 4}) {
    records.emplace_back("x/data/" + std::to_string(records.size() - 1),
                         std::string_view(kNumbers).substr(0, size));
  }
  return zip_of(records);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  SilentProgress silent;
  Bytes bytes(data, size);
  std::string wrapped;
  if (as_text(bytes).starts_with("\x80\x02")) {
    wrapped = around_pickle(as_text(bytes));
    bytes = as_bytes(wrapped);
  }
  try {
    import_from_memory({.checkpoint = {"fuzz.pt", bytes}}, {}, silent);
  } catch (const Error& problem) {
    check(problem.fault != Fault::bug, problem.what());
  }
  return 0;
}
