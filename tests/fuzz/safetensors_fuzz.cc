// Any bytes as a packed safetensors checkpoint: a model or an Error, nothing else.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "import/import.h"
#include "import/suggestions.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sb3lm;
  SilentProgress silent;
  try {
    const Model model =
        import_from_memory({.checkpoint = {"fuzz.safetensors", {data, size}}}, {}, silent);
    suggested_questions(model, "fuzz.safetensors");
  } catch (const Error& problem) {
    check(problem.fault != Fault::bug, problem.what());
  }
  return 0;
}
