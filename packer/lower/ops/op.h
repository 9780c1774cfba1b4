// What each operation of packer/model/ops.def is in blocks: one file each, found by its name.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "lower/layout.h"
#include "lower/ops/common.h"

namespace sb3lm {

/// Where the weights and the state of the part lie that is being emitted: in a procedure that
/// several parts share, counted from where its arguments say that they begin.
class Places {
 public:
  /// Of a procedure for one part only.
  Places() = default;
  /// The arguments must outlive this.
  Places(Begin begin, const blocks::Arg<blocks::Num>& codes_at,
         const blocks::Arg<blocks::Num>& scales_at, const blocks::Arg<blocks::Num>& cache_at)
      : begin_(begin), codes_at_(&codes_at), scales_at_(&scales_at), cache_at_(&cache_at) {}
  /// Of the procedure that begins a token.
  explicit Places(const blocks::Arg<blocks::Num>& token) : token_(&token) {}

  blocks::Expr<blocks::Num> codes_of(const TensorPlace& m) const;
  blocks::Expr<blocks::Num> scales_of(const TensorPlace& m) const;
  const blocks::Arg<blocks::Num>& cache_at() const { return *cache_at_; }
  const blocks::Arg<blocks::Num>& token() const { return *token_; }

 private:
  Begin begin_;
  const blocks::Arg<blocks::Num>*codes_at_ = nullptr, *scales_at_ = nullptr, *cache_at_ = nullptr,
        *token_ = nullptr;
};

/// The blocks of one operation, wherever it occurs.
class OpBlocks {
 public:
  explicit OpBlocks(CommonBlocks& common) : common_(common), layout_(common.layout()) {}
  virtual ~OpBlocks() = default;
  OpBlocks(const OpBlocks&) = delete;
  OpBlocks& operator=(const OpBlocks&) = delete;

  /// Defines the procedures that the step needs, before one that holds it is begun.
  virtual void prepare(const Step& /*step*/) {}
  /// What is done once at the beginning of each token.
  virtual void start_token(blocks::Script& /*s*/) const {}
  virtual void emit(blocks::Script& s, const Step& step, const Places& places) = 0;

 protected:
  int at(SlotId slot) const { return layout_.act.of(slot); }

  CommonBlocks& common_;
  const Layout& layout_;
};

/// One thing made for each key, numbered from 1.
template <class Key, class Made>
class OneEach {
 public:
  template <class Emit>
  const Made& of(const Key& key, Emit emit) {
    for (const auto& [known, made] : made_) {
      if (known == key) return made;
    }
    return made_.emplace_back(key, emit(std::to_string(made_.size() + 1))).second;
  }
  auto begin() const { return made_.begin(); }
  auto end() const { return made_.end(); }

 private:
  std::deque<std::pair<Key, Made>> made_;
};

#define OP(name, ...) std::unique_ptr<OpBlocks> make_##name##_blocks(CommonBlocks& common);
#include "model/ops.def"
#undef OP

}  // namespace sb3lm
