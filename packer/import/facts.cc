#include "import/facts.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "base/number_text.h"
#include "model/spec_fields.h"

namespace sb3lm {
namespace {

constexpr const char* kSign = "rope-sign";  // written as plus or minus, too

std::string name_of(const std::string& prefix, const char* key) {
  std::string name = prefix + key;
  for (char& c : name) {
    if (c == '_') c = '-';
  }
  return name == "query-heads" ? "heads" : name == "rope-layout" ? "rope" : name;
}

/// A number, a choice or a yes or no; what layers are called is not for all of them at once.
template <class T>
constexpr bool kIsFact = std::is_arithmetic_v<T> || std::is_enum_v<T>;

/// Calls visit(name, field, member) for every field of a kind of part, parts inside it included;
/// `member` gives the field's value in a part.
template <class Part, class Visit, class Member>
void each_fact(const std::string& prefix, Member member, const Visit& visit) {
  const auto one = [&](const auto& field) {
    using T = std::remove_cvref_t<decltype(std::declval<Part>().*field.member)>;
    const auto value = [ member, at = field.member ](auto& whole) -> auto& {
      return member(whole).*at;
    };
    if constexpr (SpecPart<T>) {
      each_fact<T>(field.key == nullptr ? prefix : prefix + field.key + "-", value, visit);
    } else if constexpr (kIsFact<T>) {
      if (std::string_view(field.key) != "id") visit(name_of(prefix, field.key), field, value);
    }
  };
  std::apply([&](const auto&... fields) { (one(fields), ...); },
             fields_of(static_cast<const Part*>(nullptr)));
}

constexpr auto kItself = [](auto& whole) -> auto& {
  return whole;
};

/// Calls of_model or of_layer for each.
template <class OfModel, class OfLayer>
void each_fact(const OfModel& of_model, const OfLayer& of_layer) {
  each_fact<ModelSpec>("", kItself, of_model);
  each_fact<LayerSpec>("", kItself, of_layer);
}

template <class T>
std::vector<std::string> choices_of(const std::string& name) {
  std::vector<std::string> choices;
  if constexpr (std::is_enum_v<T>) {
    for (const auto& [value, text] : names_of(T{})) choices.emplace_back(text);
  } else if constexpr (std::is_same_v<T, bool>) {
    choices = {"true", "false"};
  } else if (name == kSign) {
    choices = {"plus", "minus"};
  }
  return choices;
}

template <class T>
std::string text_of(const std::string& name, const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return std::string(enum_name(value));
  } else if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else {
    if (name == kSign) return value < 0 ? "minus" : "plus";
    return fmt::format("{}", value);
  }
}

template <class T>
std::optional<T> value_of(const std::string& name, const Range& range, std::string_view text) {
  if constexpr (std::is_enum_v<T>) {
    for (const auto& [value, known] : names_of(T{})) {
      if (known == text) return value;
    }
    return std::nullopt;
  } else if constexpr (std::is_same_v<T, bool>) {
    if (text == "true" || text == "false") return text == "true";
    return std::nullopt;
  } else {
    if (name == kSign && (text == "plus" || text == "minus")) return text == "plus" ? 1 : -1;
    if constexpr (std::is_same_v<T, int>) {
      int value = 0;
      const char* end = text.data() + text.size();
      const auto read = std::from_chars(text.data(), end, value);
      if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
      return value >= range.low && value <= range.high ? std::optional(value) : std::nullopt;
    } else {
      const std::optional<double> value = js_parse_number(text);
      const bool fits = value && !text.empty() && *value >= range.low && *value <= range.high;
      return fits ? value : std::nullopt;
    }
  }
}

template <class T, class F>
T parsed(const std::string& origin, const std::string& name, const F& field,
         std::string_view text) {
  if (const std::optional<T> value = value_of<T>(name, field.range, text)) return *value;
  const std::vector<std::string> choices = choices_of<T>(name);
  if (!choices.empty()) {
    fail(Fault::usage, "{}: '{}' cannot be '{}'; it can be {}", origin, name, text,
         fmt::join(choices, ", "));
  }
  fail(Fault::usage, "{}: '{}' cannot be '{}'; it is a {} from {} to {}", origin, name, text,
       std::is_same_v<T, int> ? "whole number" : "number", field.range.low, field.range.high);
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t at = std::min(text.find(by), text.size());
    parts.push_back(text.substr(0, at));
    if (at == text.size()) return parts;
    text.remove_prefix(at + 1);
  }
}

