// Any bytes as a tokenizer.json; if it is one, text must survive it.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "import/formats.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sb3lm;
  try {
    const Tokenizer tokenizer = read_tokenizer_json({"tokenizer.json", {data, size}});
    decode(tokenizer, encode(tokenizer, "Don't stop: 12 caf\xC3\xA9s  \n\xF0\x9F\x99\x82", true));
    decode(tokenizer, encode(tokenizer, as_text({data, size}).substr(0, 4096), false));
    parse_template(tokenizer, "<bos>{user}<|eot|>\n");
  } catch (const Error& problem) {
    check(problem.fault != Fault::bug, problem.what());
  }
  return 0;
}
