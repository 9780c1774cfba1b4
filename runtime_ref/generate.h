// Prompt in, tokens out: the native twin of the broadcast `generate` (README.md, "Names inside the
// .sb3").
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runtime_ref/decoder.h"
#include "runtime_ref/sampler.h"

namespace sb3lm {

enum class RecordLogits {
  none = 0,
  generated = 1,   // a row per sampled token; the first predicts the first output token
  prompt_too = 2,  // before them a row per earlier prompt position
};

struct GenerateOptions {
  SamplingOptions sampling;
  int max_new_tokens = 256;
  RecordLogits record = RecordLogits::none;
  std::vector<int> stop_ids;  // end generation and are not output
};

struct Generated {
  std::vector<int> tokens;
  std::string stop_reason;                  // "stop token", "length", "context full" or "stopped"
  std::vector<std::vector<double>> logits;  // as recorded, raw; one for the stop token as well
  /// The last token sampled, a stop token included: it is not in the caches yet, so a following
  /// turn starts with it. -1 if nothing was sampled.
  int unfed = -1;
};

/// Called for every output token; false ends generation ("stopped").
using OnToken = std::function<bool(int token)>;

/// Runs `prompt` from an empty cache with a fresh random generator. After each token, in this
/// order: stop token; output and `on_token`; length; context full, when every position is taken (so
/// the last token may stand at position `context`). Throws usage: no tokens, an id outside the
/// vocabulary, a prompt as long as the context, a sampling option outside its range.
Generated generate(Decoder& engine, const std::vector<int>& prompt, const GenerateOptions& options,
                   const OnToken& on_token = {});

/// The same after what the engine holds already, as in a chat's later turns; `sampler` carries the
/// ids seen and the random generator from turn to turn.
Generated generate_after(Decoder& engine, Sampler& sampler, const std::vector<int>& prompt,
                         const GenerateOptions& options, const OnToken& on_token = {});

}  // namespace sb3lm