std::optional<int> number_in(std::string_view text) {
  int value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
  return whole && value >= 0 && value <= limits::kLayerId ? std::optional(value) : std::nullopt;
}

/// "0,2,4-10".
std::vector<int> layers_in(const std::string& origin, std::string_view name,
                           std::string_view text) {
  std::vector<int> layers;
  for (const std::string_view part : split(text, ',')) {
    const std::size_t dash = std::min(part.find('-'), part.size());
    const std::optional<int> first = number_in(part.substr(0, dash));
    const std::optional<int> last = dash == part.size() ? first : number_in(part.substr(dash + 1));
    if (!first || !last || *last < *first) {
      fail(Fault::usage, "{}: '{}': '{}' are no layers; they read like 0,2,4-10", origin, name,
           text);
    }
    for (int layer = *first; layer <= *last; ++layer) layers.push_back(layer);
  }
  return layers;
}

}  // namespace

bool Facts::Value::is_for(const LayerSpec& layer) const {
  return layers.empty() || std::find(layers.begin(), layers.end(), layer.id) != layers.end();
}

std::vector<Facts::Value> Facts::layer_values(const std::string& origin, std::string_view name,
                                              std::string_view text) {
  std::vector<Value> values;
  each_fact<LayerSpec>("", kItself,
                       [&](const std::string& own, const auto& field, const auto& value) {
                         if (own != name) return;
                         for (const std::string_view part : split(text, '/')) {
                           const std::size_t at = part.find('@');
                           Value& one = values.emplace_back();
                           if (at != part.npos)
                             one.layers = layers_in(origin, name, part.substr(at + 1));
                           using T = std::remove_cvref_t<decltype(value(one.of))>;
                           value(one.of) = parsed<T>(origin, own, field, part.substr(0, at));
                         }
                       });
  return values;
}

void Facts::set(const std::string& origin, std::string_view name, std::string_view text,
                Saying saying) {
  const auto before = said_.find(name);
  const bool may = before == said_.end() || before->second.saying <= saying;
  Said said{origin, std::string(text), saying, layer_values(origin, name, text)};
  bool found = false, is_news = !is_stated(name);
  each_fact<LayerSpec>("", kItself, [&](const std::string& own, const auto&, const auto& value) {
    if (own != name) return;
    found = true;
    if (before == said_.end()) return;
    const std::vector<Value>& known = before->second.values;
    is_news = is_news || !std::equal(known.begin(), known.end(), said.values.begin(),
                                     said.values.end(), [&](const Value& a, const Value& b) {
                                       return a.layers == b.layers && value(a.of) == value(b.of);
                                     });
  });
  each_fact<ModelSpec>(
      "", kItself, [&](const std::string& own, const auto& field, const auto& value) {
        if (own != name) return;
        const auto given =
            parsed<std::remove_cvref_t<decltype(value(model_))>>(origin, own, field, text);
        found = true;
        is_news = is_news || value(model_) != given;
        if (may) value(model_) = given;
      });
  if (!found) {
    fail(Fault::usage, "{}: there is no field '{}'; there are {}", origin, name,
         fmt::join(fact_names(), ", "));
  }
  if (may && is_news) said_.insert_or_assign(std::string(name), std::move(said));
}

