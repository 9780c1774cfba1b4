// What a file is, by its bytes: the one place that decides, for all commands.
#pragma once

#include <string_view>

#include "import/container.h"
#include "import/import.h"

namespace sb3lm {

/// A row of the table of formats.
struct FileFormat {
  enum class Kind {
    checkpoint,   // which `read` reads
    project,      // an .sb3
    unsupported,  // known, and `advice` says what to do
    mistaken,     // the same, and nobody could read it
    unknown,
  };
  std::string_view name;
  Kind kind;
  bool (*fits)(const NamedBytes&);
  Container (*read)(const CheckpointFiles&) = nullptr;
  bool stays_mapped = false;  // weights may be used where they are
  std::string_view advice = {};
  bool stands_alone = false;  // it holds all; what lies beside it is another's
};

const FileFormat& sniff(const NamedBytes& file);

/// The row that reads a checkpoint or a shard of one. Throws unsupported, bad_input or usage, which
/// say what the file is instead and what to do.
const FileFormat& readable_format(const NamedBytes& file);

/// The same for a whole checkpoint: one of several shards is refused too.
const FileFormat& checkpoint_format(const NamedBytes& file);

}  // namespace sb3lm
