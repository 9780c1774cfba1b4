// export: the checkpoint inside an .sb3, as a file again.
#include "base/error.h"
#include "base/file.h"
#include "commands.h"
#include "import/checkpoint_out.h"
#include "import/import.h"
#include "load.h"
#include "unpack/unpack.h"

namespace sb3lm {

int run_command(const ExportOptions& options, Progress& progress) {
  const std::string file = options.sb3.string();
  if (!is_sb3(options.sb3)) fail(Fault::bad_input, "{}: not an .sb3", file);
  const Unpacked packed = unpack(file, load_program(options.sb3, progress));
  CheckpointOut out;
  try {
    out = write_checkpoint(packed.model, progress);
  } catch (const Error& error) {
    throw Error(error.fault, fmt::format("{}: {}", file, error.what()));
  }
  progress.report("writing", 1);
  write_file(options.out, out.checkpoint);
  if (options.out == "-") return 0;
  fmt::print("{}: {} bytes\n", options.out.string(), out.checkpoint.size());
  const std::filesystem::path sidecar = sidecar_of(options.out);
  if (!out.sidecar.empty()) {
    write_file(sidecar, out.sidecar);
    fmt::print("{}: the conventions that reading it needs\n", sidecar.string());
  } else {  // an old one would be read with the new file
    std::error_code ignored;
    std::filesystem::remove(sidecar, ignored);
  }
  return 0;
}

}  // namespace sb3lm