void Facts::set_all(const std::string& origin, const ModelSpec& spec) {
  for (const std::string& name : fact_names()) {
    set(origin, name, fact_text(spec, name));
    said_.at(name).text.clear();
  }
}

bool Facts::is_stated(std::string_view name) const {
  const auto found = said_.find(name);
  return found != said_.end() && found->second.saying != Saying::assumed;
}

bool Facts::is_said_by_file(std::string_view name) const {
  const auto found = said_.find(name);
  return found != said_.end() && found->second.saying == Saying::file;
}

void Facts::apply(ModelSpec& spec, Saying least) const {
  each_fact<ModelSpec>("", kItself, [&](const std::string& name, const auto&, const auto& value) {
    const auto found = said_.find(name);
    if (found != said_.end() && found->second.saying >= least) value(spec) = value(model_);
  });
  each_fact<LayerSpec>("", kItself, [&](const std::string& name, const auto&, const auto& value) {
    const auto found = said_.find(name);
    if (found == said_.end() || found->second.saying < least) return;
    for (LayerSpec& layer : spec.layers) {
      for (const Value& said : found->second.values) {
        if (said.is_for(layer)) value(layer) = value(said.of);
      }
    }
  });
}

void Facts::compare(const std::string& checkpoint, const ModelSpec& shown) const {
  const auto refuse = [&](const std::string& name, const std::string& is) {
    const Said& by = said_.find(name)->second;
    fail(Fault::bad_input, "{}{} is {}, but the tensors of {} show {}", by.origin,
         by.saying == Saying::user ? " " + name : "", by.text, checkpoint, is);
  };
  ModelSpec as_said = shown;
  apply(as_said, Saying::file);
  each_fact<ModelSpec>("", kItself, [&](const std::string& name, const auto&, const auto& value) {
    if (value(as_said) != value(shown)) refuse(name, text_of(name, value(shown)));
  });
  each_fact<LayerSpec>("", kItself, [&](const std::string& name, const auto&, const auto& value) {
    for (std::size_t i = 0; i < shown.layers.size(); ++i) {
      const LayerSpec& layer = shown.layers[i];
      if (value(as_said.layers[i]) != value(layer)) refuse(name, text_of(name, value(layer)));
    }
  });
}

std::map<std::string, std::string> Facts::texts(Saying least) const {
  std::map<std::string, std::string> texts;
  for (const auto& [name, said] : said_) {
    if (said.saying >= least && !said.text.empty()) texts.emplace(name, said.text);
  }
  return texts;
}

std::map<std::string, std::string> Facts::assumed() const {
  std::map<std::string, std::string> texts;
  for (const auto& [name, said] : said_) {
    if (said.saying == Saying::assumed) texts.emplace(name, said.text);
  }
  return texts;
}

std::vector<std::string> fact_names() {
  std::vector<std::string> names;
  const auto add = [&names](const std::string& name, const auto&, const auto&) {
    names.push_back(name);
  };
  each_fact(add, add);
  return names;
}

bool is_fact(std::string_view name) {
  const std::vector<std::string> names = fact_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<std::string> fact_choices(std::string_view name) {
  std::vector<std::string> choices;
  const auto from = [&](const auto& whole) {
    return [&](const std::string& own, const auto&, const auto& value) {
      using T = std::remove_cvref_t<decltype(value(whole))>;
      if (own == name && !std::is_same_v<T, bool>) choices = choices_of<T>(own);
    };
  };
  const ModelSpec model;
  const LayerSpec layer;
  each_fact(from(model), from(layer));
  return choices;
}

std::string fact_text(const ModelSpec& spec, std::string_view name) {
  std::string text;
  const auto from = [&](const auto& whole) {
    return [&](const std::string& own, const auto&, const auto& value) {
      if (own == name) text = text_of(own, value(whole));
    };
  };
  each_fact(from(spec), from(spec.layers.front()));
  return text;
}

}  // namespace sb3lm
