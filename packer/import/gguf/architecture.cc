#include "import/gguf/architecture.h"

#include <algorithm>
#include <array>
#include <optional>

namespace sb3lm {
namespace {

/// llama.cpp's programs turn neighbours (0, 1), (2, 3) of a head in some architectures; the rows of
/// q and k in such files lie accordingly.
struct Architecture {
  std::string_view name, model_type, rope;
};
constexpr std::array<Architecture, 2> kArchitectures{{
    {"llama", "llama", "interleaved"},
    {"qwen2", "qwen2", "half-split"},
}};

/// Entries ARCHITECTURE.KEY that are facts.
struct FactKey {
  std::string_view key, fact;
};
constexpr std::array<FactKey, 12> kFacts{{
    {"embedding_length", "width"},
    {"context_length", "context"},
    {"vocab_size", "vocabulary"},
    {"attention.head_count", "heads"},
    {"attention.head_count_kv", "kv-heads"},
    {"attention.key_length", "head-size"},
    {"attention.value_length", "head-size"},
    {"attention.layer_norm_rms_epsilon", "norm-eps"},
    {"rope.dimension_count", "rope-dims"},
    {"rope.freq_base", "rope-base"},
    {"expert_count", "routed-experts"},
    {"expert_used_count", "top-k"},
}};
/// Those that mean another forward pass unless they are this.
struct NeutralKey {
  std::string_view key, value;
};
constexpr std::array<NeutralKey, 7> kNeutral{{
    {"attention.causal", "true"},
    {"attention.sliding_window", "0"},
    {"rope.scaling.type", "none"},
    {"rope.scaling.factor", "1"},
    {"rope.scale_linear", "1"},
    {"expert_weights_scale", "1"},
    {"tensor_data_layout", "Meta AI original pth"},
}};
/// Those that the tensors show, or that say how a model was made.
constexpr std::array<std::string_view, 5> kShown{
    {"block_count", "feed_forward_length", "expert_feed_forward_length",
     "rope.scaling.original_context_length", "rope.scaling.finetuned"}};

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

/// What a value would be in other files; nothing for lists that differ from item to item.
std::optional<std::string> text_of(const GgufValue& value) {
  return std::visit(
      Overloaded{
          [](bool flag) -> std::optional<std::string> { return flag ? "true" : "false"; },
          [](std::string_view text) -> std::optional<std::string> { return std::string(text); },
          [](const GgufTexts&) -> std::optional<std::string> { return std::nullopt; },
          [](const GgufNumbers& numbers) -> std::optional<std::string> {
            const bool same = !numbers.empty() && std::ranges::all_of(numbers, [&](double n) {
              return n == numbers.front();
            });
            if (!same) return std::nullopt;
            return fmt::format("{}", numbers.front());
          },
          [](auto number) -> std::optional<std::string> { return fmt::format("{}", number); }},
      value);
}

const Architecture& architecture_of(const GgufFile& file) {
  const std::string_view name = file.text("general.architecture");
  std::string known;
  for (const Architecture& one : kArchitectures) {
    if (one.name == name) return one;
    known += fmt::format(" {}", one.name);
  }
  file.fail(Fault::unsupported, "general.architecture '{}' is not supported; these are:{}", name,
            known);
}

/// Files with parts left out look whole otherwise.
void check_blocks(const GgufFile& file, const std::string& prefix) {
  const auto* said = file.find<double>(prefix + "block_count");
  if (said == nullptr) return;
  const auto has = [&file](const std::string& block) {
    return std::ranges::any_of(file.tensors(), [&block](const GgufTensor& tensor) {
      return tensor.name.starts_with(block);
    });
  };
  const std::string last = fmt::format("blk.{}.", *said - 1),
                    beyond = fmt::format("blk.{}.", *said);
  if (has(last) && !has(beyond)) return;
  file.fail(Fault::bad_input, "'{}block_count' is {}, but the tensors have {}'{}'", prefix, *said,
            has(last) ? "" : "no ", has(last) ? beyond : last);
}

}  // namespace

void read_architecture(const GgufFile& file, Container& container) {
  const Architecture& architecture = architecture_of(file);
  const std::string prefix = std::string(architecture.name) + ".";
  container.model_type = architecture.model_type;
  const auto state = [&](const std::string& by, std::string_view fact, const std::string& text) {
    container.facts.push_back({fmt::format("{}: {}", container.file, by), std::string(fact), text});
  };
  state("general.architecture", "rope", std::string(architecture.rope));
  for (const auto& [entry, value] : file.entries()) {
    if (!entry.starts_with(prefix)) continue;
    const std::string key = entry.substr(prefix.size());
    const auto is_it = [&key](const auto& row) { return row.key == key; };
    const std::optional<std::string> text = text_of(value);
    if (const auto fact = std::ranges::find_if(kFacts, is_it); fact != kFacts.end() && text) {
      state(entry, fact->fact, *text);
      continue;
    }
    const auto neutral = std::ranges::find_if(kNeutral, is_it);
    if (neutral != kNeutral.end() && text == neutral->value) continue;
    if (std::ranges::find(kShown, key) != kShown.end()) continue;
    file.fail(Fault::unsupported, "'{}' {} is not understood, and may mean another forward pass",
              entry, text.value_or("(a list)").substr(0, 40));
  }
  check_blocks(file, prefix);
}

}  // namespace sb3lm
