// Tensors of a torch checkpoint: from the pickle's description to bytes of a record.
#pragma once

#include <string>

#include "import/container.h"
#include "import/torch/archive.h"
#include "import/torch/pickle.h"

namespace sb3lm {

class TorchTensors {
 public:
  /// All three must outlive the object; what must be copied goes into the container's buffers.
  TorchTensors(TorchArchive& archive, const Pickle& pickle, Container& container)
      : archive_(archive), pickle_(pickle), container_(container) {}

  /// Row-major. Throws bad_input, which names the tensor, if the value is none or does not fit its
  /// storage.
  StoredTensor read(const std::string& name, PickleId id);
  /// The same as codes (I8, any shape) with a scale for each row of the first extent, or one for
  /// all. A matrix with binary16 scales becomes codes with row scales, all else floats.
  StoredTensor read_coded(const std::string& name, PickleId codes, PickleId scale);

 private:
  struct View;
  View view_of(const std::string& name, PickleId id);
  std::vector<std::int64_t> extents(const std::string& name, PickleId tuple) const;
  void spend(const std::string& name, std::uint64_t bytes);
  Bytes gather(const View& view);

  template <class... Args>
  [[noreturn]] void fail(const std::string& name, fmt::format_string<Args...> format,
                         Args&&... args) const {
    sb3lm::fail(Fault::bad_input, "{}: tensor '{}': {}", container_.file, name,
                fmt::format(format, std::forward<Args>(args)...));
  }

  TorchArchive& archive_;
  const Pickle& pickle_;
  Container& container_;
  std::uint64_t spent_ = 0;
};

}  // namespace sb3lm
