#include "lower/forward.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>

#include "lower/layer_halves.h"
#include "lower/matrices.h"

namespace sb3lm {

using namespace blocks;

namespace {

// Emits a layer's attention and feed forward once for all layers that are alike in it: these pass
// where their own weights begin.
class ForwardEmitter {
 public:
  ForwardEmitter(Sprite& engine, const Workspace& w, const ExpBlocks& exp, const Model& model,
                 const Layout& layout)
      : engine_(engine),
        w_(w),
        exp_(exp),
        model_(model),
        layout_(layout),
        norm_(emit_rmsnorm(engine, w, model.spec.width, model.spec.norm_eps)),
        add_(emit_add(engine, w)),
        swiglu_(emit_swiglu(engine, w, exp)),
        slot_(engine.var<Num>("_slot")),
        matrices_(engine, w, layout) {}

  ForwardBlocks emit() {
    for (const int layer : model_.spec.passes) {
      for (const Half half : {Half::attention, Half::feed_forward}) kind_of(layer, half);
    }
    const auto embed = matrices_.emit_embed(place(Role::embedding));
    const LayerProc keys = emit_keys(kind_of(model_.spec.passes.back(), Half::attention));
    ForwardBlocks made{.head = emit_head()};
    if (w_.tune != Tune::turbowarp) made.token_in_steps = emit_in_steps(embed, keys);
    if (w_.tune != Tune::scratch) {
      made.token = emit_token("token", embed, nullptr);
      made.prompt_token = emit_token("prompt token", embed, &keys);
    }
    return made;
  }

 private:
  const TensorPlace& place(Role role, int layer = -1, int expert = -1) const {
    return layout_.at({role, layer, expert});
  }

  using LayerProc = Proc<Num, Num, Num>;  // codes at, scales at, cache at
  // Halves of layers that differ only in where their weights begin.
  struct HalfKind {
    int layer = 0;  // the first of them
    Half half{};
    std::string name;
    LayerProc run;
  };

  const HalfKind& kind_of(int layer, Half half) {
    int number = 1;
    for (const HalfKind& kind : kinds_) {
      if (kind.half != half) continue;
      if (alike(model_.spec, layout_, half, kind.layer, layer)) return kind;
      ++number;
    }
    const bool mixture = layer_spec(layer).feed_forward.is_mixture();
    const std::string name = fmt::format("{} {}",
                                         half == Half::attention ? "layer's attention"
                                         : mixture               ? "layer's mixture"
                                                                 : "layer's feed forward",
                                         number);
    LayerProc run = half == Half::attention ? emit_attention_block(layer, name)
                    : mixture               ? emit_mixture(layer, name)
                                            : emit_dense(layer, name);
    return kinds_.emplace_back(HalfKind{layer, half, name, std::move(run)});
  }

  // What later tokens need of this one in its last pass.
  LayerProc emit_keys(const HalfKind& kind) {
    return define_in_layer(
        kind.layer, Half::attention, kind.name + " keys",
        [&](Script& s, Arg<Num>& cache_at) { store_keys(s, kind.layer, cache_at); });
  }

  // A procedure of a layer; in its body, places count from where the layer's weights begin.
  template <class Body>
  LayerProc define_in_layer(int layer, Half half, const std::string& name, Body body) {
    return engine_.define<Num, Num, Num>(
        name, {"codes at", "scales at", "cache at"},
        [&](Script& s, Arg<Num> codes_at, Arg<Num> scales_at, Arg<Num> cache_at) {
          begin_ = begin_of(layout_, layer, half);
          layer_codes_ = &codes_at;
          layer_scales_ = &scales_at;
          body(s, cache_at);
          layer_codes_ = layer_scales_ = nullptr;
        });
  }

  Expr<Num> codes_of(const TensorPlace& m) const {
    if (layer_codes_ == nullptr) return static_cast<double>(m.codes_at);
    return *layer_codes_ + static_cast<double>(m.codes_at - begin_.codes_at);
  }
  Expr<Num> scales_of(const TensorPlace& m) const {
    if (layer_scales_ == nullptr) return static_cast<double>(m.scales_at);
    return *layer_scales_ + static_cast<double>(m.scales_at - begin_.scales_at);
  }

  // out = matrix * in; the table holds `in` already (see MatrixBlocks::prepare).
  void multiply(Script& s, const TensorPlace& m, Expr<Num> in, Expr<Num> out) {
    matrices_.multiply(s, m, codes_of(m), scales_of(m), std::move(in), std::move(out));
  }

