// A spec in which every field differs from its default, made by the visitor so that a new field is
// in it: nothing that writes specs may lose one, nothing that tells specs apart may overlook one.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "import/container.h"
#include "import/facts.h"
#include "lower/model_info.h"
#include "model/fingerprint.h"
#include "model/spec_fields.h"
#include "model/spec_json.h"
#include "model/spec_text.h"

using namespace sb3lm;

namespace {

/// Numbers of their own, so that exchanged fields show.
class Different {
 public:
  template <class T>
  void change(T& value, const Range& range) {
    if constexpr (SpecPart<T>) {
      each_field(value,
                 [&](const auto& field, auto& item, const auto&) { change(item, field.range); });
    } else if constexpr (std::is_same_v<T, bool>) {
      value = !value;
    } else if constexpr (std::is_enum_v<T>) {
      const T usual = value;
      for (const auto& [other, name] : names_of(T{})) value = other == usual ? value : other;
    } else if constexpr (std::is_same_v<T, std::string>) {
      value = "other";
    } else if constexpr (std::is_same_v<T, std::vector<LayerSpec>>) {
      for (int i = 0; i < 2; ++i) change(value.emplace_back(), range);
    } else if constexpr (std::is_same_v<T, std::vector<int>>) {
      value = {1, 0, 1};
    } else {
      number(value, range);
    }
  }

 private:
  template <class T>
  void number(T& value, const Range& range) {
    const T usual = value;
    const double room = range.high - range.low;
    value = room > 100 ? static_cast<T>(range.low + 2 + ++count_) : static_cast<T>(range.low);
    if (value == usual) value = static_cast<T>(range.high);
    if constexpr (std::is_same_v<T, double>) {
      if (room < 2) value = range.low + room * 0.1 + 0.001 * ++count_;
    }
  }

  int count_ = 0;
};

ModelSpec different_spec() {
  ModelSpec spec;
  Different().change(spec, {});
  return spec;
}

/// Calls check(what, spec) with the spec changed in one field at a time.
template <class Part, class Check>
void each_change(ModelSpec& whole, Part& part, const Check& check) {
  each_field(part, [&](const auto& field, auto& value, const auto& standard) {
    using T = std::remove_cvref_t<decltype(value)>;
    if constexpr (SpecPart<T>) {
      each_change(whole, value, check);
    } else {
      const T kept = value;
      value = standard;
      CHECK_MESSAGE(kept != value, field.key);
      check(field.key, whole);
      value = kept;
    }
  });
}

}  // namespace

TEST_CASE("every field differs, and goes through metadata and model info unchanged") {
  const ModelSpec spec = different_spec();
  std::map<std::string, std::string> metadata = {{"another", "text"}};
  put_spec(spec, metadata);
  CHECK(spec_in("file", metadata) == spec);
  CHECK_FALSE(spec_in("file", {{"another", "text"}}));

  Model model;
  model.spec = spec;
  const auto info = nlohmann::json::parse(write_model_info(model, Layout{}, LowerOptions{}));
  CHECK(spec_from_json(info.at("spec").dump(), "model info") == spec);
}

TEST_CASE("every field counts: in comparisons, files, fingerprints and texts") {
  Model model;
  model.spec = different_spec();
  const std::uint64_t fingerprint = model_fingerprint(model);
  const ModelSpec kept = model.spec;
  const std::string json = spec_to_json(kept);
  const std::vector<std::string> text = spec_text(kept);
  const auto check = [&](const std::string& key, const ModelSpec& changed) {
    CAPTURE(key);
    CHECK(changed != kept);
    CHECK(spec_to_json(changed) != json);
    if (key != "passes") CHECK(spec_text(changed) != text);  // whose number is shown
    if (key != "family") CHECK(model_fingerprint(model) != fingerprint);
  };
  each_change(model.spec, model.spec, check);
  each_change(model.spec, model.spec.layers[1], check);
}

TEST_CASE("fields at their defaults are left out where they may be") {
  const std::string json = spec_to_json({.layers = {{}}});
  const auto of = [&json](const char* key) { return json.find(key) != json.npos; };
  CHECK(of("\"norm_eps\""));
  CHECK_FALSE(of("qkv_bias"));
  CHECK_FALSE(of("shared_gated"));
}

TEST_CASE("every number, choice and switch of a spec is a fact that can be set by name") {
  const ModelSpec spec = different_spec();
  Facts facts;
  facts.set_all("file", spec);
  ModelSpec copy;
  copy.layers = {{}};
  facts.apply(copy);
  copy.family = spec.family;
  copy.passes = spec.passes;
  copy.layers[0].id = spec.layers[0].id;
  copy.layers.push_back(spec.layers[1]);
  CHECK(copy == spec);
  CHECK(fact_text(spec, "rope-sign") == "minus");
  CHECK_THROWS_WITH_AS(facts.set("file", "nose", "1"),
                       doctest::Contains("there is no field 'nose'"), Error);
}
