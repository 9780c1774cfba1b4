#include "lower/forward.h"

#include <algorithm>
#include <optional>

#include "lower/ops/op.h"
#include "lower/passes/stretches.h"
#include "lower/passes/tables.h"

namespace sb3lm {

using namespace blocks;

namespace {

using PartProc = Proc<Num, Num, Num>;  // codes at, scales at, cache at

// What a part of a pass is called by: all of it, and what later tokens need of it.
struct PartProcs {
  std::optional<PartProc> whole, needed;
  bool operator==(const PartProcs& other) const {
    const auto same = [](const auto& a, const auto& b) {
      return a.has_value() == b.has_value() && (!a || a->code == b->code);
    };
    return same(whole, other.whole) && same(needed, other.needed);
  }
};

class ForwardEmitter {
 public:
  ForwardEmitter(Sprite& engine, const Workspace& w, const ExpBlocks& exp, const Layout& layout)
      : engine_(engine),
        w_(w),
        layout_(layout),
        forward_(layout.forward),
        common_(engine, w, exp, layout) {
#define OP(name, ...) ops_.push_back(make_##name##_blocks(common_));
#include "model/ops.def"
#undef OP
  }

  ForwardBlocks emit() {
    emit_parts();
    const auto embed = engine_.define<Num>("embed token", {"id"}, [&](Script& s, Arg<Num> id) {
      if (common_.has_tokens()) s.replace(common_.tokens(), w_.position + 1, id + 0);
      emit_steps(s, forward_.parts.front(), Places(id));
    });
    ForwardBlocks made{.head = emit_head()};
    if (w_.tune != Tune::turbowarp) made.token_in_steps = emit_in_steps(embed);
    if (w_.tune != Tune::scratch) {
      made.token = emit_token("token", embed, &PartProcs::whole);
      made.prompt_token = emit_token("prompt token", embed, &PartProcs::needed);
    }
    return made;
  }

 private:
  OpBlocks& op(const Step& step) {
    return *ops_[static_cast<std::size_t>(step.op)];
  }

  // Which steps of a part are emitted.
  using Chosen = std::vector<bool>;

  void emit_parts() {
    const std::vector<std::size_t> first = first_alike(layout_);
    const std::vector<Chosen> needed = needed_later(forward_);
    procs_.resize(forward_.parts.size());
    for (std::size_t i = 0; i < forward_.parts.size(); ++i) {
      const Part& part = forward_.parts[i];
      for (const Step& step : part.steps) op(step).prepare(step);
      if (part.pass < 0) continue;
      if (first[i] == i) {
        const std::string number = std::to_string(++kinds_[part.kind]);
        names_[i] = fmt::format("layer's {} {}", part.name, number);
        procs_[i].whole = define_part(part, names_[i], Chosen(part.steps.size(), true));
      } else {
        procs_[i].whole = procs_[first[i]].whole;
      }
      choose_needed(i, first[i], needed[i]);
    }
  }

  // What later tokens need of a part: nothing, all, or some of it.
  void choose_needed(std::size_t i, std::size_t first, const Chosen& needed) {
    const auto is_needed = [](bool step) { return step; };
    if (std::none_of(needed.begin(), needed.end(), is_needed)) return;
    if (std::all_of(needed.begin(), needed.end(), is_needed)) {
      procs_[i].needed = procs_[i].whole;
    } else {
      procs_[i].needed = define_part(forward_.parts[i], names_[first] + " keys", needed);
    }
  }

  PartProc define_part(const Part& part, const std::string& name, const Chosen& chosen) {
    return engine_.define<Num, Num, Num>(
        name, {"codes at", "scales at", "cache at"},
        [&](Script& s, Arg<Num> codes_at, Arg<Num> scales_at, Arg<Num> cache_at) {
          Part some = part;
          std::size_t i = 0;
          std::erase_if(some.steps, [&](const Step&) { return !chosen[i++]; });
          emit_steps(s, some, Places(begin_of(layout_, part), codes_at, scales_at, cache_at));
        });
  }

  void emit_steps(Script& s, const Part& part, const Places& places) {
    const std::vector<int> first = first_readers(part);
    const std::vector<const TensorPlace*> tables = tables_before(layout_, part);
    for (std::size_t i = 0; i < part.steps.size(); ++i) {
      const Step& step = part.steps[i];
      if (first[i] == static_cast<int>(i)) get_ready(s, step, tables[i]);
      op(step).emit(s, step, places);
    }
  }

