// Whether a model makes sense, for people to see at once: how well it predicts a page of English,
// and how it goes on from a few beginnings. A wrong convention or too few bits show in both.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace sb3lm {

struct Continuation {
  std::string prompt;  // the user's words where the model has a chat template
  std::string text;    // greedy, without repetition penalty; valid UTF-8
};

struct Sense {
  int tokens = 0;                           // predicted ones of samples/english.txt
  double perplexity = 0;                    // of these
  std::optional<double> perplexity_before;  // with the checkpoint's own weights, if others
  std::vector<Continuation> continuations;
  std::string advice;  // what to try where the numbers look wrong; empty where they do not
};

}  // namespace sb3lm
