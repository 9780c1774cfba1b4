// What run and chat share: how to generate, and how a reply appears on standard output.
#pragma once

#include <string>
#include <vector>

#include "model/model.h"
#include "options.h"
#include "runtime_ref/generate.h"

namespace sb3lm {

/// The user's choices, the model's recommendations where there are none.
GenerateOptions generate_options(const Model& model, const RunOptions& options);

/// Prints tokens as they come, or their ids if there is no tokenizer. A character that is not
/// complete yet waits for its other bytes.
class ReplyPrinter {
 public:
  explicit ReplyPrinter(const Model& model) : model_(model) {}
  void print(int token);
  /// Prints what is still waiting, and ends the line.
  void finish();

 private:
  void print_up_to(const std::string& text, std::size_t size);

  const Model& model_;
  std::vector<int> ids_;
  std::size_t printed_ = 0;
};

}  // namespace sb3lm
