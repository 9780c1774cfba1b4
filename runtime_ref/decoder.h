// What turns tokens into logits, position by position: the verification engine or the fast one.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

namespace sb3lm {

/// `index` counts the tokens of one call of Decoder::run.
using OnLogits = std::function<void(std::size_t index, std::span<const double> logits)>;

class Decoder {
 public:
  virtual ~Decoder() = default;

  /// Forgets every position.
  virtual void reset() = 0;

  /// Runs tokens at the next positions and hands over the logits after each of the last `wanted`
  /// ones, in order; each is valid until the next one or the next call. Throws usage for an id
  /// outside the vocabulary or more tokens than the context has room for, before anything is run.
  virtual void run(std::span<const int> tokens, std::size_t wanted, const OnLogits& take) = 0;

  /// Runs one token; its logits are valid until the next call.
  virtual std::span<const double> step(int token) = 0;

  virtual int position() const = 0;  // how many tokens are in the caches
  virtual int context() const = 0;
  virtual int vocabulary() const = 0;
};

/// What run promises about its arguments.
void check_tokens(const Decoder& decoder, std::span<const int> tokens);

}  // namespace sb3lm
