// A GGUF file, versions 2 and 3, as it lies there; knows nothing of models.
//   "GGUF", u32 version, u64 number of tensors, u64 number of entries
//   entry: text key, u32 type, value     (text: u64 length, bytes; list: u32 type, u64 count,
//   values) tensor: text name, u32 rank, u64 extents (columns first), u32 type, u64 offset from the
//   next multiple of general.alignment on: the tensors' bytes
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "import/gguf/blocks.h"

namespace sb3lm {

using GgufTexts = std::vector<std::string_view>;
using GgufNumbers = std::vector<double>;
/// Texts point into the file. Floats of 32 bits stay such, so that 1e-5 is told from 1.00000001e-5.
using GgufValue = std::variant<bool, double, float, std::string_view, GgufTexts, GgufNumbers>;

struct GgufTensor {
  std::string name;
  const GgufType* type = nullptr;
  std::vector<std::int64_t> shape;  // rows first
  std::uint64_t offset = 0;         // in the file
  Bytes bytes;
};

class GgufFile {
 public:
  /// Throws bad_input (unsupported for other versions and types of tensors) with file, place and
  /// rule: everything inside the file, no name twice, no tensors that overlap.
  GgufFile(std::string file, Bytes bytes);

  const std::string& file() const { return file_; }
  const std::map<std::string, GgufValue, std::less<>>& entries() const { return entries_; }
  const std::vector<GgufTensor>& tensors() const { return tensors_; }

  /// An entry's value; null if there is none. Throws bad_input if it is of another kind.
  template <class T>
  const T* find(std::string_view key) const {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return nullptr;
    const T* value = std::get_if<T>(&found->second);
    if (value == nullptr) fail(Fault::bad_input, "'{}' is of another kind than it should be", key);
    return value;
  }
  /// Empty if there is none.
  std::string_view text(std::string_view key) const {
    const auto* value = find<std::string_view>(key);
    return value == nullptr ? std::string_view() : *value;
  }

  template <class... Args>
  [[noreturn]] void fail(Fault fault, fmt::format_string<Args...> format, Args&&... args) const {
    sb3lm::fail(fault, "{}: {}", file_, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  std::string file_;
  std::map<std::string, GgufValue, std::less<>> entries_;
  std::vector<GgufTensor> tensors_;
};

}  // namespace sb3lm
