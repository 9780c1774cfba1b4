#include "report/load_estimate.h"

#include <string_view>

#include "quant/encoding.h"

namespace sb3lm {
namespace {

struct Cost {
  std::string_view encoding;
  int bits;
  double turbowarp_ns, scratch_ns;  // per group of eight weights
};

#define LOAD_COST(encoding, bits, turbowarp, scratch) {encoding, bits, turbowarp, scratch},
#define LOAD_START(turbowarp, scratch)
constexpr Cost kCosts[] = {
#include "report/load_cost.def"
};
#undef LOAD_COST
#undef LOAD_START
#define LOAD_COST(encoding, bits, turbowarp, scratch)
#define LOAD_START(turbowarp, scratch) \
  { turbowarp, scratch }
// What passes before the first weight and while warming up, in seconds.
constexpr LoadEstimate kStart =
#include "report/load_cost.def"
    ;
#undef LOAD_COST
#undef LOAD_START

const Cost* find_cost(const UnpackedTensor& tensor) {
  for (const Cost& cost : kCosts) {
    if (cost.encoding == tensor.encoding && cost.bits == tensor.bits) return &cost;
  }
  return nullptr;
}

}  // namespace

std::optional<LoadEstimate> estimate_load(const Unpacked& unpacked) {
  if (unpacked.kernel != Kernel::tables) return std::nullopt;
  LoadEstimate sum = kStart;
  for (const UnpackedTensor& tensor : unpacked.tensors) {
    if (tensor.bits == 0) continue;  // numbers are few, or preloaded
    const Cost* cost = find_cost(tensor);
    if (cost == nullptr) return std::nullopt;
    const double groups =
        static_cast<double>(tensor.shape.rows) * group_count(tensor.shape.cols) * 1e-9;
    sum.turbowarp += groups * cost->turbowarp_ns;
    sum.scratch += groups * cost->scratch_ns;
  }
  return sum;
}

}  // namespace sb3lm
