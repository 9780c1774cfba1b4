// A Hugging Face config.json, and what all families read of it alike.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "import/json.h"
#include "import/settings.h"

namespace sb3lm {

class Config {
 public:
  /// Throws bad_input unless the text is a JSON object.
  Config(std::string file, std::string_view json);

  const std::string& file() const { return file_; }
  /// Null if the field is missing or null.
  const Json* find(std::string_view field) const;
  std::string text(std::string_view field) const;     // empty if it is none
  bool is(std::string_view field, bool value) const;  // false if it is missing
  std::string model_type() const { return text("model_type"); }
  /// The fields that are there and not null.
  std::vector<std::string> fields() const;

  template <class... Args>
  [[noreturn]] void fail(Fault fault, fmt::format_string<Args...> format, Args&&... args) const {
    sb3lm::fail(fault, "{}: {}", file_, fmt::format(format, std::forward<Args>(args)...));
  }

  /// Sets a fact to what a field says. Throws bad_input if it cannot have the value.
  void set(std::string_view fact, std::string_view field, Settings& settings) const;
  void set_text(std::string_view fact, std::string_view field, std::string_view text,
                Settings& settings) const;

  /// Throws bad_input unless the field is missing or has this value, which the tensors show.
  void must_be(std::string_view field, int shown) const;

 private:
  std::string file_;
  Json json_;
};

/// `rope_scaling` of older files, `rope_parameters` of newer ones: the base of plain RoPE; others
/// are unsupported.
void read_rope(const Config& config, Settings& settings);

/// What bends the hidden numbers, by the names that transformers has for it; silu where nothing is
/// said. Others are unsupported.
void read_activation(const Config& config, std::string_view field, Settings& settings);

/// Lists with an entry for each layer: KV heads (`num_key_value_heads` or
/// `num_key_value_heads_per_layer`), and whether it has RoPE (`no_rope_layers`, where 0 means
/// none). Throws bad_input for other entries.
void read_layer_lists(const Config& config, Settings& settings);

/// Throws bad_input if such a list has not as many entries as there are layers.
void check_layer_lists(const Config& config, const ModelSpec& spec);

/// The fields that the functions of this header understand.
bool is_common_field(std::string_view field);

/// Throws unsupported where a field that means another forward pass is set.
void refuse_other_maths(const Config& config);

/// Throws unsupported where a field says that the weights are another program's codes.
void refuse_quantised(const Config& config);

/// Throws unsupported if attention has a window shorter than the context.
void refuse_window(const Config& config, const ModelSpec& spec);

}  // namespace sb3lm
