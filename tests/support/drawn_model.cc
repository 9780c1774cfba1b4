#include "support/drawn_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <variant>

#include "base/error.h"
#include "base/half.h"
#include "model/spec_fields.h"
#include "model/spec_json.h"
#include "support/random_model.h"

namespace sb3lm::test {
namespace {

// Where a field's own range is too wide for a small model that is often valid, or for numbers that
// stay exact: a cap far below the logits makes much of what rounding leaves of them. Other whole
// numbers are at most kStep above the lowest one.
struct Hint {
  std::string_view key;
  double low, high;
  int step = 1;
};
constexpr Hint kHints[] = {
    {"width", 8, 48},
    {"vocabulary", 20, 64},
    {"context", 20, 40},
    {"query_heads", 1, 6},
    {"kv_heads", 1, 3},
    {"head_size", 3, 16},
    {"dims", 0, 8, 2},
    {"hidden", 1, 40},
    {"shared_hidden", 0, 24},
    {"routed_experts", 0, 5},
    {"top_k", 0, 3},
    {"layers", 1, 3},
    {"passes", 1, 4},
    {"logit_cap", 0.25, 50},
    {"norm_factor", 0.1, 4},
    {"bigram_width", 1, 24},
    {"bigram_buckets", 0, 40},
    {"value_width", 0, 24},
    {"learned_positions", 20, 60},
    {"embedding_scale", 0.1, 30},
    {"score_scale", 0.05, 2},
    {"score_cap", 0.25, 50},
    {"scaling_factor", 1, 40},
    {"low_frequency", 0.05, 2},
    {"high_frequency", 0.1, 8},
    {"original_positions", 1, 64},
};
constexpr int kStep = 7;

// Of a layer before the whole description is drawn again, and of that.
constexpr int kLayerTries = 1000, kTries = 100;
// Of a number that is to be another one than the default.
constexpr int kOtherTries = 10;

const Hint* hint_of(std::string_view key) {
  const auto found = std::find_if(std::begin(kHints), std::end(kHints),
                                  [&](const Hint& hint) { return hint.key == key; });
  return found == std::end(kHints) ? nullptr : found;
}

std::size_t below(Random& random, std::size_t count) {
  return static_cast<std::size_t>(random.bits() >> 32) % count;
}
int between(Random& random, int low, int high) {
  return low + static_cast<int>(below(random, static_cast<std::size_t>(high - low) + 1));
}
bool coin(Random& random) {
  return below(random, 2) == 0;
}

template <class Enum>
Enum any_of(Random& random) {
  const auto& names = names_of(Enum());
  return names[below(random, names.size())].first;
}

bool is_valid(const ModelSpec& spec) {
  try {
    spec.validate("drawn");
  } catch (const Error&) {
    return false;
  }
  return true;
}

class SpecDrawer {
 public:
  explicit SpecDrawer(Random& random) : random_(random) {}

  ModelSpec draw() {
    for (int i = 0; i < kTries; ++i) {
      ModelSpec spec;
      draw_part(spec);
      for (LayerSpec& layer : spec.layers) draw_layer(spec, layer);
      run_every_layer(spec);
      if (is_valid(spec)) return spec;
    }
    fail(Fault::bug, "drawn models: none of {} is valid; a field needs a hint", kTries);
  }

 private:
  template <SpecPart Part>
  void draw_part(Part& part) {
    each_field(part, [&](const auto& field, auto& value, const auto& usual) {
      draw_field(field.key, field.range, value, usual);
    });
  }

  template <class T>
  void draw_field(std::string_view key, const Range& range, T& value, const T& usual) {
    if constexpr (SpecPart<T>) {
      draw_part(value);
    } else if constexpr (std::is_same_v<T, bool>) {
      value = coin(random_);
    } else if constexpr (std::is_enum_v<T>) {
      value = any_of<T>(random_);
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (coin(random_)) value = "drawn \"\xc3\xa9\"";
    } else if constexpr (std::is_arithmetic_v<T>) {
      if (usual >= range.low && usual <= range.high && coin(random_)) return;
      for (int i = 0; i < kOtherTries && value == usual; ++i) number(key, range, value);
    } else {  // a list; what is in it follows
      int size = 0;
      number(key, range, size);
      value.resize(static_cast<std::size_t>(size));
    }
  }

  void number(std::string_view key, const Range& range, int& value) {
    const Hint* hint = hint_of(key);
    const Hint from =
        hint != nullptr ? *hint : Hint{key, range.low, std::min(range.high, range.low + kStep)};
    const int low = static_cast<int>(from.low), high = static_cast<int>(from.high);
    value = low + from.step * between(random_, 0, (high - low) / from.step);
  }

  // All orders of size alike, and sometimes the very ends.
  void number(std::string_view key, const Range& range, double& value) {
    const Hint* hint = hint_of(key);
    const std::size_t end = below(random_, 12);
    if (hint == nullptr && end < 2) {
      value = end == 0 ? range.low : range.high;
      return;
    }
    const double low = hint != nullptr ? hint->low : std::max(range.low, 1e-6);
    const double high = hint != nullptr ? hint->high : std::min(range.high, 1e6);
    value = std::clamp(low * std::pow(high / low, random_.uniform()), low, high);
  }

