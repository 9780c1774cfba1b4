// All that a checkpoint says before any weight is unpacked.
#pragma once

#include "import/family.h"
#include "import/import.h"
#include "import/naming.h"
#include "import/settings.h"

namespace sb3lm {

/// `groups` point into `container`, `named` into `groups`: not to be copied.
struct Description {
  Container container;
  const Family* family = nullptr;
  std::vector<PackedGroup> groups;
  std::vector<NamedGroup> named;  // by layer index, gate and up as the spec has them
  Settings settings;
  Model model;  // without tensors
};

/// Throws bad_input and unsupported as import_model does. `options` are --convention's; without a
/// family the file decides.
Description describe(Container container, const CheckpointFiles& files,
                     const std::map<std::string, std::string>& options,
                     const Family* family = nullptr);

}  // namespace sb3lm
