// Float weights to codes such that what the matrix gives for its usual inputs changes least, one
// binary16 scale per row. After GPTQ (Frantar and others, arXiv 2210.17323): columns are rounded
// one after the other, those with the largest inputs first, and each error is made up for by the
// weights that are still to come.
#pragma once

#include <memory>
#include <optional>

#include "base/progress.h"
#include "model/model.h"
#include "quant/moments.h"
#include "quant/rtn.h"

namespace sb3lm {

/// With H the mean of x x^T over the inputs, plus a hundredth of its mean diagonal on the diagonal,
/// each row w gets codes q and a scale s with a small (w - s q)^T H (w - s q):
///  1. where inputs should have been others, w moves half the way to what makes up for that best
///     (asymmetric calibration: Li and others, arXiv 2504.02692);
///  2. s from clip factors, by the errors that H's diagonal weights;
///  3. GPTQ's pass;
///  4. in turns, single codes changed as long as that helps, and the best s for the codes.
class RowsRounder {
 public:
  explicit RowsRounder(const InputMoments& moments);
  ~RowsRounder();
  RowsRounder(RowsRounder&&) noexcept;

  /// `threads` 0: one per processor; the codes do not depend on it.
  CodedTensor round(const FloatTensor& tensor, int bits, int threads) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// The inputs that a matrix is rounded for: what the calibration has, but
///  - an expert with fewer inputs than columns takes those of all experts of its layer;
///  - a tied embedding is a table as well as the head: as much as the head's inputs counts that its
///    rows stay what they are;
///  - what nothing was multiplied with (tables) has none, and is rounded to the nearest level.
std::optional<InputMoments> moments_of(const TensorKey& key, const Calibration& calibration,
                                       const Shape& shape, const ModelSpec& spec);

/// Each of these matrices for its inputs by moments_of.
void round_for(Model& model, const Widths& widths, const Calibration& calibration);

/// The error that is left, as a share of w^T H w, summed over rows.
double output_error(const FloatTensor& tensor, const CodedTensor& coded,
                    const InputMoments& moments);

}  // namespace sb3lm