  const RopeBlocks& rope(const AttentionSpec& spec) {
    for (const auto& [known, blocks] : ropes_) {
      if (known.rope == spec.rope && known.head_size == spec.head_size) return blocks;
    }
    ropes_.emplace_back(
        spec, emit_rope(engine_, w_, spec.rope, spec.head_size, std::to_string(ropes_.size() + 1)));
    return ropes_.back().second;
  }

  const AttentionBlocks& attention(const AttentionSpec& spec) {
    for (const auto& [known, blocks] : attentions_) {
      if (known == spec) return blocks;
    }
    const Regions& act = layout_.act;
    attentions_.emplace_back(
        spec,
        emit_attention(engine_, w_, exp_, spec, layout_.span,
                       {.q = act.q, .k = act.k, .v = act.v, .scores = act.scores, .out = act.mix},
                       std::to_string(attentions_.size() + 1)));
    return attentions_.back().second;
  }

  const Proc<Num, Num>& router(const FeedForwardSpec& spec) {
    for (const auto& [known, proc] : routers_) {
      if (known == spec) return proc;
    }
    routers_.emplace_back(
        spec, emit_router(engine_, w_, exp_, spec, std::to_string(routers_.size() + 1)));
    return routers_.back().second;
  }

  const LayerSpec& layer_spec(int layer) const {
    return model_.spec.layers[static_cast<std::size_t>(layer)];
  }
  const AttentionSpec& attention_of(int layer) const { return layer_spec(layer).attention; }

  LayerProc emit_attention_block(int layer, const std::string& name) {
    const AttentionBlocks blocks = attention(attention_of(layer));
    const Regions& act = layout_.act;
    const TensorPlace &q = place(Role::q, layer), &o = place(Role::o, layer);
    return define_in_layer(layer, Half::attention, name, [&](Script& s, Arg<Num>& cache_at) {
      store_keys(s, layer, cache_at);
      multiply(s, q, act.norm, act.q);
      add_bias(s, Role::q_bias, layer, act.q);
      turn(s, attention_of(layer), act.q, attention_of(layer).query_heads);
      s.call(blocks.attend, cache_at);
      matrices_.clear_padding(s, act.mix, o.shape.cols);
      matrices_.prepare(s, act.mix, {&o});
      multiply(s, o, act.mix, act.out);
      s.call(add_, act.out, 1, act.x, model_.spec.width);
    });
  }

  // Keys and values of this position; the table holds the normed input.
  void store_keys(Script& s, int layer, Arg<Num>& cache_at) {
    const Regions& act = layout_.act;
    const TensorPlace &q = place(Role::q, layer), &k = place(Role::k, layer),
                      &v = place(Role::v, layer);
    s.call(norm_, act.x, scales_of(place(Role::attention_norm, layer)), act.norm);
    matrices_.prepare(s, act.norm, {&q, &k, &v});
    multiply(s, k, act.norm, act.k);
    multiply(s, v, act.norm, act.v);
    add_bias(s, Role::k_bias, layer, act.k);
    add_bias(s, Role::v_bias, layer, act.v);
    turn(s, attention_of(layer), act.k, attention_of(layer).kv_heads);
    s.call(attention(attention_of(layer)).store, cache_at);
  }

  void add_bias(Script& s, Role role, int layer, int at) {
    if (!attention_of(layer).qkv_bias) return;
    if (!add_numbers_) add_numbers_ = emit_add_numbers(engine_, w_);
    const TensorPlace& bias = place(role, layer);
    s.call(*add_numbers_, scales_of(bias), at, bias.shape.cols);
  }

  // Rotary position embedding.
  void turn(Script& s, const AttentionSpec& spec, int at, int heads) {
    if (spec.rope.layout != RopeLayout::none) s.call(rope(spec).apply, at, heads);
  }

  struct Block {
    const TensorPlace *gate, *up, *down;
  };

  // swiglu of the hidden vectors at `gate` and `up`, in place of the first, ready for the way down.
  void activate(Script& s, const Block& block, const Expr<Num>& gate, Expr<Num> up) {
    s.call(swiglu_, copy(gate), std::move(up), block.gate->shape.rows);
    matrices_.clear_padding(s, gate, block.gate->shape.rows);
    matrices_.prepare(s, copy(gate), {block.down});
  }

