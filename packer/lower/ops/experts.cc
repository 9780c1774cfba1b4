// A mixture of experts. All hidden vectors first, while the table holds the normed input; then each
// way down. Every expert that runs has a place for its hidden vector, in index order, the shared
// one last.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

struct Expert {
  const TensorPlace* gate;  // null without
  const TensorPlace *up, *down;
};

// An expert's way up and its way down in the place that is next, given where its matrices lie.
struct ExpertProcs {
  std::optional<Proc<Num, Num, Num, Num>> raise;  // gate codes, gate scales, up codes, up scales
  std::optional<Proc<Num, Num>> raise_alone;      // without a gate: up codes, up scales
  Proc<Num, Num, Num> lower;                      // down codes, down scales, factor
};

// Positions of the vectors. `hidden` is the one that is bent, `by` what it is multiplied by then.
struct Vectors {
  int in = 0, weights = 0, out = 0, added = 0;
  int hidden = 0, hidden_stride = 0, by = 0, by_stride = 0;
  int width = 0;
  Activation activation{};
  bool operator==(const Vectors&) const = default;
};

struct Mixture {
  std::vector<Expert> experts;  // the shared one last
  std::vector<const ExpertProcs*> procs;
  Vectors at;
  std::size_t routed = 0;
  int shared_weight = 0;  // its position; 0: the weight is 1

  bool has_shared() const { return experts.size() > routed; }
};

class ExpertsBlocks final : public OpBlocks {
 public:
  explicit ExpertsBlocks(CommonBlocks& common)
      : OpBlocks(common), w_(common.w()), slot_(common.engine().var<Num>("_slot")) {}

  void prepare(const Step& step) override {
    const Mixture m = mixture_of(step);
    if (runs_in_loop(m) && !expert_) expert_ = common_.engine().var<Num>("_expert");
  }

  void emit(Script& s, const Step& step, const Places& places) override {
    const Mixture m = mixture_of(step);
    runs_in_loop(m) ? run_in_loop(s, m, places) : run_one_by_one(s, m, places);
  }

 private:
  Mixture mixture_of(const Step& step) {
    const auto& with = std::get<ExpertsWith>(step.with);
    Mixture m{.at = vectors_of(step),
              .routed = static_cast<std::size_t>(with.routed),
              .shared_weight = step.in.size() > 2 ? at(step.in[2]) : 0};
    const auto place = [&](std::size_t i) { return &layout_.at(step.tensors[i]); };
    for (std::size_t i = 0; i < step.tensors.size(); ++i) {
      const TensorPlace* gate = with.gated ? place(i++) : nullptr;
      const TensorPlace* up = place(i++);
      m.experts.push_back({gate, up, place(i)});
      m.procs.push_back(&procs_of(m.experts.back(), m.at));
    }
    return m;
  }

  Vectors vectors_of(const Step& step) const {
    const auto& with = std::get<ExpertsWith>(step.with);
    Vectors vectors{.in = at(step.in[0]),
                    .weights = at(step.in[1]),
                    .out = at(step.out),
                    .added = at(step.between.back()),
                    .hidden = at(step.between[0]),
                    .hidden_stride = stride(step.between[0]),
                    .width = step.size,
                    .activation = with.activation};
    if (with.gated) {
      vectors.by = at(step.between[1]);
      vectors.by_stride = stride(step.between[1]);
    }
    return vectors;
  }

  int stride(SlotId slot) const { return layout_.act.stride[static_cast<std::size_t>(slot)]; }

  // One pair for all experts of one kind, whatever their layer.
  const ExpertProcs& procs_of(const Expert& expert, const Vectors& at) {
    for (const Known& known : known_) {
      if (alike(known.expert, expert) && known.at == at) return known.procs;
    }
    const std::string number = std::to_string(known_.size() + 1);
    return known_.emplace_back(Known{expert, at, emit_procs(expert, at, number)}).procs;
  }

