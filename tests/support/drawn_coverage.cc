#include "support/drawn_coverage.h"

#include <fmt/format.h>

#include <set>

#include "model/spec_fields.h"
#include "model/steps.h"

namespace sb3lm::test {
namespace {

/// visit(path, field, value, default) for every field that has none itself.
template <SpecPart Part, class Visit>
void each_leaf(const Part& part, const std::string& path, const Visit& visit) {
  each_field(part, [&](const auto& field, const auto& value, const auto& usual) {
    using T = std::remove_cvref_t<decltype(value)>;
    const std::string here = path + field.key;
    if constexpr (SpecPart<T>) {
      each_leaf(value, here + ".", visit);
    } else {
      visit(here, field, value, usual);
      if constexpr (std::is_same_v<T, std::vector<LayerSpec>>) {
        for (const LayerSpec& layer : value) each_leaf(layer, here + ".", visit);
      }
    }
  });
}

template <class T>
std::string text_of(const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return std::string(enum_name(value));
  } else if constexpr (std::is_same_v<T, std::vector<LayerSpec>>) {
    return fmt::format("{}", value.size());
  } else if constexpr (std::is_same_v<T, std::vector<int>>) {
    std::string text;
    for (const int item : value) text += fmt::format("{} ", item);
    return text;
  } else {
    return fmt::format("{}", value);
  }
}

/// The kinds of values that a field can have.
template <class T>
std::vector<std::string> kinds(const Range& range, const T& usual) {
  std::vector<std::string> all;
  if constexpr (std::is_same_v<T, bool>) {
    return {"false", "true"};
  } else if constexpr (std::is_enum_v<T>) {
    for (const auto& [value, name] : names_of(usual)) all.emplace_back(name);
  } else if constexpr (std::is_arithmetic_v<T>) {
    if (usual >= range.low && usual <= range.high) all.emplace_back("default");
    all.emplace_back("other");
  } else if constexpr (std::is_same_v<T, std::string>) {
    return {"default", "other"};
  } else {
    return {"one", "more"};
  }
  return all;
}

template <class T>
std::string kind_of(const T& value, const T& usual) {
  if constexpr (std::is_same_v<T, bool> || std::is_enum_v<T>) {
    return text_of(value);
  } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
    return value == usual ? "default" : "other";
  } else {
    return value.size() == 1 ? "one" : "more";
  }
}

}  // namespace

std::vector<std::string> field_texts(const ModelSpec& spec) {
  std::vector<std::string> texts;
  each_leaf(spec, "", [&](const std::string& path, const auto&, const auto& value, const auto&) {
    texts.push_back(path + " = " + text_of(value));
  });
  return texts;
}

Coverage::Coverage() {
  const ModelSpec one_layer{.layers = {LayerSpec{}}};
  each_leaf(one_layer, "",
            [&](const std::string& path, const auto& field, const auto&, const auto& usual) {
              for (const std::string& kind : kinds(field.range, usual)) models_[path][kind] = 0;
            });
  const auto expect = [&](const char* what, auto value) { models_[what][std::string(value)] = 0; };
  for (const StepOp op : all_ops()) expect("op", op_name(op));
#define ROLE(number, name, ...) expect("role", #name);
#include "model/roles.def"
#undef ROLE
  for (const char* type : {"f32", "f16", "bf16"}) expect("storage", type);
  for (int bits = 1; bits <= 8; ++bits) expect("storage", fmt::format("{} bits", bits));
  for (const CodeEncoding& encoding : code_encodings()) expect("encoding", encoding.name);
  for (const auto& [tune, name] : names_of(Tune())) expect("tune", name);
  for (const auto& [kernel, name] : names_of(Kernel())) expect("kernel", name);
}

void Coverage::add(const DrawnModel& drawn) {
  std::set<std::pair<std::string, std::string>> had;
  each_leaf(drawn.model.spec, "",
            [&](const std::string& path, const auto&, const auto& value, const auto& usual) {
              had.emplace(path, kind_of(value, usual));
            });
  for (const Part& part : steps_of(drawn.model.spec).parts) {
    for (const Step& step : part.steps) had.emplace("op", op_name(step.op));
  }
  for (const auto& [key, tensor] : drawn.model.tensors) {
    had.emplace("role", role_name(key.role));
    had.emplace("storage", storage_name(tensor));
  }
  const LowerOptions& options = drawn.request.lower;
  had.emplace("encoding", options.encoding.usual);
  had.emplace("tune", enum_name(options.tune));
  had.emplace("kernel", enum_name(options.kernel));
  for (const auto& [what, value] : had) ++models_[what][value];
}

std::string Coverage::gaps(int enough) const {
  std::string text;
  for (const auto& [what, values] : models_) {
    for (const auto& [value, models] : values) {
      if (models < enough)
        text += fmt::format("{} {}: {} of {} models\n", what, value, models, enough);
    }
  }
  return text;
}

std::string Coverage::text() const {
  std::string text;
  for (const auto& [what, values] : models_) {
    text += what + ":";
    for (const auto& [value, models] : values) text += fmt::format(" {} {}", value, models);
    text += "\n";
  }
  return text;
}

}  // namespace sb3lm::test