  LayerProc emit_dense(int layer, const std::string& name) {
    const Regions& act = layout_.act;
    const Block block{&place(Role::gate, layer), &place(Role::up, layer),
                      &place(Role::down, layer)};
    return define_in_layer(layer, Half::feed_forward, name, [&](Script& s, Arg<Num>&) {
      s.call(norm_, act.x, scales_of(place(Role::ffn_norm, layer)), act.norm);
      matrices_.prepare(s, act.norm, {block.gate, block.up});
      multiply(s, *block.gate, act.norm, act.gate);
      multiply(s, *block.up, act.norm, act.up);
      activate(s, block, act.gate, act.up);
      multiply(s, *block.down, act.gate, act.out);
      s.call(add_, act.out, 1, act.x, model_.spec.width);
    });
  }

  // An expert's way up and its way down in the slot that is next, given where its matrices lie.
  struct ExpertProcs {
    Proc<Num, Num, Num, Num> raise;  // gate codes, gate scales, up codes, up scales
    Proc<Num, Num, Num> lower;       // down codes, down scales, factor
  };

  // One pair for all experts of one kind, whatever their layer.
  const ExpertProcs& expert_procs(const Block& block) {
    for (const auto& [known, procs] : experts_) {
      if (same_kind(*known.gate, *block.gate) && same_kind(*known.up, *block.up) &&
          same_kind(*known.down, *block.down)) {
        return procs;
      }
    }
    const Regions& act = layout_.act;
    const std::string name = std::to_string(experts_.size() + 1);
    const auto gate_at = [&] { return slot_ * act.hidden_stride + act.gate; };
    const auto up_at = [&] { return slot_ * act.hidden_stride + act.up; };
    auto raise = engine_.define<Num, Num, Num, Num>(
        "expert up " + name, {"gate codes", "gate scales", "up codes", "up scales"},
        [&](Script& s, Arg<Num> gate_codes, Arg<Num> gate_scales, Arg<Num> up_codes,
            Arg<Num> up_scales) {
          matrices_.multiply(s, *block.gate, gate_codes, gate_scales, act.norm, gate_at());
          matrices_.multiply(s, *block.up, up_codes, up_scales, act.norm, up_at());
          s.change(slot_, 1);
        });
    auto lower = engine_.define<Num, Num, Num>(
        "expert down " + name, {"codes", "scales", "factor"},
        [&](Script& s, Arg<Num> codes, Arg<Num> scales, Arg<Num> factor) {
          activate(s, block, gate_at(), up_at());
          matrices_.multiply(s, *block.down, codes, scales, gate_at(), act.out);
          s.call(add_, act.out, factor, act.x, model_.spec.width);
          s.change(slot_, 1);
        });
    return experts_.emplace_back(block, ExpertProcs{std::move(raise), std::move(lower)}).second;
  }

  static bool evenly_spaced(const std::vector<Block>& experts, const FeedForwardSpec& spec) {
    for (const auto part : {&Block::gate, &Block::up, &Block::down}) {
      for (std::size_t e = 1; e < static_cast<std::size_t>(spec.routed_experts); ++e) {
        const TensorPlace &a = *(experts[0].*part), &b = *(experts[1].*part),
                          &c = *(experts[e].*part);
        const auto distance = static_cast<std::int64_t>(e);
        if (!same_kind(a, c) || c.codes_at - a.codes_at != distance * (b.codes_at - a.codes_at) ||
            c.scales_at - a.scales_at != distance * (b.scales_at - a.scales_at)) {
          return false;
        }
      }
    }
    return true;
  }

  // The experts of a layer, the shared one last.
  struct Mixture {
    const FeedForwardSpec& spec;
    std::vector<Block> experts;
    std::vector<ExpertProcs> procs;

    std::size_t routed() const { return static_cast<std::size_t>(spec.routed_experts); }
    bool has_shared() const { return experts.size() > routed(); }
  };

  Mixture mixture_of(int layer) {
    Mixture m{.spec = layer_spec(layer).feed_forward, .experts = {}, .procs = {}};
    for (int e = 0; e < m.spec.routed_experts; ++e) {
      m.experts.push_back({&place(Role::expert_gate, layer, e), &place(Role::expert_up, layer, e),
                           &place(Role::expert_down, layer, e)});
    }
    if (m.spec.shared_experts > 0) {
      m.experts.push_back({&place(Role::shared_gate, layer), &place(Role::shared_up, layer),
                           &place(Role::shared_down, layer)});
    }
    for (const Block& block : m.experts) m.procs.push_back(expert_procs(block));
    return m;
  }