  static bool alike(const Expert& a, const Expert& b) {
    if ((a.gate == nullptr) != (b.gate == nullptr)) return false;
    return (a.gate == nullptr || same_kind(*a.gate, *b.gate)) && same_kind(*a.up, *b.up) &&
           same_kind(*a.down, *b.down);
  }

  Expr<Num> hidden_at(const Vectors& at) const { return slot_ * at.hidden_stride + at.hidden; }
  Expr<Num> by_at(const Vectors& at) const { return slot_ * at.by_stride + at.by; }

  ExpertProcs emit_procs(const Expert& expert, const Vectors& at, const std::string& number) {
    ExpertProcs procs;
    const std::string name = "expert up " + number;
    if (expert.gate != nullptr) {
      procs.raise = emit_raise(expert, at, name);
    } else {
      procs.raise_alone = emit_raise_alone(expert, at, name);
    }
    procs.lower = emit_lower(expert, at, "expert down " + number);
    return procs;
  }

  Proc<Num, Num, Num, Num> emit_raise(const Expert& expert, const Vectors& at,
                                      const std::string& name) {
    MatrixBlocks& matrices = common_.matrices();
    return common_.engine().define<Num, Num, Num, Num>(
        name, {"gate codes", "gate scales", "up codes", "up scales"},
        [&](Script& s, Arg<Num> gate_codes, Arg<Num> gate_scales, Arg<Num> up_codes,
            Arg<Num> up_scales) {
          matrices.multiply(s, *expert.gate, gate_codes, gate_scales, at.in, hidden_at(at));
          matrices.multiply(s, *expert.up, up_codes, up_scales, at.in, by_at(at));
          s.change(slot_, 1);
        });
  }

  Proc<Num, Num> emit_raise_alone(const Expert& expert, const Vectors& at,
                                  const std::string& name) {
    return common_.engine().define<Num, Num>(
        name, {"up codes", "up scales"}, [&](Script& s, Arg<Num> codes, Arg<Num> scales) {
          common_.matrices().multiply(s, *expert.up, codes, scales, at.in, hidden_at(at));
          s.change(slot_, 1);
        });
  }

  Proc<Num, Num, Num> emit_lower(const Expert& expert, const Vectors& at, const std::string& name) {
    MatrixBlocks& matrices = common_.matrices();
    const int hidden = expert.up->shape.rows;
    return common_.engine().define<Num, Num, Num>(
        name, {"codes", "scales", "factor"},
        [&](Script& s, Arg<Num> codes, Arg<Num> scales, Arg<Num> factor) {
          if (expert.gate != nullptr) {
            s.call(common_.gate(at.activation), hidden_at(at), by_at(at), hidden);
          } else {
            s.call(common_.activate(at.activation), hidden_at(at), hidden);
          }
          matrices.clear_padding(s, hidden_at(at), hidden);
          if (expert.down->storage == Storage::codes) {
            matrices.build_table(s, hidden_at(at), *expert.down);
          }
          matrices.multiply(s, *expert.down, codes, scales, hidden_at(at), at.added);
          s.call(common_.add(), at.added, factor, at.out, at.width);
          s.change(slot_, 1);
        });
  }

  static bool runs_in_loop(const Mixture& m) {
    if (m.routed < 2) return false;
    for (const auto part : {&Expert::gate, &Expert::up, &Expert::down}) {
      for (std::size_t e = 1; m.experts[0].*part != nullptr && e < m.routed; ++e) {
        const TensorPlace &a = *(m.experts[0].*part), &b = *(m.experts[1].*part),
                          &c = *(m.experts[e].*part);
        const auto distance = static_cast<std::int64_t>(e);
        if (!same_kind(a, c) || c.codes_at - a.codes_at != distance * (b.codes_at - a.codes_at) ||
            c.scales_at - a.scales_at != distance * (b.scales_at - a.scales_at)) {
          return false;
        }
      }
    }
    return true;
  }

