// What we know of published models that their files do not say, found by shape.
#pragma once

#include <string_view>

#include "import/settings.h"
#include "model/model.h"

namespace sb3lm {

struct ModelShape {
  int width = 0;
  int vocabulary = 0;
  int query_rows = 0;
  int kv_rows = 0;
  int routed_experts = 0;
  bool operator==(const ModelShape&) const = default;
};

struct ModelPreset {
  std::string_view family;
  ModelShape shape;
  std::string_view heads, kv_heads, head_size, top_k, context;
  std::string_view chat;  // as read_chat_template reads it
  double temperature;
  int top_k_sampling;
  double top_p;
  double repetition_penalty;
  std::string_view licence;
};

/// Null if no published model has this shape.
const ModelPreset* find_preset(const ModelShape& shape);

void apply_preset(const ModelPreset& preset, Settings& settings);
void apply_preset(const ModelPreset& preset, Model& model);

}  // namespace sb3lm
