// What config.json says of single layers: KV heads, whether they have RoPE, sliding windows.
#include <algorithm>
#include <map>
#include <optional>

#include "import/config.h"
#include "model/spec_fields.h"

namespace sb3lm {
namespace {

/// Where the lists of single layers stand, and the fact that each of their entries is.
struct LayerList {
  std::string_view field, fact;
};
constexpr LayerList kLayerLists[] = {{"num_key_value_heads", "kv-heads"},
                                     {"num_key_value_heads_per_layer", "kv-heads"},
                                     {"no_rope_layers", "rope"}};
// What else has an entry for each layer.
constexpr std::string_view kOtherLists[] = {"layer_types", "attention_layers"};

// The layout of all who have such a list.
constexpr const char *kRope = "half-split", *kNoRope = "none";

/// What an entry says of its layer.
std::string entry_text(const Config& config, const LayerList& list, const Json& entry) {
  const std::optional<int> number = json_as<int>(entry);
  const bool is_flag = list.fact == "rope";
  if (is_flag && entry.is_boolean()) return entry.get<bool>() ? kRope : kNoRope;
  if (!number || (is_flag && *number != 0 && *number != 1)) {
    config.fail(Fault::bad_input, "{}: {} is not {}", list.field, entry.dump(),
                is_flag ? "0 or 1" : "a whole number");
  }
  if (is_flag) return *number == 1 ? kRope : kNoRope;
  return fmt::format("{}", *number);
}

/// Null if the field is no list.
const Json* list_in(const Config& config, std::string_view field) {
  const Json* found = config.find(field);
  if (found == nullptr || !found->is_array()) return nullptr;
  if (found->size() > static_cast<std::size_t>(limits::kLayers)) {
    config.fail(Fault::bad_input, "{} has {} entries, more than a model can have layers", field,
                found->size());
  }
  return found;
}

/// Whether each layer slides, by a list of kinds.
std::vector<bool> kinds_in(const Config& config, std::string_view field, std::string_view sliding,
                           std::string_view full) {
  std::vector<bool> slides;
  const Json* list = list_in(config, field);
  if (list == nullptr) return slides;
  for (const Json& entry : *list) {
    const std::string kind = entry.is_string() ? entry.get<std::string>() : "";
    if (kind != sliding && kind != full) {
      config.fail(Fault::unsupported, "{}: {} is not supported, only \"{}\" and \"{}\"", field,
                  entry.dump(), sliding, full);
    }
    slides.push_back(kind == sliding);
  }
  return slides;
}

bool slides_by_rule(const Config& config, Sliding where, int layer) {
  switch (where) {
    case Sliding::all:
      return true;
    case Sliding::even:
      return layer % 2 == 0;
    case Sliding::late: {
      constexpr int kUsual = 28;  // in transformers
      return layer >= config.number_or("max_window_layers", kUsual);
    }
    case Sliding::mostly: {
      const int every = config.number_or("sliding_window_pattern", 6);
      return every == 0 || (layer + 1) % every != 0;
    }
    case Sliding::without_rope: {
      const Json* list = config.find("no_rope_layers");
      const auto at = static_cast<std::size_t>(layer);
      return list != nullptr && list->is_array() && at < list->size() && (*list)[at] == 0;
    }
  }
  return false;
}

}  // namespace

std::string by_layer(const std::vector<std::string>& texts) {
  std::map<std::string, std::string> layers;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::string& own = layers[texts[i]];
    own += fmt::format("{}{}", own.empty() ? "" : ",", i);
  }
  std::string all;
  for (const auto& [text, own] : layers) {
    all += fmt::format("{}{}@{}", all.empty() ? "" : "/", text, own);
  }
  return all;
}