  // Until it is valid by itself, beside the model's own fields.
  void draw_layer(const ModelSpec& spec, LayerSpec& layer) {
    ModelSpec alone = spec;
    alone.passes = {0};
    for (int i = 0; i < kLayerTries; ++i) {
      layer = {};
      draw_part(layer);
      alone.layers = {layer};
      if (is_valid(alone)) return;
    }
  }

  void run_every_layer(ModelSpec& spec) {
    const std::size_t layers = spec.layers.size();
    std::vector<int>& passes = spec.passes;
    passes.resize(std::max(passes.size(), layers));
    std::iota(passes.begin(), passes.end(), 0);
    for (std::size_t i = layers; i < passes.size(); ++i) {
      passes[i] = static_cast<int>(below(random_, layers));
    }
    for (std::size_t i = passes.size(); i > 1; --i) {
      std::swap(passes[i - 1], passes[below(random_, i)]);
    }
  }

  Random& random_;
};

// How a tensor is stored: as floats, or as codes of so many bits.
using Stored = std::variant<FloatType, int>;
constexpr FloatType kFloatTypes[] = {FloatType::f32, FloatType::f16, FloatType::bf16};
constexpr double kDeviation = 0.125;  // of weights

Stored any_float(Random& random) {
  return kFloatTypes[below(random, std::size(kFloatTypes))];
}

CodedTensor draw_codes(Random& random, Shape shape, int bits) {
  CodedTensor tensor = random_codes(random, shape, bits);
  // As large as the floats, whatever the width.
  const double factor = std::ldexp(1, bits == 1 ? 2 : 4 - bits);
  for (std::uint16_t& scale : tensor.row_scale) {
    scale = half_from_double(half_to_double(scale) * factor);
  }
  return tensor;
}

Tensor draw_tensor(Random& random, RoleKind kind, Shape shape, const Stored& stored) {
  if (const int* bits = std::get_if<int>(&stored)) return draw_codes(random, shape, *bits);
  const Spread spread{kind == RoleKind::norm ? 1.0 : 0.0, kDeviation};
  return random_floats(random, shape, std::get<FloatType>(stored), spread);
}

// The storage of each role, or of each tensor by itself.
void draw_tensors(Random& random, const CodeEncoding& encoding, Model& model) {
  std::vector<int> widths;
  for (int bits = 1; bits <= 8; ++bits) {
    if (encoding.streams(bits) > 0) widths.push_back(bits);
  }
  const bool by_role = coin(random);
  std::map<Role, Stored> stored;
  for (const auto& [key, shape] : expected_tensors(model.spec)) {
    const bool floats = is_vector(key.role) || below(random, 4) == 0;
    const Stored fresh = floats ? any_float(random) : Stored(widths[below(random, widths.size())]);
    const Stored& known = stored.try_emplace(key.role, fresh).first->second;
    model.tensors[key] = draw_tensor(random, about(key.role).kind, shape, by_role ? known : fresh);
  }
}

// Each kernel with what it can be had with; `range` is made for players that do not compile.
LowerOptions draw_options(Random& random) {
  LowerOptions options{.tune = any_of<Tune>(random), .version = "test", .chat_ui = false};
  const std::size_t kernel = below(random, 8);
  if (kernel == 0) {
    options.kernel = Kernel::naive;
    options.encoding = "hex";
  } else if (kernel <= 2) {
    options.kernel = Kernel::columns;
    options.encoding = "range";
    options.tune = Tune::scratch;
  } else {
    const auto encodings = code_encodings();
    do {
      options.encoding = std::string(encodings[below(random, encodings.size())].name);
    } while (options.encoding.usual == "range" && options.tune != Tune::scratch);
  }
  return options;
}

}  // namespace

DrawnModel draw_model(std::uint64_t seed) {
  Random random(seed);
  DrawnModel drawn{.seed = seed,
                   .model = {.spec = SpecDrawer(random).draw()},
                   .request = {.lower = draw_options(random), .bits = {}, .deflate_level = 1}};
  draw_tensors(random, code_encoding(drawn.request.lower.encoding.usual), drawn.model);
  return drawn;
}

std::string storage_name(const Tensor& tensor) {
  if (const auto* coded = std::get_if<CodedTensor>(&tensor)) {
    return fmt::format("{} bits", coded->format.bits);
  }
  const FloatType type = std::get<FloatTensor>(tensor).type;
  return type == FloatType::f32 ? "f32" : type == FloatType::f16 ? "f16" : "bf16";
}

std::string about_drawn(const DrawnModel& drawn) {
  std::string stored;
  for (const auto& [key, tensor] : drawn.model.tensors) {
    stored += fmt::format("{}: {}\n", tensor_key_text(key), storage_name(tensor));
  }
  const LowerOptions& options = drawn.request.lower;
  return fmt::format("SB3LM_DRAWN_SEED={} draws this model again:\n{}\n{}, {}, {}\n{}", drawn.seed,
                     spec_to_json(drawn.model.spec), enum_name(options.kernel),
                     enum_name(options.tune), options.encoding.usual, stored);
}

}  // namespace sb3lm::test
