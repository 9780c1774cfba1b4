// A model as imported: description, weights by role, tokenizer, and what the file looked like.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "model/recipe.h"
#include "model/spec.h"
#include "model/tensor.h"
#include "model/tokenizer.h"

namespace sb3lm {

/// One stored tensor of the checkpoint, as it lies in the file (`export` writes them back).
struct SourceTensor {
  std::string name;
  std::string type;  // "F16", "U8", "I32", "F32"
  std::vector<std::int64_t> shape;
};

struct SourceFile {
  std::string format;                           // "ssmoelm", "llama2.c", "safetensors"
  std::vector<SourceTensor> tensors;            // in file order
  std::map<std::string, std::string> metadata;  // safetensors __metadata__
  std::string blocks;  // types of codes with a scale for some weights, which were read as floats
};

/// The tokens that are left of a vocabulary: their ids in the checkpoint, by id here.
struct KeptTokens {
  int of = 0;  // the checkpoint's vocabulary; 0: all are here
  std::vector<int> ids;
  bool all() const { return of == 0; }
};

struct Model {
  ModelSpec spec;
  std::map<TensorKey, Tensor> tensors;             // exactly expected_tensors(spec)
  std::map<TensorKey, std::string> names;          // the checkpoint's name (stem) of each
  std::map<std::string, std::string> conventions;  // how the file was read, by option name
  std::vector<std::string> open;                   // those of them that the file leaves open
  std::vector<std::string> notes;  // sentences for people: what reading the file assumed
  std::map<std::string, std::vector<std::string>> choices;  // of open ones: what else they can be
  Tokenizer tokenizer;
  ChatTemplate chat;
  double temperature = 0;  // recommended decoding
  int top_k = 0;
  double top_p = 1;
  double repetition_penalty = 1;
  std::string licence;
  Rounding rounding;
  KeptTokens kept;
  Quantiser quantiser = Quantiser::nearest;  // of its codes, as far as this program made them
  std::string calibration;                   // the text that was for; empty: the model's own
  SourceFile source;

  const Tensor& at(const TensorKey& key) const { return tensors.at(key); }
};

}  // namespace sb3lm
