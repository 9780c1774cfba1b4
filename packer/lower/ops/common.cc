#include "lower/ops/common.h"

#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

CommonBlocks::CommonBlocks(Sprite& engine, const Workspace& w, const ExpBlocks& exp,
                           const Layout& layout)
    : engine_(engine), w_(w), exp_(exp), layout_(layout), matrices_(engine, w, layout) {}

const AddProc& CommonBlocks::add() {
  if (!add_) add_ = emit_add(engine_, w_);
  return *add_;
}

const Proc<Num, Num, Num>& CommonBlocks::add_numbers() {
  if (!add_numbers_) add_numbers_ = emit_add_numbers(engine_, w_);
  return *add_numbers_;
}

const CapProc& CommonBlocks::cap(double cap) {
  const auto known = caps_.find(cap);
  if (known != caps_.end()) return known->second;
  if (!tanh_) tanh_ = emit_tanh(engine_, w_, exp_);
  const std::string name = fmt::format("cap {}", caps_.size() + 1);
  return caps_.emplace(cap, emit_cap(engine_, w_, *tanh_, cap, name)).first->second;
}

const List<Num>& CommonBlocks::tokens() {
  if (!tokens_) {
    tokens_ = engine_.list<Num>("_tokens", {}, static_cast<std::size_t>(layout_.context));
  }
  return *tokens_;
}

void CommonBlocks::clear(Script& s, int first, int count) {
  if (!clear_) {
    const auto at = engine_.var<Num>("_clear at");
    clear_ = engine_.define<Num, Num>("clear", {"at", "count"},
                                      [&](Script& s, Arg<Num> first, Arg<Num> count) {
                                        s.set(at, first + 0);
                                        s.repeat(count, [&](Script& s) {
                                          s.replace(w_.act, at, 0);
                                          s.change(at, 1);
                                        });
                                      });
  }
  s.call(*clear_, first, count);
}

const Proc<Num, Num, Num>& CommonBlocks::gate(Activation activation) {
  const auto known = gates_.find(activation);
  if (known != gates_.end()) return known->second;
  return gates_.emplace(activation, emit_gate(engine_, w_, exp_, activation)).first->second;
}

const Proc<Num, Num>& CommonBlocks::activate(Activation activation) {
  const auto known = plain_.find(activation);
  if (known != plain_.end()) return known->second;
  return plain_.emplace(activation, emit_activate(engine_, w_, exp_, activation)).first->second;
}

Expr<Num> Places::codes_of(const TensorPlace& m) const {
  if (codes_at_ == nullptr) return static_cast<double>(m.codes_at);
  return *codes_at_ + static_cast<double>(m.codes_at - begin_.codes_at);
}

Expr<Num> Places::scales_of(const TensorPlace& m) const {
  if (scales_at_ == nullptr) return static_cast<double>(m.scales_at);
  return *scales_at_ + static_cast<double>(m.scales_at - begin_.scales_at);
}

}  // namespace sb3lm
