#include "quant/recipe.h"

#include <algorithm>

#include "base/error.h"
#include "base/half.h"
#include "model/kept_tokens.h"
#include "model/passes.h"
#include "quant/gptq.h"
#include "quant/rtn.h"

namespace sb3lm {
namespace {

constexpr int kMantissaBits = 10;
constexpr unsigned kInfinity = 0x7c00;

CodedTensor to_nearest(const TensorKey&, const FloatTensor& floats, int bits) {
  return quantise_rows(floats, bits);
}

void quantise_one(const TensorKey& key, Tensor& tensor, int bits, const QuantiseMatrix& quantise) {
  if (const auto* floats = std::get_if<FloatTensor>(&tensor)) {
    require_scales(key, *floats, bits);
    tensor = quantise(key, *floats, bits);
    return;
  }
  const auto& coded = std::get<CodedTensor>(tensor);
  if (bits > coded.format.bits) {
    fail(Fault::unsupported, "{}: it has {} bits, and {} would not bring back what is lost",
         tensor_key_text(key), coded.format.bits, bits);
  }
  if (bits < coded.format.bits) tensor = quantise(key, floats_of(coded), bits);
}

void quantise_planned(Model& model, const std::map<TensorKey, int>& plan,
                      const QuantiseMatrix& quantise) {
  for (const auto& [wanted, bits] : plan) {
    if (bits < 1 || bits > kMostBits) {
      fail(Fault::usage, "{}: {} bits are outside 1..{}", tensor_key_text(wanted), bits, kMostBits);
    }
    bool found = false;
    for (auto& [key, tensor] : model.tensors) {
      const bool all_experts = wanted.expert < 0 && key.expert >= 0 && key.role == wanted.role &&
                               key.layer == wanted.layer;
      if (key != wanted && !all_experts) continue;
      if (is_vector(key.role)) {
        fail(Fault::unsupported, "{}: it is no matrix and has no width", tensor_key_text(key));
      }
      quantise_one(key, tensor, bits, quantise);
      found = true;
    }
    if (!found) fail(Fault::bad_input, "{}: the model has no such tensor", tensor_key_text(wanted));
  }
}

void quantise_routers(Model& model, int bits) {
  if (bits < 2 || bits > kMostBits) {
    fail(Fault::usage, "--router-bits {}: 2 to {}", bits, kMostBits);
  }
  for (auto& [key, tensor] : model.tensors) {
    if (is_router(key.role)) quantise_one(key, tensor, bits, to_nearest);
  }
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

bool is_float_matrix(const TensorKey& key, const Tensor& tensor) {
  return std::holds_alternative<FloatTensor>(tensor) && !is_vector(key.role) &&
         !is_router(key.role);
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

bool wants_calibration(const Model& model, const Recipe& recipe) {
  if (recipe.quantiser != Quantiser::gptq) return false;
  if (!recipe.bits.empty()) return true;
  const bool stays = recipe.float_bits.value_or(kUsualBits) == kStayFloats;
  return !stays && std::any_of(model.tensors.begin(), model.tensors.end(), [](const auto& entry) {
    return is_float_matrix(entry.first, entry.second);
  });
}

void apply_recipe(Model& model, const Recipe& recipe, const Calibration& calibration) {
  if (recipe.keep.any()) keep_tokens(model, chosen_tokens(model, recipe.keep));
  if (!recipe.passes.empty()) take_passes(model, recipe.passes);
  QuantiseMatrix quantise = to_nearest;
  if (wants_calibration(model, recipe)) {
    quantise = quantiser_for(model.spec, calibration);
    model.quantiser = Quantiser::gptq;
  }
  quantise_planned(model, recipe.bits, quantise);
  if (recipe.router_bits != 0) quantise_routers(model, recipe.router_bits);
  const int float_bits = recipe.float_bits.value_or(kUsualBits);
  const double moved =
      float_bits == kStayFloats ? 0 : quantise_matrices(model, float_bits, quantise);
  if (!model.source.blocks.empty()) model.notes.push_back(blocks_note(model, float_bits, moved));
  if (recipe.scale_bits != 0) round_scales(model, recipe.scale_bits);
  model.rounding = {.scale_bits = recipe.scale_bits, .router_bits = recipe.router_bits};
}

}  // namespace sb3lm
