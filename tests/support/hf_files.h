// A fixture in Hugging Face's format, for tests that change its config.json or its tensors.
#pragma once

#include <map>
#include <string>

#include "import/json.h"
#include "model/model.h"
#include "support/checkpoint_writer.h"

namespace sb3lm::test {

struct HfFiles {
  /// "llama" is tests/fixtures/tiny-llama.safetensors.
  explicit HfFiles(const std::string& kind);

  Json config;
  CheckpointEditor weights;

  /// As tiny.safetensors beside config.json.
  Model read(const std::map<std::string, std::string>& conventions = {}) const;

  /// Adds a tensor of zeros.
  void add(const std::string& name, const std::string& type, std::vector<std::int64_t> shape);
};

}  // namespace sb3lm::test
