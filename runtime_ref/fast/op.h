// What an operation of packer/model/ops.def is to the fast engine: a function that binds a step to
// its weights and vectors, once, and gives back what runs it for many tokens.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "model/steps.h"

namespace sb3lm::fast {

/// Numbers of tokens of a batch, ascending.
using Tokens = std::span<const std::size_t>;

/// Tokens that run together, at positions `position`, `position` + 1 and so on.
struct Batch {
  std::span<const int> ids;
  std::size_t position = 0;
  std::array<int, 2> before = {-1, -1};  // the tokens before them, the last one first; -1 for none
  Tokens all;                            // in a row
  Tokens wanted;                         // the last of them: those whose logits are asked for

  Tokens those(bool for_all) const { return for_all ? all : wanted; }
  /// The token `back` before token t, at most two before the first; -1 where there is none.
  int token(std::size_t t, int back) const {
    const std::size_t far = static_cast<std::size_t>(back);
    return far <= t ? ids[t - far] : before[far - t - 1];
  }
};

class BoundStep {
 public:
  BoundStep() = default;
  BoundStep(const BoundStep&) = delete;
  BoundStep& operator=(const BoundStep&) = delete;
  virtual ~BoundStep() = default;

  /// Of the batch, for `tokens`: one at least. Does not throw but for want of memory.
  virtual void run(const Batch& batch, Tokens tokens) = 0;
};

/// A step and what its part says about it.
struct Place {
  const Step* step = nullptr;  // outlives what is bound
  bool for_all = false;        // later tokens need it of tokens whose logits nobody wants, too
  bool prepares = false;       // it makes the fixed-point forms of in[0], of all tokens it gets
  std::vector<Place> along;  // matrices of the same vector that run with it, from their own places

  bool runs_for_all() const {
    return for_all || std::any_of(along.begin(), along.end(),
                                  [](const Place& other) { return other.for_all; });
  }
};

class Binder;
using BindOp = std::unique_ptr<BoundStep>(const Place&, Binder&);

struct OpRow {
  StepOp op;
  BindOp* bind;
};
/// What the fast engine can do.
std::span<const OpRow> op_rows();

inline std::size_t size_of(int count) {
  return static_cast<std::size_t>(count);
}

}  // namespace sb3lm::fast
