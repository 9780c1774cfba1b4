#include "import/families/families.h"

#include <algorithm>
#include <array>

#include "import/config.h"

namespace sb3lm {
namespace {

const Family* with_name(std::string_view name) {
  for (const Family* family : families()) {
    if (family->name == name) return family;
    for (const ModelType& type : family->model_types) {
      if (type.name == name) return family;
    }
  }
  return nullptr;
}

/// What families that people ask for need first, and we have not.
struct Missing {
  std::string_view model_type, what;
};
constexpr Missing kMissing[] = {
    {"bloom", "ALiBi"},
    {"mpt", "ALiBi"},
    {"falcon", "one KV head for all in a tensor with q"},
    {"phi3", "q, k and v in one tensor"},
    {"gemma3", "the text part alone (gemma3_text)"},
    {"olmo2", "norms behind the halves of a layer only"},
    {"deepseek_v2", "latent attention"},
    {"mamba", "state spaces"},
    {"rwkv", "recurrence"},
    {"t5", "an encoder"},
    {"bert", "attention to later tokens"},
};

std::string missing_part(std::string_view model_type) {
  const auto row = std::ranges::find(kMissing, model_type, &Missing::model_type);
  return row == std::end(kMissing) ? "" : fmt::format(": it needs {}", row->what);
}

void assume(const std::vector<Assumption>& assumed, Settings& settings) {
  for (const auto& [fact, text] : assumed) settings.set("family", fact, text, Saying::assumed);
}

}  // namespace

std::span<const Family* const> families() {
  static const std::array all{
      &ssmoelm_family(), &llama_family(), &llama2c_family(), &golf_family(),     &shard_family(),
      &mixture_family(), &gpt2_family(),  &gpt_neo_family(), &gpt_neox_family(), &gemma_family(),
      &gemma2_family(),  &phi_family(),   &gemma3_family(),  &opt_family()};
  return all;
}

std::string model_type_of(const Container& container, const Config* config) {
  if (container.spec) return container.spec->family;
  return config != nullptr ? config->model_type() : container.model_type;
}

const Family& family_of(const Container& container, const Config* config, bool is_packed) {
  const std::string type = model_type_of(container, config);
  if (const Family* family = with_name(type)) return *family;
  for (const Family* family : families()) {
    if (family->claims != nullptr && family->claims(container, config)) return *family;
  }
  if (!type.empty() && !container.spec && !is_packed) {
    std::string known;
    for (const Family* family : families()) {
      for (const ModelType& one : family->model_types) known += fmt::format(" {}", one.name);
    }
    fail(Fault::unsupported, "{}: model_type '{}' is not supported{}; these are:{}",
         config != nullptr ? config->file() : container.file, type, missing_part(type), known);
  }
  return *families().front();
}

void read_family_settings(const Family& family, const Container& container, const Config* config,
                          Settings& settings) {
  assume(family.assumed, settings);
  for (const ModelType& type : family.model_types) {
    if (type.name == model_type_of(container, config)) assume(type.assumed, settings);
  }
  for (const StatedFact& stated : container.facts) {
    set_from_file(stated.by, stated.fact, stated.text, settings);
  }
  if (config != nullptr) {
    for (const auto& [theirs, fact] : family.spellings) config->set(fact, theirs, settings);
    if (family.read_config != nullptr) family.read_config(*config, settings);
  }
  if (!family.reads_metadata) return;
  for (const auto& [key, text] : container.metadata) {
    const std::string origin = fmt::format("{}: __metadata__ '{}'", container.file, key);
    for (const auto& [theirs, fact] : family.spellings) {
      if (theirs == key) set_from_file(origin, fact, text, settings);
    }
  }
}

}  // namespace sb3lm
