// export: the checkpoint inside an .sb3, as a file again.
#include "base/error.h"
#include "commands.h"
#include "console.h"
#include "import/checkpoint_out.h"
#include "import/import.h"
#include "load.h"
#include "outputs.h"
#include "unpack/unpack.h"

namespace sb3lm {

int run_command(const ExportOptions& options, Progress& progress) {
  const std::string file = options.sb3.string();
  if (!is_sb3(options.sb3)) fail(Fault::bad_input, "{}: not an .sb3", file);
  Outputs outputs({options.sb3});
  outputs.expect(options.out);
  const std::filesystem::path sidecar = sidecar_of(options.out);
  const bool has_sidecar = Outputs::is_file(options.out);
  if (has_sidecar) outputs.expect(sidecar);
  const Unpacked packed = unpack(file, load_program(options.sb3, progress));
  CheckpointOut out;
  try {
    out = write_checkpoint(packed.model, progress);
  } catch (const Error& error) {
    throw Error(error.fault, fmt::format("{}: {}", file, error.what()));
  }
  progress.report("writing", 1);
  outputs.write_result(options.out, out.checkpoint);
  if (!has_sidecar) return 0;
  outputs.write_or_remove(sidecar, out.sidecar);
  if (!out.sidecar.empty()) {
    print_out("{}: the conventions that reading it needs\n", sidecar.string());
  }
  return 0;
}

}  // namespace sb3lm
