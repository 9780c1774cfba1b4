// Any bytes as SentencePiece's .model; if they are one, text must survive it.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "import/formats.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sb3lm;
  try {
    const Tokenizer tokenizer = read_sentencepiece({"x.model", {data, size}});
    for (const std::string_view text :
         {std::string_view("  ab a\xCC\x81 \xEF\xBC\xA1 \xE2\x96\x81 <x>\n\xF0\x9F\x99\x82 \xFF"),
          as_text({data, size}).substr(0, 4096)}) {
      const std::vector<int> ids = encode(tokenizer, text, true);
      for (const int id : ids) token_bytes(tokenizer, id);
      decode(tokenizer, ids);
    }
    parse_template(tokenizer, "<s>{user}</s>\n");
  } catch (const Error& problem) {
    check(problem.fault != Fault::bug, problem.what());
  }
  return 0;
}
