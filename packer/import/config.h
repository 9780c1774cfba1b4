// A Hugging Face config.json, and what all families read of it alike.
#pragma once

#include <initializer_list>
#include <optional>
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
  /// Whether the field is there, be it null.
  bool has(std::string_view field) const { return json_.contains(field); }
  /// A whole number from 1 to `most`; throws bad_input without it.
  int number(std::string_view field, int most) const;
  /// The same from 0 on, or `otherwise` if the field is missing or null.
  int number_or(std::string_view field, int otherwise) const;
  /// `head_dim`, or what width and heads give.
  std::optional<int> head_size() const;
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

/// Which part of each head turns, where a family's models differ in it.
struct RopePart {
  std::string_view field = {};  // beside "partial_rotary_factor"; empty: all of it does
  double usual = 1;
};

/// `rope_scaling` of older files, `rope_parameters` of newer ones: base, scaling and part of RoPE.
/// Others than plain, linear and llama3 are unsupported.
void read_rope(const Config& config, Settings& settings, const RopePart& part = {});

/// What bends the hidden numbers, by the names that transformers has for it; silu where nothing is
/// said. Others are unsupported.
void read_activation(const Config& config, std::string_view field, Settings& settings);

/// The text of a fact for each layer ("2@0,1/4@2"), from one text for each.
std::string by_layer(const std::vector<std::string>& texts);

/// Lists with an entry for each layer: KV heads (`num_key_value_heads` or
/// `num_key_value_heads_per_layer`), and whether it has RoPE (`no_rope_layers`, where 0 means
/// none). Throws bad_input for other entries.
void read_layer_lists(const Config& config, Settings& settings);

/// Throws bad_input if a list for all layers has not as many entries as there are layers.
void check_layer_lists(const Config& config, const ModelSpec& spec);
bool is_layer_list(std::string_view field);

/// Which layers have the window, unless `layer_types` says it.
enum class Sliding {
  all,
  even,
  late,          // from `max_window_layers` on
  without_rope,  // by `no_rope_layers`
  mostly,        // all but every sixth, or what `sliding_window_pattern` says
};
struct WindowRule {
  Sliding where = Sliding::all;
  int usual = 0;           // the window of a file that has no `sliding_window`
  bool on_demand = false;  // only with `use_sliding_window`
};
/// Whether each layer has it, whatever the window.
std::vector<bool> sliding_layers(const Config& config, Sliding where);

/// `sliding_window`. Kinds of layers that are neither full nor sliding are unsupported.
void read_windows(const Config& config, const WindowRule& rule, Settings& settings);

/// GPT-Neo's `attention_layers` ("global" or "local") or `attention_types`, and `window_size`.
void read_local_attention(const Config& config, int usual_window, Settings& settings);

/// Windows as long as the context are none.
void drop_wide_windows(ModelSpec& spec);

/// The fields that the functions of this header understand.
bool is_common_field(std::string_view field);

/// Throws unsupported where a field that means another forward pass is set; `known` ones the family
/// reads itself.
void refuse_other_maths(const Config& config, std::initializer_list<std::string_view> known = {});

/// Throws unsupported where a field says that the weights are another program's codes.
void refuse_quantised(const Config& config);

/// Throws unsupported if attention has a window shorter than the context: for families that do not
/// tell which layers have it.
void refuse_window(const Config& config, const ModelSpec& spec);

/// Layers and hidden width, of models whose layers are all dense and alike. Throws bad_input if the
/// tensors show others.
void check_dense_sizes(const Config& config, ModelSpec& spec);

}  // namespace sb3lm
