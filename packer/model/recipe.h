// What building does to a checkpoint's numbers before they are packed, and what that changed.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/enum_names.h"
#include "model/tensor.h"

namespace sb3lm {

/// Width of float matrices, 1 to kMostBits, or kStayFloats; nothing: not said, which means
/// kUsualBits.
using FloatBits = std::optional<int>;
inline constexpr int kMostBits = 8, kUsualBits = 8, kStayFloats = 0;
/// As --bits and files have it: "4", "float", or empty; nothing if it is none of these.
std::optional<FloatBits> float_bits_from_text(std::string_view text);
std::string float_bits_text(FloatBits bits);

/// Which tokens stay, where not all do (model/kept_tokens.h); one of these is set.
struct TokenChoice {
  std::string text;      // those that become of it
  int most = 0;          // so many at most, those that merge first
  std::vector<int> ids;  // these
  bool any() const { return !text.empty() || most > 0 || !ids.empty(); }
};

/// How float matrices become codes: each weight to the nearest level (quant/rtn.h), or such that
/// what a matrix gives for its usual inputs changes least (quant/gptq.h).
enum class Quantiser { nearest, gptq };
inline constexpr std::array<EnumNames<Quantiser>, 2> kQuantisers{
    {{Quantiser::nearest, "rtn"}, {Quantiser::gptq, "gptq"}}};
constexpr const auto& names_of(Quantiser) {
  return kQuantisers;
}

struct Recipe {
  TokenChoice keep;
  std::vector<int> passes;  // layers in running order (model/passes.h); empty: as they are
  std::optional<Quantiser> quantiser;  // nothing: by quant/recipe.h's rule
  FloatBits float_bits;
  std::map<TensorKey, int> bits;  // of single matrices, 1 to 8; expert -1: all experts of a layer
  int scale_bits = 0;   // mantissa bits that row scales, norms and biases keep, 1 to 9; 0: all
  int router_bits = 0;  // routers as codes of this width, 2 to 8; 0: as numbers
};

/// The same tokens before and after a change of the weights.
struct ModelChange {
  int tokens = 0;
  double logits = 0;  // largest difference, relative to the largest logit of its position
  // exp of the mean -log p of all tokens but the first; 0 where the tokens are no text.
  double perplexity_before = 0;
  double perplexity_after = 0;
};

/// The roundings that a model has gone through on request.
struct Rounding {
  int scale_bits = 0;
  int router_bits = 0;
  std::optional<ModelChange> change;  // where it was measured
  bool any() const { return scale_bits != 0 || router_bits != 0; }
};

}  // namespace sb3lm
