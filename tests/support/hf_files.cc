#include "support/hf_files.h"

#include "import/import.h"

namespace sb3lm::test {
namespace {

std::string fixture(const std::string& name) {
  return std::string(MappedFile(SB3LM_SOURCE_DIR "/tests/fixtures/tiny-" + name).text());
}

}  // namespace

HfFiles::HfFiles(const std::string& kind)
    : config(Json::parse(fixture(kind + ".config.json"))),
      weights(fixture(kind + ".safetensors")) {}

Model HfFiles::read(const std::map<std::string, std::string>& conventions) const {
  const std::string bytes = weights.bytes(), json = config.dump();
  SilentProgress silent;
  return import_from_memory({.checkpoint = {"tiny.safetensors", as_bytes(bytes)},
                             .config = NamedBytes{"config.json", as_bytes(json)}},
                            conventions, silent);
}

void HfFiles::add(const std::string& name, const std::string& type,
                  std::vector<std::int64_t> shape) {
  std::size_t bytes = type_bytes(type);
  for (const std::int64_t extent : shape) bytes *= static_cast<std::size_t>(extent);
  weights.tensors.push_back({name, type, std::move(shape), std::string(bytes, '\0')});
}

}  // namespace sb3lm::test