  // Makes a vector fit to be multiplied.
  void get_ready(Script& s, const Step& step, const TensorPlace* table) {
    const SlotId in = step.in[0];
    const int at = layout_.act.of(in);
    if (layout_.act.changes[static_cast<std::size_t>(in)]) {
      common_.matrices().clear_padding(s, at, layout_.at(step.tensors[0]).shape.cols);
    }
    if (table != nullptr) common_.matrices().build_table(s, at, *table);
  }

  void run(Script& s, std::size_t part, const std::optional<PartProc>& proc) {
    if (!proc) return;
    const Begin begin = begin_of(layout_, forward_.parts[part]);
    const StateId state = state_of(forward_.parts[part]);
    s.call(*proc, static_cast<double>(begin.codes_at), static_cast<double>(begin.scales_at),
           state == kNoState ? 0.0 : static_cast<double>(layout_.state(state).at));
  }

  void start_token(Script& s, const Proc<Num>& embed, Arg<Num>& id) {
    s.call(embed, id);
    for (const auto& op : ops_) op->start_token(s);
  }

  Proc<Num> emit_token(const char* name, const Proc<Num>& embed,
                       std::optional<PartProc> PartProcs::*which) {
    return engine_.define<Num>(name, {"id"}, [&](Script& s, Arg<Num> id) {
      start_token(s, embed, id);
      for (std::size_t i = 0; i < procs_.size(); ++i) run(s, i, procs_[i].*which);
      s.change(w_.position, 1);
    });
  }

  // Scratch itself may take a quarter of a second for a layer. Waiting for no time at all lets
  // everything else have its turn.
  Proc<Num, Num> emit_in_steps(const Proc<Num>& embed) {
    return engine_.define_yielding<Num, Num>(
        "token in steps", {"id", "whole"}, [&](Script& s, Arg<Num> id, Arg<Num> whole) {
          start_token(s, embed, id);
          for (std::size_t begin = 1; begin + 1 < procs_.size();) {
            const std::size_t end = end_of_pass(begin);
            run_pass(s, begin, end, whole);
            s.wait(0);
            begin = end;
          }
          s.change(w_.position, 1);
        });
  }

  std::size_t end_of_pass(std::size_t begin) const {
    std::size_t end = begin;
    while (forward_.parts[end].pass == forward_.parts[begin].pass) ++end;
    return end;
  }

  void run_pass(Script& s, std::size_t begin, std::size_t end, Arg<Num>& whole) {
    const auto run_all = [&](std::optional<PartProc> PartProcs::*which) {
      return [this, begin, end, which](Script& s) {
        for (std::size_t i = begin; i < end; ++i) run(s, i, procs_[i].*which);
      };
    };
    const bool same =
        std::all_of(procs_.begin() + static_cast<std::ptrdiff_t>(begin),
                    procs_.begin() + static_cast<std::ptrdiff_t>(end), [](const PartProcs& procs) {
                      return procs.needed && procs.needed->code == procs.whole->code;
                    });
    if (same) {
      run_all (&PartProcs::whole)(s);
    } else {
      s.when_else(whole == 1, run_all(&PartProcs::whole), run_all(&PartProcs::needed));
    }
  }

  Proc<> emit_head() {
    return engine_.define<>("head", {},
                            [&](Script& s) { emit_steps(s, forward_.parts.back(), Places()); });
  }

  Sprite& engine_;
  const Workspace& w_;
  const Layout& layout_;
  const ForwardSteps& forward_;
  CommonBlocks common_;
  std::vector<std::unique_ptr<OpBlocks>> ops_;  // in the order of ops.def
  std::vector<PartProcs> procs_;                // of each part
  std::map<PartKind, int> kinds_;               // how many procedures of each kind there are
  std::map<std::size_t, std::string> names_;    // of parts that are the first of their kind
};

}  // namespace

ForwardBlocks emit_forward(Sprite& engine, const Workspace& w, const ExpBlocks& exp,
                           const Layout& layout) {
  return ForwardEmitter(engine, w, exp, layout).emit();
}

}  // namespace sb3lm
