#include "runtime_ref/decoder.h"

#include "base/error.h"

namespace sb3lm {

void check_tokens(const Decoder& decoder, std::span<const int> tokens) {
  for (const int token : tokens) {
    if (token >= 0 && token < decoder.vocabulary()) continue;
    fail(Fault::usage, "token {}: ids of this model are 0 to {}", token, decoder.vocabulary() - 1);
  }
  const auto room = static_cast<std::size_t>(decoder.context() - decoder.position());
  if (tokens.size() > room) {
    fail(Fault::usage, "token {}: the context of {} positions is full", tokens[room],
         decoder.context());
  }
}

}  // namespace sb3lm