void read_layer_lists(const Config& config, Settings& settings) {
  for (const LayerList& list : kLayerLists) {
    const Json* found = list_in(config, list.field);
    if (found == nullptr) continue;
    std::vector<std::string> texts;
    for (const Json& entry : *found) texts.push_back(entry_text(config, list, entry));
    const bool is_plain =
        std::ranges::all_of(texts, [](const auto& text) { return text == kRope; });
    if (!is_plain) config.set_text(list.fact, list.field, by_layer(texts), settings);
  }
}

void check_layer_lists(const Config& config, const ModelSpec& spec) {
  const auto check = [&](std::string_view field) {
    const Json* found = config.find(field);
    if (found == nullptr || !found->is_array() || found->size() == spec.layers.size()) return;
    config.fail(Fault::bad_input, "{} has {} entries, but the tensors show {} layers", field,
                found->size(), spec.layers.size());
  };
  for (const LayerList& list : kLayerLists) check(list.field);
  for (const std::string_view field : kOtherLists) check(field);
}

bool is_layer_list(std::string_view field) {
  return std::ranges::any_of(kLayerLists, [field](const auto& row) { return row.field == field; });
}

void set_windows(const Config& config, std::string_view field, int window,
                 const std::vector<bool>& slides, Settings& settings) {
  std::vector<std::string> texts;
  for (const bool one : slides) texts.push_back(fmt::format("{}", one ? window : 0));
  if (texts.empty() || window == 0) return;
  config.set_text("window", field, by_layer(texts), settings);
}

std::vector<bool> sliding_layers(const Config& config, Sliding where) {
  std::vector<bool> slides = kinds_in(config, "layer_types", "sliding_attention", "full_attention");
  const int layers = slides.empty() ? config.number("num_hidden_layers", limits::kLayers) : 0;
  for (int layer = 0; layer < layers; ++layer) {
    slides.push_back(slides_by_rule(config, where, layer));
  }
  return slides;
}

void read_windows(const Config& config, const WindowRule& rule, Settings& settings) {
  constexpr const char *kField = "sliding_window", *kSwitch = "use_sliding_window";
  if (config.is(kSwitch, false) || (rule.on_demand && !config.is(kSwitch, true))) return;
  const int window = config.has(kField) ? config.number_or(kField, 0) : rule.usual;
  if (window == 0) return;
  set_windows(config, kField, window, sliding_layers(config, rule.where), settings);
}

void read_local_attention(const Config& config, int usual_window, Settings& settings) {
  constexpr const char *kList = "attention_layers", *kTypes = "attention_types";
  std::vector<bool> slides = kinds_in(config, kList, "local", "global");
  if (slides.empty()) {
    const int layers = config.number("num_layers", limits::kLayers);
    const Json* types = config.find(kTypes);
    // [[["global", "local"], 6]], or more of such pairs: only the usual one, which repeats.
    const Json alternating = Json::array({Json::array({"global", "local"}), layers / 2});
    if (types != nullptr && (*types != Json::array({alternating}) || layers % 2 != 0)) {
      config.fail(Fault::unsupported,
                  "{} {} is not supported without {}, only [[[\"global\", \"local\"], {}]]", kTypes,
                  types->dump(), kList, layers / 2);
    }
    for (int layer = 0; layer < layers; ++layer) slides.push_back(layer % 2 == 1);
  }
  set_windows(config, "window_size", config.number_or("window_size", usual_window), slides,
              settings);
}

void drop_wide_windows(ModelSpec& spec) {
  for (LayerSpec& layer : spec.layers) {
    if (layer.attention.window >= spec.context) layer.attention.window = 0;
  }
}

void refuse_window(const Config& config, const ModelSpec& spec) {
  const Json* window = config.find("sliding_window");
  if (window == nullptr || config.is("use_sliding_window", false)) return;
  if (!window->is_number() || window->get<double>() < spec.context) {
    config.fail(Fault::unsupported,
                "sliding_window {} is shorter than the context of {}, and which layers have it "
                "is not known; --convention context={} stays inside it",
                window->dump(), spec.context, window->dump());
  }
}

}  // namespace sb3lm