  // All hidden vectors first, while the table holds the normed input; then each way down. Every
  // expert that runs has a slot in the hidden regions, in index order, the shared one last.
  LayerProc emit_mixture(int layer, const std::string& name) {
    const Regions& act = layout_.act;
    const TensorPlace& router_matrix = place(Role::router, layer);
    const Mixture m = mixture_of(layer);
    const auto route = router(m.spec);
    const bool in_loop = m.routed() > 1 && evenly_spaced(m.experts, m.spec);
    if (in_loop && !expert_) expert_ = engine_.var<Num>("_expert");
    return define_in_layer(layer, Half::feed_forward, name, [&](Script& s, Arg<Num>&) {
      s.call(norm_, act.x, scales_of(place(Role::ffn_norm, layer)), act.norm);
      matrices_.prepare(s, act.norm,
                        {m.experts.front().gate, m.experts.back().gate, &router_matrix});
      multiply(s, router_matrix, act.norm, act.router_logits);
      s.call(route, act.router_logits, act.router_weights);
      if (m.spec.shared_gated) weigh_shared(s, layer);
      in_loop ? run_in_loop(s, m) : run_one_by_one(s, m);
    });
  }

  Expr<Num> shared_factor(const Mixture& m) {
    if (!m.spec.shared_gated) return 1;
    return w_.act[layout_.act.router_weights + m.spec.routed_experts] + 0;
  }
  void raise(Script& s, const Mixture& m, std::size_t e) {
    const TensorPlace &gate = *m.experts[e].gate, &up = *m.experts[e].up;
    s.call(m.procs[e].raise, codes_of(gate), scales_of(gate), codes_of(up), scales_of(up));
  }
  void lower(Script& s, const Mixture& m, std::size_t e, Expr<Num> factor) {
    const TensorPlace& down = *m.experts[e].down;
    s.call(m.procs[e].lower, codes_of(down), scales_of(down), std::move(factor));
  }

  void run_one_by_one(Script& s, const Mixture& m) {
    const auto each_chosen = [&](auto body) {
      s.set(slot_, 0);
      for (std::size_t e = 0; e < m.routed(); ++e) {
        const auto weight = [&] {
          return w_.act[layout_.act.router_weights + static_cast<int>(e)];
        };
        s.when(weight() > 0, [&](Script& s) { body(s, e, weight() + 0); });
      }
      if (m.has_shared()) body(s, m.routed(), shared_factor(m));
    };
    each_chosen([&](Script& s, std::size_t e, Expr<Num> /*factor*/) { raise(s, m, e); });
    each_chosen(
        [&](Script& s, std::size_t e, Expr<Num> factor) { lower(s, m, e, std::move(factor)); });
  }

  // Routed experts that lie at equal distances take fewer blocks in a loop.
  void run_in_loop(Script& s, const Mixture& m) {
    const Var<Num>& expert = *expert_;
    const Block &first = m.experts[0], &second = m.experts[1];
    const auto codes = [&](const TensorPlace* Block::*part) {
      const TensorPlace &a = *(first.*part), &b = *(second.*part);
      return codes_of(a) + expert * static_cast<double>(b.codes_at - a.codes_at);
    };
    const auto scales = [&](const TensorPlace* Block::*part) {
      const TensorPlace &a = *(first.*part), &b = *(second.*part);
      return scales_of(a) + expert * static_cast<double>(b.scales_at - a.scales_at);
    };
    const auto each_chosen = [&](auto body) {
      s.set(slot_, 0);
      s.set(expert, 0);
      s.repeat(m.spec.routed_experts, [&](Script& s) {
        const auto weight = [&] { return w_.act[expert + layout_.act.router_weights]; };
        s.when(weight() > 0, [&](Script& s) { body(s, weight()); });
        s.change(expert, 1);
      });
    };
    each_chosen([&](Script& s, Expr<Num> /*factor*/) {
      s.call(m.procs[0].raise, codes(&Block::gate), scales(&Block::gate), codes(&Block::up),
             scales(&Block::up));
    });
    if (m.has_shared()) raise(s, m, m.routed());
    each_chosen([&](Script& s, Expr<Num> factor) {
      s.call(m.procs[0].lower, codes(&Block::down), scales(&Block::down), std::move(factor));
    });
    if (m.has_shared()) lower(s, m, m.routed(), shared_factor(m));
  }

