// Any bytes as a llama2.c checkpoint followed by its tokenizer.bin; the first four bytes say how
// long the checkpoint is.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/error.h"
#include "import/import.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sb3lm;
  std::uint32_t length = 0;
  if (size < sizeof(length)) return 0;
  std::memcpy(&length, data, sizeof(length));
  const Bytes rest(data + sizeof(length), size - sizeof(length));
  const Bytes model = rest.first(std::min<std::size_t>(length, rest.size()));
  CheckpointFiles files{.checkpoint = {"fuzz.bin", model}};
  files.tokenizer = NamedBytes{"tokenizer.bin", rest.subspan(model.size())};
  SilentProgress silent;
  try {
    const Model imported = import_from_memory(files, {}, silent);
    encode(imported.tokenizer, "Once upon a time, \x80 \xF0\x9F\x99\x82", true);
  } catch (const Error& problem) {
    check(problem.fault != Fault::bug, problem.what());
  }
  return 0;
}
