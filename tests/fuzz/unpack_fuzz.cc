// Any bytes as the project.json of a finished model: a model and a report, or an Error. What reads
// must also come out as a checkpoint again.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "import/checkpoint_out.h"
#include "model/fingerprint.h"
#include "report/report.h"
#include "sb3/sb3.h"
#include "sb3/zip.h"
#include "unpack/unpack.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sb3lm;
  SilentProgress silent;
  try {
    const std::string sb3 =
        write_zip({{"project.json", as_text({data, size})}, {"a.svg", "<svg/>"}}, 1, silent);
    const Unpacked unpacked = unpack("fuzz.sb3", read_sb3("fuzz.sb3", as_bytes(sb3)));
    model_fingerprint(unpacked.model);
    make_report("fuzz.sb3", as_bytes(sb3));
    write_checkpoint(unpacked.model, silent);
  } catch (const Error& problem) {
    check(problem.fault != Fault::bug, problem.what());
  }
  return 0;
}