  // The weight of a gated shared expert, after those of the routed ones.
  void weigh_shared(Script& s, int layer) {
    const Regions& act = layout_.act;
    const int slot =
        model_.spec.layers[static_cast<std::size_t>(layer)].feed_forward.routed_experts;
    multiply(s, place(Role::shared_router, layer), act.norm, act.router_logits + slot);
    s.call(exp_.exp, 0 - w_.act[act.router_logits + slot]);
    s.replace(w_.act, act.router_weights + slot, 1 / (1 + w_.exp));
  }

  // Half of a pass; `proc` is of its kind.
  void run(Script& s, std::size_t pass, Half half, const LayerProc& proc) {
    const Begin begin = begin_of(layout_, model_.spec.passes[pass], half);
    s.call(proc, static_cast<double>(begin.codes_at), static_cast<double>(begin.scales_at),
           static_cast<double>(layout_.cache_at[pass]));
  }
  void run_pass(Script& s, std::size_t pass) {
    for (const Half half : {Half::attention, Half::feed_forward}) {
      run(s, pass, half, kind_of(model_.spec.passes[pass], half).run);
    }
  }
  void start_token(Script& s, const Proc<Num>& embed, Arg<Num>& id) {
    s.call(embed, id);
    for (const auto& [known, blocks] : ropes_) s.call(blocks.advance);
  }

  // `keys`: what stands for the last pass, if not all of it.
  Proc<Num> emit_token(const char* name, const Proc<Num>& embed, const LayerProc* keys) {
    const std::size_t passes = model_.spec.passes.size();
    return engine_.define<Num>(name, {"id"}, [&](Script& s, Arg<Num> id) {
      start_token(s, embed, id);
      for (std::size_t pass = 0; pass + 1 < passes; ++pass) run_pass(s, pass);
      if (keys != nullptr) {
        run(s, passes - 1, Half::attention, *keys);
      } else {
        run_pass(s, passes - 1);
      }
      s.change(w_.position, 1);
    });
  }

  // Scratch itself may take a quarter of a second for a layer. Waiting for no time at all lets
  // everything else have its turn.
  Proc<Num, Num> emit_in_steps(const Proc<Num>& embed, const LayerProc& keys) {
    const std::size_t passes = model_.spec.passes.size();
    return engine_.define_yielding<Num, Num>(
        "token in steps", {"id", "whole"}, [&](Script& s, Arg<Num> id, Arg<Num> whole) {
          start_token(s, embed, id);
          for (std::size_t pass = 0; pass + 1 < passes; ++pass) {
            run_pass(s, pass);
            s.wait(0);
          }
          s.when_else(
              whole == 1, [&](Script& s) { run_pass(s, passes - 1); },
              [&](Script& s) { run(s, passes - 1, Half::attention, keys); });
          s.wait(0);
          s.change(w_.position, 1);
        });
  }

  Proc<> emit_head() {
    const ModelSpec& spec = model_.spec;
    const TensorPlace& head = place(spec.tied_head ? Role::embedding : Role::head);
    return engine_.define<>("head", {}, [&](Script& s) {
      s.call(norm_, layout_.act.x, place(Role::final_norm).scales_at, layout_.act.norm);
      matrices_.prepare(s, layout_.act.norm, {&head});
      multiply(s, head, layout_.act.norm, layout_.act.logits);
    });
  }

  Sprite& engine_;
  const Workspace& w_;
  const ExpBlocks& exp_;
  const Model& model_;
  const Layout& layout_;
  Proc<Num, Num, Num> norm_;
  AddProc add_;
  std::optional<Proc<Num, Num, Num>> add_numbers_;
  Proc<Num, Num, Num> swiglu_;
  Var<Num> slot_;
  std::optional<Var<Num>> expert_;  // in a loop over the routed ones
  std::deque<HalfKind> kinds_;
  // Of the procedure of half a layer that is open.
  Begin begin_;
  const Arg<Num>*layer_codes_ = nullptr, *layer_scales_ = nullptr;
  MatrixBlocks matrices_;
  std::vector<std::pair<AttentionSpec, RopeBlocks>> ropes_;
  std::vector<std::pair<AttentionSpec, AttentionBlocks>> attentions_;
  std::vector<std::pair<FeedForwardSpec, Proc<Num, Num>>> routers_;
  std::vector<std::pair<Block, ExpertProcs>> experts_;
};

}  // namespace

ForwardBlocks emit_forward(Sprite& engine, const Workspace& w, const ExpBlocks& exp,
                           const Model& model, const Layout& layout) {
  return ForwardEmitter(engine, w, exp, model, layout).emit();
}

}  // namespace sb3lm
