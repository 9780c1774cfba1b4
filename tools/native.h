// A model together with the engine that the user chose for it.
#pragma once

#include <memory>
#include <optional>

#include "base/progress.h"
#include "model/packed.h"
#include "options.h"
#include "runtime_ref/decoder.h"

namespace sb3lm {

class NativeModel {
 public:
  /// Reads the input as the engine wants its weights: packed, for the fast one
  /// in the mapped file where they can stay there.
  NativeModel(const InputOptions& input, EngineKind engine, Progress& progress);

  /// Everything but the weights.
  const Model& about() const { return packed_ ? packed_->about : *model_; }
  /// A decoder on this model, which must outlive it. `context` 0: the model's. `threads` 0: one per
  /// processor; the double engine has one.
  std::unique_ptr<Decoder> decoder(int context, int threads) const;

 private:
  std::optional<PackedModel> packed_;
  std::optional<Model> model_;
};

}  // namespace sb3lm
