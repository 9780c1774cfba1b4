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

}  // namespace

void Facts::set(const std::string& origin, std::string_view name, std::string_view text,
                Saying saying) {
  const auto before = said_.find(name);
  bool counts = before == said_.end() || before->second.saying <= saying;
  bool found = false;
  const auto into = [&](auto& whole) {
    return [&](const std::string& own, const auto& field, const auto& value) {
      if (own != name) return;
      using T = std::remove_cvref_t<decltype(value(whole))>;
      const T given = parsed<T>(origin, own, field, text);
      const bool is_news = !is_stated(name) || value(whole) != given;
      counts = counts && is_news;
      if (counts) value(whole) = given;
      found = true;
    };
  };
  each_fact(into(model_), into(layer_));
  if (!found) {
    fail(Fault::usage, "{}: there is no field '{}'; there are {}", origin, name,
         fmt::join(fact_names(), ", "));
  }
  if (counts) said_.insert_or_assign(std::string(name), Said{origin, std::string(text), saying});
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

void Facts::apply(ModelSpec& spec, Saying least) const {
  const auto copy = [&](const auto& from, auto& to) {
    return [&](const std::string& name, const auto&, const auto& value) {
      const auto found = said_.find(name);
      if (found != said_.end() && found->second.saying >= least) value(to) = value(from);
    };
  };
  each_fact<ModelSpec>("", kItself, copy(model_, spec));
  for (LayerSpec& layer : spec.layers) each_fact<LayerSpec>("", kItself, copy(layer_, layer));
}

void Facts::compare(const std::string& checkpoint, const ModelSpec& shown) const {
  const auto same = [&](const auto& said, const auto& is) {
    return [&](const std::string& name, const auto&, const auto& value) {
      if (!is_stated(name) || value(said) == value(is)) return;
      const Said& by = said_.find(name)->second;
      fail(Fault::bad_input, "{}{} is {}, but the tensors of {} show {}", by.origin,
           by.saying == Saying::user ? " " + name : "", by.text, checkpoint,
           text_of(name, value(is)));
    };
  };
  each_fact<ModelSpec>("", kItself, same(model_, shown));
  for (const LayerSpec& layer : shown.layers) {
    each_fact<LayerSpec>("", kItself, same(layer_, layer));
  }
}

std::map<std::string, std::string> Facts::texts(Saying least) const {
  std::map<std::string, std::string> texts;
  for (const auto& [name, said] : said_) {
    if (said.saying >= least && !said.text.empty()) texts.emplace(name, said.text);
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
