#include "import/names.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.h"

namespace sb3lm {
namespace {

/// Of training programs, of adapters, and of models that have other parts beside the language
/// model.
constexpr std::string_view kWrappers[] = {"_orig_mod.", "module.", "base_model.model.",
                                          "model.language_model.", "language_model."};
constexpr std::string_view kBuffers[] = {"rotary_emb.inv_freq", "rotary_emb.cos_cached",
                                         "rotary_emb.sin_cached"};
// Of PyTorch's GPT-2, GPT-Neo and GPT-NeoX: [1, 1, positions, positions], and a number.
constexpr std::string_view kMasks[] = {".attn.bias", ".attention.bias"};
constexpr std::string_view kMaskedScore = ".masked_bias";

std::string_view bare(std::string_view stem) {
  constexpr std::string_view kPrefix = "model.";
  constexpr std::string_view kEnding = ".weight";
  if (stem.starts_with(kPrefix)) stem.remove_prefix(kPrefix.size());
  if (stem.ends_with(kEnding)) stem.remove_suffix(kEnding.size());
  return stem;
}

bool match(std::string_view pattern, std::string_view name, TensorKey& key);

bool match_number(std::string_view pattern, std::string_view name, TensorKey& key, int& number) {
  const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), number);
  const auto digits = static_cast<std::size_t>(end - name.data());
  if (problem != std::errc() || number < 0 || number > 99999) return false;
  return match(pattern.substr(3), name.substr(digits), key);
}

/// `pattern` starts with "(": tries every choice.
bool match_choice(std::string_view pattern, std::string_view name, TensorKey& key) {
  const std::size_t close = pattern.find(')');
  std::string_view choices = pattern.substr(1, close - 1);
  while (true) {
    const std::size_t bar = std::min(choices.find('|'), choices.size());
    const std::string_view choice = choices.substr(0, bar);
    if (name.starts_with(choice) &&
        match(pattern.substr(close + 1), name.substr(choice.size()), key)) {
      return true;
    }
    if (bar == choices.size()) return false;
    choices.remove_prefix(bar + 1);
  }
}

bool match(std::string_view pattern, std::string_view name, TensorKey& key) {
  while (!pattern.empty()) {
    if (pattern.front() == '(') return match_choice(pattern, name, key);
    if (pattern.starts_with("{L}")) return match_number(pattern, name, key, key.layer);
    if (pattern.starts_with("{E}")) return match_number(pattern, name, key, key.expert);
    if (name.empty() || name.front() != pattern.front()) return false;
    pattern.remove_prefix(1);
    name.remove_prefix(1);
  }
  return name.empty();
}

/// A pattern with its first choices, numbers left as 0: "layers.0.attention.wq".
std::string example(std::string_view pattern) {
  std::string text;
  while (!pattern.empty()) {
    if (pattern.front() == '(') {
      text += pattern.substr(1, pattern.find_first_of("|)") - 1);
      pattern.remove_prefix(pattern.find(')') + 1);
    } else if (pattern.front() == '{') {
      text += '0';
      pattern.remove_prefix(3);
    } else {
      text += pattern.front();
      pattern.remove_prefix(1);
    }
  }
  return text;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

std::optional<TensorKey> own_name(std::string_view stem) {
  constexpr std::size_t kLongest = 64;
  // Most names are none, and a file may have a hundred thousand.
  const bool may_be = stem.starts_with("layer ") || stem.find_first_of(".0123456789") == stem.npos;
  if (!may_be || stem.size() > kLongest) return std::nullopt;
  try {
    return tensor_key_from_text(stem);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

std::vector<NameMatch> roles_of_name(const Family& family, std::string_view stem) {
  std::string_view name = bare(stem);
  std::vector<NameMatch> matches;
  while (true) {
    for (const std::span<const NameRule> rules : family.rules) {
      for (const NameRule& rule : rules) {
        TensorKey key{rule.role};
        if (match(rule.pattern, name, key)) matches.push_back({key, &rule});
      }
    }
    if (!matches.empty()) return matches;
    // Not behind a number: what is a layer's own is no part of the model's.
    const std::size_t dot = name.find('.');
    if (!family.any_prefix || dot == name.npos || (name[0] >= '0' && name[0] <= '9')) break;
    name.remove_prefix(dot + 1);
  }
  if (const std::optional<TensorKey> key = own_name(stem)) matches.push_back({*key, &kAsItIs});
  return matches;
}

std::string_view without_wrappers(std::string_view name) {
  const std::string_view* wrapper = nullptr;
  const auto leads = [&name](std::string_view one) { return name.starts_with(one); };
  while ((wrapper = std::ranges::find_if(kWrappers, leads)) != std::end(kWrappers)) {
    name.remove_prefix(wrapper->size());
  }
  return name;
}

bool is_buffer(const StoredTensor& tensor) {
  const auto ends = [&](std::string_view ending) { return tensor.name.ends_with(ending); };
  const std::vector<std::int64_t>& shape = tensor.shape;
  const bool is_mask = shape.size() == 4 && shape[0] == 1 && shape[1] == 1 && shape[2] == shape[3];
  const bool is_number = shape.empty() || shape == std::vector<std::int64_t>{1};
  return std::ranges::any_of(kBuffers, ends) || (is_mask && std::ranges::any_of(kMasks, ends)) ||
         (is_number && ends(kMaskedScore));
}

std::string nearest_role(const Family& family, std::string_view stem) {
  constexpr std::size_t kLongest = 200;  // names of broken files can be megabytes
  const std::string_view name = bare(stem).substr(0, kLongest);
  const NameRule* best = nullptr;
  std::size_t best_distance = 0;
  for (const std::span<const NameRule> rules : family.rules) {
    for (const NameRule& rule : rules) {
      const std::size_t distance = edit_distance(name, example(rule.pattern));
      if (best == nullptr || distance < best_distance) {
        best = &rule;
        best_distance = distance;
      }
    }
  }
  check(best != nullptr, "a family without names");
  return std::string(role_name(best->role));
}

}  // namespace sb3lm
