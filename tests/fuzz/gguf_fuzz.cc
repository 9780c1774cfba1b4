// Any bytes as a GGUF file, tokenizer included.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "import/import.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sb3lm;
  SilentProgress silent;
  try {
    const Model imported =
        import_from_memory({.checkpoint = {"fuzz.gguf", {data, size}}}, {}, silent);
    if (imported.tokenizer.present()) {
      encode(imported.tokenizer, "Once upon a time, \x80 \xF0\x9F\x99\x82", true);
    }
  } catch (const Error& problem) {
    check(problem.fault != Fault::bug, problem.what());
  }
  return 0;
}