  Expr<Num> shared_factor(const Mixture& m) {
    if (m.shared_weight == 0) return 1;
    return w_.act[m.shared_weight] + 0;
  }
  static void raise(Script& s, const Mixture& m, std::size_t e, const Places& places) {
    const TensorPlace *gate = m.experts[e].gate, &up = *m.experts[e].up;
    if (gate != nullptr) {
      s.call(*m.procs[e]->raise, places.codes_of(*gate), places.scales_of(*gate),
             places.codes_of(up), places.scales_of(up));
    } else {
      s.call(*m.procs[e]->raise_alone, places.codes_of(up), places.scales_of(up));
    }
  }
  static void lower(Script& s, const Mixture& m, std::size_t e, Expr<Num> factor,
                    const Places& places) {
    const TensorPlace& down = *m.experts[e].down;
    s.call(m.procs[e]->lower, places.codes_of(down), places.scales_of(down), std::move(factor));
  }

  void run_one_by_one(Script& s, const Mixture& m, const Places& places) {
    const auto each_chosen = [&](auto body) {
      s.set(slot_, 0);
      for (std::size_t e = 0; e < m.routed; ++e) {
        const auto weight = [&] { return w_.act[m.at.weights + static_cast<int>(e)]; };
        s.when(weight() > 0, [&](Script& s) { body(s, e, weight() + 0); });
      }
      if (m.has_shared()) body(s, m.routed, shared_factor(m));
    };
    each_chosen([&](Script& s, std::size_t e, Expr<Num> /*factor*/) { raise(s, m, e, places); });
    each_chosen([&](Script& s, std::size_t e, Expr<Num> factor) {
      lower(s, m, e, std::move(factor), places);
    });
  }

  // Routed experts that lie at equal distances take fewer blocks in a loop.
  void run_in_loop(Script& s, const Mixture& m, const Places& places) {
    const Var<Num>& expert = *expert_;
    const Expert &first = m.experts[0], &second = m.experts[1];
    const auto codes = [&](const TensorPlace* Expert::*part) {
      const TensorPlace &a = *(first.*part), &b = *(second.*part);
      return places.codes_of(a) + expert * static_cast<double>(b.codes_at - a.codes_at);
    };
    const auto scales = [&](const TensorPlace* Expert::*part) {
      const TensorPlace &a = *(first.*part), &b = *(second.*part);
      return places.scales_of(a) + expert * static_cast<double>(b.scales_at - a.scales_at);
    };
    const auto each_chosen = [&](auto body) {
      s.set(slot_, 0);
      s.set(expert, 0);
      s.repeat(static_cast<double>(m.routed), [&](Script& s) {
        const auto weight = [&] { return w_.act[expert + m.at.weights]; };
        s.when(weight() > 0, [&](Script& s) { body(s, weight()); });
        s.change(expert, 1);
      });
    };
    each_chosen([&](Script& s, Expr<Num> /*factor*/) {
      if (first.gate != nullptr) {
        s.call(*m.procs[0]->raise, codes(&Expert::gate), scales(&Expert::gate), codes(&Expert::up),
               scales(&Expert::up));
      } else {
        s.call(*m.procs[0]->raise_alone, codes(&Expert::up), scales(&Expert::up));
      }
    });
    if (m.has_shared()) raise(s, m, m.routed, places);
    each_chosen([&](Script& s, Expr<Num> factor) {
      s.call(m.procs[0]->lower, codes(&Expert::down), scales(&Expert::down), std::move(factor));
    });
    if (m.has_shared()) lower(s, m, m.routed, shared_factor(m), places);
  }

  struct Known {
    Expert expert;
    Vectors at;
    ExpertProcs procs;
  };

  const Workspace& w_;
  Var<Num> slot_;
  std::optional<Var<Num>> expert_;  // in a loop over the routed ones
  std::deque<Known> known_;
};

}  // namespace

std::unique_ptr<OpBlocks> make_experts_blocks(CommonBlocks& common) {
  return std::make_unique<ExpertsBlocks>(common);
}

}  // namespace sb3lm
