#include "native.h"

#include "base/memory.h"
#include "load.h"
#include "runtime_ref/engine.h"
#include "runtime_ref/fast_engine.h"

namespace sb3lm {

NativeModel::NativeModel(const InputOptions& input, const std::string& engine, Progress& progress) {
  if (engine == "double") {
    model_ = load_any(input, progress);
    return;
  }
  if (!is_sb3(input.file)) packed_ = import_packed(input.file, input.import);
  if (!packed_) packed_ = pack_weights(load_any(input, progress));
  release_memory();
}

std::unique_ptr<Decoder> NativeModel::decoder(int context, int threads) const {
  if (model_) return std::make_unique<Engine>(*model_, context);
  return std::make_unique<FastEngine>(*packed_,
                                      FastOptions{.context = context, .threads = threads});
}

}  // namespace sb3lm
