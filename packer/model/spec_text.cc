#include "model/spec_text.h"

#include <fmt/ranges.h>

#include "model/spec_fields.h"

namespace sb3lm {
namespace {

using Words = std::vector<std::string>;

template <SpecPart Part>
void add_fields(const Part& part, Words& words);

template <class T>
void add_field(const char* name, const T& value, Words& words) {
  if constexpr (SpecPart<T>) {
    add_fields(value, words);
  } else if constexpr (std::is_same_v<T, bool>) {
    words.push_back(fmt::format("{}{}", value ? "" : "no ", name));
  } else if constexpr (std::is_enum_v<T>) {
    words.push_back(fmt::format("{} {}", name, enum_name(value)));
  } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
    words.push_back(fmt::format("{} {}", name, value));
  } else {
    words.push_back(fmt::format("{} {}", name, value.size()));
  }
}

template <SpecPart Part>
void add_fields(const Part& part, Words& words) {
  each_field(part, [&](const auto& field, const auto& value, const auto& usual) {
    using T = std::remove_cvref_t<decltype(value)>;
    if (value == usual && (value == T{} || field.written == Written::unless_default)) return;
    add_field(field.words, value, words);
  });
}

}  // namespace

std::vector<std::string> spec_text(const ModelSpec& spec) {
  Words model;
  add_fields(spec, model);
  std::vector<std::string> lines = {fmt::format("{}", fmt::join(model, ", "))};
  for (std::size_t i = 0; i < spec.layers.size();) {
    LayerSpec alike = spec.layers[i];
    std::vector<int> ids;
    for (; i < spec.layers.size(); ++i) {
      const int id = spec.layers[i].id;
      alike.id = id;
      if (alike != spec.layers[i]) break;
      ids.push_back(id);
    }
    alike.id = LayerSpec{}.id;
    Words words;
    add_fields(alike, words);
    lines.push_back(fmt::format("layer{} {}: {}", ids.size() == 1 ? "" : "s", fmt::join(ids, ", "),
                                fmt::join(words, ", ")));
  }
  return lines;
}

}  // namespace sb3lm
