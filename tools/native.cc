#include "native.h"

#include "base/memory.h"
#include "load.h"
#include "runtime_ref/engine.h"
#include "runtime_ref/fast_engine.h"

namespace sb3lm {

NativeModel::NativeModel(const InputOptions& input, EngineKind engine, Progress& progress) {
  if (engine == EngineKind::exact) {
    model_ = load_any(input, progress);
    return;
  }
  // What changes the weights, or may, keeps them from staying in the file.
  const Recipe& recipe = input.recipe;
  const bool as_it_is = input.plan.empty() && input.keep_tokens.empty() && !recipe.float_bits &&
                        recipe.scale_bits == 0 && recipe.router_bits == 0;
  if (as_it_is && !is_sb3(input.file)) packed_ = import_packed(input.file, input.import);
  if (!packed_) packed_ = pack_weights(load_any(input, progress));
  // What the file looked like is no longer needed.
  packed_->about.source = {};
  packed_->about.names.clear();
  release_memory();
}

std::unique_ptr<Decoder> NativeModel::decoder(int context, int threads) const {
  if (model_) return std::make_unique<Engine>(*model_, context);
  return std::make_unique<FastEngine>(*packed_,
                                      FastOptions{.context = context, .threads = threads});
}

}  // namespace sb3lm
