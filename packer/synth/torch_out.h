// Checkpoints as PyTorch saves them: a zip of a pickle and storages, in the layouts that
// import/torch/checkpoint.cc reads. Same tensors, same bytes, but for compression.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "synth/compress.h"

namespace sb3lm {

struct TorchTensor {
  std::string name;
  std::string type;                 // "F32", "F16", "BF16", or "I8" for codes
  std::vector<std::int64_t> shape;  // empty: a single number
  std::string bytes;
  std::string row_scales = {};  // codes: a binary16 for each row, or one for all
  std::string how = "int6";     // codes: what `m` calls them, which means nothing
  std::string shares = {};      // the earlier plain tensor whose storage this is; then no bytes
};

enum class TorchLayout {
  state,    // an OrderedDict of tensors
  model,    // {"cfg": configuration, "model": an OrderedDict of tensors}
  records,  // {"w": tensors, codes and scales, "m": how each is stored}
  clean,    // int8_clean_per_row_v1
};

struct TorchForm {
  TorchLayout layout = TorchLayout::state;
  Compression compression = Compression::none;
  std::string config = "{}";  // JSON, for `model`
  std::string config_class;   // "module Name": the configuration is its object and no dict
  std::string folder = "archive";
};

std::string write_torch(const std::vector<TorchTensor>& tensors, const TorchForm& form);

}  // namespace sb3lm
