// The model inside a finished .sb3, read back from its lists: what report, run, logits and compare
// look at. Everything is untrusted.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/choices.h"
#include "model/model.h"
#include "model/typed_letters.h"
#include "scratch/ir.h"

namespace sb3lm {

/// One tensor's place in the text lists (see lower/layout.h).
struct UnpackedTensor {
  TensorKey key;
  Shape shape;
  int bits = 0;          // 0: numbers
  std::string encoding;  // of codes
  std::int64_t item = 0, letter = 0;
  std::int64_t letters = 0;  // of codes, in each stream
  std::int64_t scale_item = 0, scale_letter = 0;
  // True where its texts are others' too: `letters` (of codes or of numbers) and `scale_letters`
  // are then about what it has of them.
  bool shares_texts = false;
  std::int64_t scale_letters = 0;
  int base = 0;                            // see pack_halves
  std::int64_t scales_at = 0, stride = 0;  // of floats, which are items of `_scales`
};

struct Unpacked {
  Model model;
  std::string title;
  std::string version;  // of the program that wrote it
  int context = 0;      // positions of its KV cache
  FloatBits bits;       // --bits that it was built with
  Kernel kernel = Kernel::tables;
  std::optional<TypedLetters> letters;  // read_letters.h
  std::vector<UnpackedTensor> tensors;
};

/// The targets that are the model's, if it shares its project with others; nothing: all are. For
/// read_sb3.
std::optional<std::set<std::string>> own_targets(const scratch::Target& stage);

/// Throws bad_input (not one of ours, or contradictory) or unsupported (newer format).
Unpacked unpack(const std::string& file, const scratch::Program& program);

}  // namespace sb3lm
