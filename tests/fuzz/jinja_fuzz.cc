// Any bytes as a Jinja chat template: two turns or an Error, nothing else.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "base/file.h"
#include "import/jinja/chat.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sb3lm;
  const Tokenizer tokenizer{.kind = TokenizerKind::spaced_bpe,
                            .tokens = {{"<bos>", TokenType::special},
                                       {"<eos>", TokenType::special},
                                       {"<|eot|>", TokenType::special}},
                            .stop_ids = {1}};
  try {
    jinja::chat_of("fuzz", as_text({data, size}), {{"bos_token", "<bos>"}, {"eos_token", "<eos>"}},
                   tokenizer);
  } catch (const Error& problem) {
    check(problem.fault != Fault::bug, problem.what());
  }
  return 0;
}
