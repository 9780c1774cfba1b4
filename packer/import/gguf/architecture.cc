#include "import/gguf/architecture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <optional>

#include "model/spec_fields.h"

namespace sb3lm {
namespace {

using State =
    std::function<void(const std::string& by, std::string_view fact, const std::string& text)>;

/// llama.cpp's programs turn neighbours (0, 1), (2, 3) of a head in some architectures; the rows of
/// q and k in such files lie accordingly.
struct Architecture {
  std::string_view name, model_type, rope;
  /// What its programs do that no entry says, or one in its own way.
  void (*more)(const GgufFile&, const State&) = nullptr;
};

/// A number that an entry must be; `otherwise` if there is none.
int whole_number(const GgufFile& file, const std::string& entry, int otherwise, int most) {
  const auto* number = file.find<double>(entry);
  if (number == nullptr) return otherwise;
  if (*number < 0 || *number > most || *number != std::floor(*number)) {
    file.fail(Fault::bad_input, "'{}' is {}; it is a whole number from 0 to {}", entry, *number,
              most);
  }
  return static_cast<int>(*number);
}

/// Even layers have the window. Scores are divided by the root of the head size but in the largest
/// model, which is told by its layers.
void read_gemma2(const GgufFile& file, const State& state) {
  constexpr int kUsualWindow = 4096, kLargest = 46;
  const std::string window = "gemma2.attention.sliding_window", count = "gemma2.block_count";
  const int layers = whole_number(file, count, 0, limits::kLayers);
  if (layers == kLargest) file.fail(Fault::unsupported, "'{}' {} is not supported", count, layers);
  std::string even;
  for (int layer = 0; layer < layers; layer += 2) {
    even += fmt::format("{}{}", even.empty() ? "" : ",", layer);
  }
  const int size = whole_number(file, window, kUsualWindow, limits::kExtent);
  const int context = whole_number(file, "gemma2.context_length", limits::kExtent, limits::kExtent);
  if (!even.empty() && size < context) {
    state(window, "window", fmt::format("0/{}@{}", size, even));
  }
  state("general.architecture", "score-scale", "0");
}

void read_gptneox(const GgufFile& file, const State& state) {
  const std::string entry = "gptneox.use_parallel_residual";
  const auto* parallel = file.find<bool>(entry);
  if (parallel != nullptr) state(entry, "residual", *parallel ? "parallel" : "serial");
}

/// What these functions read.
constexpr std::array<std::string_view, 2> kOwn{"attention.sliding_window", "use_parallel_residual"};

constexpr std::array<Architecture, 8> kArchitectures{{
    {"llama", "llama", "interleaved"},
    {"qwen2", "qwen2", "half-split"},
    {"qwen3", "qwen3", "half-split"},
    {"gemma", "gemma", "half-split"},
    {"gemma2", "gemma2", "half-split", read_gemma2},
    {"gpt2", "gpt2", "none"},
    {"gptneox", "gpt_neox", "half-split", read_gptneox},
    {"phi2", "phi", "half-split"},
}};

/// Entries ARCHITECTURE.KEY that are facts.
struct FactKey {
  std::string_view key, fact;
};
constexpr std::array<FactKey, 17> kFacts{{
    {"embedding_length", "width"},
    {"context_length", "context"},
    {"vocab_size", "vocabulary"},
    {"attention.head_count", "heads"},
    {"attention.head_count_kv", "kv-heads"},
    {"attention.key_length", "head-size"},
    {"attention.value_length", "head-size"},
    {"attention.layer_norm_rms_epsilon", "norm-eps"},
    {"attention.layer_norm_epsilon", "norm-eps"},
    {"attn_logit_softcapping", "score-cap"},
    {"final_logit_softcapping", "logit-cap"},
    {"rope.dimension_count", "rope-dims"},
    {"rope.freq_base", "rope-base"},
    {"rope.scaling.type", "rope-scaling"},
    {"rope.scaling.factor", "rope-scaling-factor"},
    {"expert_count", "routed-experts"},
    {"expert_used_count", "top-k"},
}};
/// Those that mean another forward pass unless they are this.
struct NeutralKey {
  std::string_view key, value;
};
constexpr std::array<NeutralKey, 5> kNeutral{{
    {"attention.causal", "true"},
    {"attention.sliding_window", "0"},
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
  const State state = [&](const std::string& by, std::string_view fact, const std::string& text) {
    container.facts.push_back({fmt::format("{}: {}", container.file, by), std::string(fact), text});
  };
  state("general.architecture", "rope", std::string(architecture.rope));
  // A factor alone is a linear one.
  if (file.entries().contains(prefix + "rope.scaling.factor")) {
    state(prefix + "rope.scaling.factor", "rope-scaling", "linear");
  }
  for (const auto& [entry, value] : file.entries()) {
    if (!entry.starts_with(prefix)) continue;
    const std::string key = entry.substr(prefix.size());
    const auto is_it = [&key](const auto& row) { return row.key == key; };
    const std::optional<std::string> text = text_of(value);
    const bool is_other = key == "rope.scaling.type" && text != "none" && text != "linear";
    const auto fact = is_other ? kFacts.end() : std::ranges::find_if(kFacts, is_it);
    if (fact != kFacts.end() && text) {
      state(entry, fact->fact, *text);
      continue;
    }
    if (architecture.more != nullptr && std::ranges::find(kOwn, key) != kOwn.end()) continue;
    const auto neutral = std::ranges::find_if(kNeutral, is_it);
    if (neutral != kNeutral.end() && text == neutral->value) continue;
    if (std::ranges::find(kShown, key) != kShown.end()) continue;
    file.fail(Fault::unsupported, "'{}' {} is not understood, and may mean another forward pass",
              entry, text.value_or("(a list)").substr(0, 40));
  }
  check_blocks(file, prefix);
  if (architecture.more != nullptr) architecture.more(file, state);
}

}  // namespace sb3lm
