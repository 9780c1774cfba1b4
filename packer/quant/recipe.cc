#include "quant/recipe.h"

#include <algorithm>

#include "base/error.h"
#include "base/half.h"
#include "model/kept_tokens.h"
#include "model/passes.h"
#include "quant/rtn.h"

namespace sb3lm {
namespace {

constexpr int kMantissaBits = 10;
constexpr unsigned kInfinity = 0x7c00;

bool is_float_matrix(const TensorKey& key, const Tensor& tensor) {
  return std::holds_alternative<FloatTensor>(tensor) && !is_vector(key.role) &&
         !is_router(key.role);
}

/// What is coded with so many bits already stays out.
void add_width(const TensorKey& key, const Tensor& tensor, int bits, Widths& widths) {
  if (const auto* floats = std::get_if<FloatTensor>(&tensor)) {
    require_scales(key, *floats, bits);
    widths[key] = bits;
    return;
  }
  const int own = std::get<CodedTensor>(tensor).format.bits;
  if (bits > own) {
    fail(Fault::unsupported, "{}: it has {} bits, and {} would not bring back what is lost",
         tensor_key_text(key), own, bits);
  }
  if (bits < own) widths[key] = bits;
}

void add_planned(const Model& model, const std::map<TensorKey, int>& plan, Widths& widths) {
  for (const auto& [wanted, bits] : plan) {
    if (bits < 1 || bits > kMostBits) {
      fail(Fault::usage, "{}: {} bits are outside 1..{}", tensor_key_text(wanted), bits, kMostBits);
    }
    bool found = false;
    for (const auto& [key, tensor] : model.tensors) {
      const bool all_experts = wanted.expert < 0 && key.expert >= 0 && key.role == wanted.role &&
                               key.layer == wanted.layer;
      if (key != wanted && !all_experts) continue;
      if (is_vector(key.role)) {
        fail(Fault::unsupported, "{}: it is no matrix and has no width", tensor_key_text(key));
      }
      add_width(key, tensor, bits, widths);
      found = true;
    }
    if (!found) fail(Fault::bad_input, "{}: the model has no such tensor", tensor_key_text(wanted));
  }
}

/// Planned ones, and for other float matrices the width of them all.
Widths widths_of(const Model& model, const Recipe& recipe) {
  Widths widths;
  add_planned(model, recipe.bits, widths);
  const int float_bits = recipe.float_bits.value_or(kUsualBits);
  if (float_bits == kStayFloats) return widths;
  for (const auto& [key, tensor] : model.tensors) {
    if (!is_float_matrix(key, tensor) || widths.contains(key)) continue;
    add_width(key, tensor, float_bits, widths);
  }
  return widths;
}

Quantiser quantiser_for(const Model& model, const Recipe& recipe, const Widths& widths) {
  if (widths.empty()) return Quantiser::nearest;
  if (recipe.quantiser) return *recipe.quantiser;
  const bool narrows = std::any_of(widths.begin(), widths.end(), [&](const auto& entry) {
    return entry.second < kUsualBits && is_float_matrix(entry.first, model.at(entry.first));
  });
  return narrows && weight_count(model.spec) <= kMostForGptq ? Quantiser::gptq : Quantiser::nearest;
}

void quantise_routers(Model& model, int bits) {
  if (bits < 2 || bits > kMostBits) {
    fail(Fault::usage, "--router-bits {}: 2 to {}", bits, kMostBits);
  }
  Widths widths;
  for (const auto& [key, tensor] : model.tensors) {
    if (is_router(key.role)) add_width(key, tensor, bits, widths);
  }
  round_to_nearest(model, widths);
}

void round_numbers(FloatTensor& vector, int bits) {
  std::vector<float> rounded;
  for (const float value : vector.values) {
    const double exact = half_to_double(half_from_double(value));
    if (!std::isfinite(exact)) return;  // beyond binary16: it stays what it is
    rounded.push_back(
        static_cast<float>(half_to_double(round_mantissa(half_from_double(value), bits))));
  }
  vector = {.shape = vector.shape, .type = FloatType::f16, .values = std::move(rounded)};
}

void round_scales(Model& model, int bits) {
  if (bits < 1 || bits >= kMantissaBits) {
    fail(Fault::usage, "--round-scales {}: 1 to {} of the {} mantissa bits", bits,
         kMantissaBits - 1, kMantissaBits);
  }
  for (auto& [key, tensor] : model.tensors) {
    if (auto* coded = std::get_if<CodedTensor>(&tensor)) {
      for (std::uint16_t& scale : coded->row_scale) scale = round_mantissa(scale, bits);
    } else if (is_vector(key.role)) {
      round_numbers(std::get<FloatTensor>(tensor), bits);
    }
  }
}

/// Codes with scales for a few weights each become ones with a scale for each row.
std::string blocks_note(const Model& model, int bits, double moved) {
  std::string note =
      fmt::format("the checkpoint's matrices are {}, and were read as floats", model.source.blocks);
  if (bits == kStayFloats) return note;
  return note + fmt::format(
                    "; rounding them to {} bits with a scale for each row moves weights by "
                    "{:.2g} % (root mean square)",
                    bits, 100 * moved);
}

}  // namespace

void require_use(const Model& model, const Recipe& recipe) {
  const auto has = [&](auto is_it) {
    return std::any_of(model.tensors.begin(), model.tensors.end(),
                       [&](const auto& entry) { return is_it(entry.first, entry.second); });
  };
  if (recipe.float_bits.value_or(kStayFloats) != kStayFloats && !has(is_float_matrix)) {
    fail(Fault::usage, "--bits {}: the model has no float matrices; --plan takes bits from codes",
         *recipe.float_bits);
  }
  const auto is_any_router = [](const TensorKey& key, const Tensor&) {
    return is_router(key.role);
  };
  if (recipe.router_bits != 0 && !has(is_any_router)) {
    fail(Fault::usage, "--router-bits {}: the model has no routers", recipe.router_bits);
  }
}

std::uint16_t round_mantissa(std::uint16_t half, int bits) {
  const unsigned dropped = static_cast<unsigned>(kMantissaBits - bits);
  const unsigned sign = half & 0x8000u, size = half & 0x7fffu;
  if (size >= kInfinity || dropped == 0) return half;
  // A carry out of the mantissa raises the exponent, which is what rounding up means there.
  const unsigned step = 1u << dropped;
  unsigned rounded = (size + step / 2 - 1 + (size >> dropped & 1u)) / step * step;
  if (rounded >= kInfinity) rounded -= step;
  return static_cast<std::uint16_t>(sign | rounded);
}

Quantiser quantiser_of(const Model& model, const Recipe& recipe) {
  return quantiser_for(model, recipe, widths_of(model, recipe));
}

void apply_recipe(Model& model, const Recipe& recipe, const RoundMatrices& gptq) {
  if (!recipe.passes.empty()) take_passes(model, recipe.passes);
  const Widths widths = widths_of(model, recipe);
  const bool from_blocks = !model.source.blocks.empty();
  const std::map<TensorKey, Tensor> before = from_blocks ? model.tensors : decltype(before){};
  if (!widths.empty()) model.quantiser = quantiser_for(model, recipe, widths);
  if (model.quantiser == Quantiser::gptq && !widths.empty()) {
    check(gptq != nullptr, "a recipe that asks for gptq was carried out without it");
    gptq(model, widths);
  } else {
    round_to_nearest(model, widths);
  }
  if (recipe.router_bits != 0) quantise_routers(model, recipe.router_bits);
  const int float_bits = recipe.float_bits.value_or(kUsualBits);
  if (float_bits != kStayFloats) halve_vectors(model);
  if (from_blocks) {
    model.notes.push_back(blocks_note(model, float_bits, moved_share(before, model)));
  }
  if (recipe.scale_bits != 0) round_scales(model, recipe.scale_bits);
  model.rounding = {.scale_bits = recipe.scale_bits, .router_bits = recipe.router_bits};
  // Last, so that the others' codes do not depend on it: gptq has the model write a text.
  if (recipe.keep.any()) keep_tokens(model, chosen_tokens(model, recipe.keep));
}

}  // namespace sb3lm
