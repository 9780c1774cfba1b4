#include "support/tiny_model.h"

#include "import/import.h"

namespace sb3lm {

Model tiny_model(const std::string& preset, std::uint64_t seed) {
  return tiny_model(SynthOptions{.preset = preset, .seed = seed});
}

Model tiny_model(const SynthOptions& options,
                 const std::map<std::string, std::string>& conventions) {
  SilentProgress silent;
  return import_files(make_synthetic(options, silent), conventions);
}

Model import_files(const SyntheticFiles& files,
                   const std::map<std::string, std::string>& conventions) {
  const std::string ending = files.checkpoint_name.substr(files.checkpoint_name.rfind('.'));
  CheckpointFiles in{.checkpoint = {"tiny" + ending, as_bytes(files.checkpoint)}};
  if (!files.tokenizer.empty()) {
    in.tokenizer = NamedBytes{files.tokenizer_name, as_bytes(files.tokenizer)};
  }
  if (!files.sidecar.empty()) {
    in.sidecar = NamedBytes{"tiny.conventions.json", as_bytes(files.sidecar)};
  }
  if (!files.config.empty()) in.config = NamedBytes{"config.json", as_bytes(files.config)};
  SilentProgress silent;
  return import_from_memory(in, conventions, silent);
}

}  // namespace sb3lm
