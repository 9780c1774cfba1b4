#include "model/steps.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace sb3lm {
namespace {

enum class Effect { replaces, updates };
enum class Reading { as_it_is, by_matrix };
struct OpRow {
  std::string_view name;
  Effect effect;
  Reading reading;
  std::string_view formula;
};
constexpr OpRow kOps[] = {
#define OP(name, effect, reading, formula) {#name, Effect::effect, Reading::reading, formula},
#include "model/ops.def"
#undef OP
};

class StepsMaker {
 public:
  explicit StepsMaker(const ModelSpec& spec) : spec_(spec) {}

  ForwardSteps make() {
    start();
    for (std::size_t pass = 0; pass < spec_.passes.size(); ++pass) {
      layer_ = spec_.passes[pass];
      attention(static_cast<int>(pass));
      feed_forward(static_cast<int>(pass));
      leave_skip(static_cast<int>(pass));
    }
    layer_ = -1;
    begin(PartKind::end, "head", -1);
    norm(Role::final_norm, Role::final_norm_bias);
    made_.logits = slot("logits", spec_.vocabulary);
    matrix(spec_.tied_head ? Role::embedding : Role::head, normed(), made_.logits, Role::head_bias);
    if (spec_.logit_cap > 0) {
      step({.op = StepOp::cap, .out = made_.logits, .with = CapWith{spec_.logit_cap}});
    }
    return std::move(made_);
  }

 private:
  const LayerSpec& layer() const { return spec_.layers[static_cast<std::size_t>(layer_)]; }

  SlotId slot(const std::string& name, int size, int copies = 1) {
    for (std::size_t i = 0; i < made_.slots.size(); ++i) {
      Slot& known = made_.slots[i];
      if (known.name != name) continue;
      known.size = std::max(known.size, size);
      known.copies = std::max(known.copies, copies);
      return static_cast<SlotId>(i);
    }
    made_.slots.push_back({name, size, copies});
    return static_cast<SlotId>(made_.slots.size()) - 1;
  }
  SlotId stream() { return slot("x", spec_.width); }
  SlotId normed() { return slot("normed", spec_.width); }
  SlotId added() { return slot("added", spec_.width); }
  // Where the halves run in parallel, attention's result waits for the feed-forward to have read.
  SlotId attended() {
    return layer().residual == Residual::serial ? added() : slot("attended", spec_.width);
  }
  SlotId began() { return slot("began", spec_.width); }
  SlotId values() { return slot("value embedding", spec_.value_size()); }
  SlotId left_by(int pass) { return slot("left by pass " + std::to_string(pass), spec_.width); }

  void begin(PartKind kind, const char* name, int pass) {
    made_.parts.push_back({kind, name, pass, {}});
  }
  void step(Step step) {
    if (step.size == 0 && step.out != kNoSlot) step.size = made_.slot(step.out).size;
    made_.parts.back().steps.push_back(std::move(step));
  }

  bool has(Role role) const { return shape_of_role(role, spec_, layer_).has_value(); }

  // What the first layer gets. A token that came before goes the same way anew: its vector need not
  // be remembered, wherever a conversation is taken up again.
  void start() {
    begin(PartKind::start, "embedding", -1);
    enter(stream(), 0);
    if (spec_.smear) {
      const SlotId before = slot("before", spec_.width);
      enter(before, 1);
      step(
          {.op = StepOp::smear, .in = {before}, .out = stream(), .tensors = {{Role::smear_share}}});
    }
    for (const LayerSpec& layer : spec_.layers) {
      if (!layer.start_mix) continue;
      copy(stream(), began());
      break;
    }
    if (spec_.value_size() > 0) {
      look_up(StepOp::lookup, Role::value_embedding, Role::value_proj, values(), 0);
    }
  }

  // The embedding of the token so many positions back, in `out`.
  void enter(SlotId out, int back) {
    step({.op = StepOp::lookup,
          .out = out,
          .tensors = {{Role::embedding}},
          .with = LookupWith{back}});
    if (spec_.embedding_scale != 1) {
      step({.op = StepOp::scale, .out = out, .with = ScaleWith{spec_.embedding_scale}});
    }
    if (has(Role::position_embedding)) {
      const SlotId row = slot("position", spec_.width);
      step({.op = StepOp::lookup_position,
            .out = row,
            .tensors = {{Role::position_embedding}},
            .with = LookupWith{back}});
      add(row, out);
    }
    if (spec_.bigram_buckets > 0) {
      const SlotId pair = slot("bigram", spec_.width);
      look_up(StepOp::lookup_pair, Role::bigram_embedding, Role::bigram_proj, pair, back);
      add(pair, out, {{Role::bigram_scale}});
    }
    if (spec_.start_norm) {
      step({.op = StepOp::norm, .in = {out}, .out = out, .with = NormWith{spec_.norm_eps}});
    }
  }

  // A row of a table, by a matrix where the model has one to give it its width.
  void look_up(StepOp op, Role table, Role proj, SlotId out, int back) {
    const SlotId row = has(proj) ? slot("row", shape_of_role(table, spec_, -1)->cols) : out;
    step({.op = op,
          .out = row,
          .size = shape_of_role(table, spec_, -1)->cols,
          .tensors = {{table}},
          .with = LookupWith{back}});
    if (has(proj)) matrix(proj, row, out);
  }

  /// Of those, the tensors that the model has.
  std::vector<TensorKey> had(std::initializer_list<Role> roles) const {
    std::vector<TensorKey> tensors;
    for (const Role role : roles) {
      if (has(role)) tensors.push_back({role, outside(role) ? -1 : layer_});
    }
    return tensors;
  }
  void norm(Role weight, Role bias) {
    step({.op = StepOp::norm,
          .in = {stream()},
          .out = normed(),
          .tensors = had({weight, bias}),
          .with = NormWith{.eps = spec_.norm_eps,
                           .factor = layer_ < 0 ? 1 : layer().norm_factor,
                           .centred = spec_.norm == NormKind::layer}});
  }
  void norm_heads(Role weight, SlotId heads, int count) {
    const AttentionSpec& a = layer().attention;
    if (a.head_norm == HeadNorm::none) return;
    step({.op = StepOp::norm,
          .in = {heads},
          .out = heads,
          .size = count * a.head_size,
          .tensors = had({weight}),
          .with = NormWith{spec_.norm_eps, 1, count}});
  }
  void matrix(Role role, SlotId in, SlotId out, std::optional<Role> bias = std::nullopt) {
    step({.op = StepOp::matrix,
          .in = {in},
          .out = out,
          .size = shape_of_role(role, spec_, layer_)->rows,
          .tensors = bias ? had({role, *bias}) : had({role})});
  }
  static bool outside(Role role) { return about(role).home == RoleHome::model; }

  void turn(SlotId heads, int size) {
    const AttentionSpec& a = layer().attention;
    if (a.rope.layout == RopeLayout::none) return;
    step({.op = StepOp::turn, .out = heads, .size = size, .with = TurnWith{a.rope, a.head_size}});
  }
  /// out += from, times each of the tensors.
  void add(SlotId from, SlotId out, std::vector<TensorKey> by = {}, int size = 0) {
    step({.op = StepOp::add, .in = {from}, .out = out, .size = size, .tensors = std::move(by)});
  }
  void norm_after(Role weight, SlotId half) {
    if (!layer().after_norms) return;
    step({.op = StepOp::norm,
          .in = {half},
          .out = half,
          .tensors = had({weight}),
          .with = NormWith{spec_.norm_eps}});
  }
  bool is_parallel() const { return layer().residual != Residual::serial; }
  void add_attended() { add(attended(), stream(), had({Role::attention_scale})); }
  void copy(SlotId from, SlotId to) { step({.op = StepOp::copy, .in = {from}, .out = to}); }

  // What joins the stream before the layer's own work.
  void join(int pass) {
    if (const int from = spec_.skip_before(pass); from >= 0) {
      add(left_by(from), stream(), {{Role::skip_scale, layer_}});
    }
    if (layer().start_mix) {
      step({.op = StepOp::mix,
            .in = {began()},
            .out = stream(),
            .tensors = {{Role::stream_mix, layer_}, {Role::start_mix, layer_}}});
    }
  }

  void leave_skip(int pass) {
    for (std::size_t later = 0; later < spec_.passes.size(); ++later) {
      if (spec_.skip_before(static_cast<int>(later)) == pass) copy(stream(), left_by(pass));
    }
  }

  // Keys and values come before the query: of the last pass of a prompt token nobody needs more.
  void attention(int pass) {
    const AttentionSpec& a = layer().attention;
    const int width = a.query_heads * a.head_size;
    made_.states.push_back({spec_.kv_width(layer_), a.window});
    const SlotId q = slot("q", width), mixed = slot("mixed", width);
    begin(PartKind::attention, "attention", pass);
    join(pass);
    norm(Role::attention_norm, Role::attention_norm_bias);
    const SlotId v = keys_and_values(pass);
    matrix(Role::q, normed(), q, Role::q_bias);
    norm_heads(Role::q_norm, q, a.query_heads);
    turn(q, width);
    if (a.query_gain) {
      step({.op = StepOp::gain, .out = q, .size = width, .tensors = {{Role::query_gain, layer_}}});
    }
    step({.op = StepOp::attend,
          .in = {q},
          .out = mixed,
          .size = width,
          .with = AttendWith{a.query_heads, a.kv_heads, a.head_size, a.window, a.score_scale,
                             a.score_cap},
          .state = pass});
    if (a.exclusive) {
      step({.op = StepOp::exclude,
            .in = {v},
            .out = mixed,
            .size = width,
            .with = ExcludeWith{a.query_heads, a.kv_heads, a.head_size},
            .state = pass});
    }
    matrix(Role::o, mixed, attended(), Role::o_bias);
    norm_after(Role::attention_after_norm, attended());
    if (!is_parallel()) add_attended();
  }

  /// The values' slot.
  SlotId keys_and_values(int pass) {
    const AttentionSpec& a = layer().attention;
    const int width = spec_.kv_width(layer_);
    const SlotId k = slot("k", width), v = slot("v", width);
    matrix(Role::k, normed(), k, Role::k_bias);
    matrix(Role::v, normed(), v, Role::v_bias);
    if (a.value_embedding) {
      add(values(), v, {{Role::value_scale}, {Role::value_layer_scale, layer_}}, width);
    }
    norm_heads(Role::k_norm, k, a.kv_heads);
    turn(k, width);
    step({.op = StepOp::store, .in = {k, v}, .size = width, .state = pass});
    return v;
  }

  void feed_forward(int pass) {
    if (layer().feed_forward.is_mixture()) {
      mixture(pass);
    } else {
      dense(pass);
    }
    if (is_parallel()) add_attended();
  }
  // With one norm for both halves, what the attention read is still there.
  void norm_feed_forward() {
    if (layer().residual != Residual::parallel_one_norm) {
      norm(Role::ffn_norm, Role::ffn_norm_bias);
    }
  }

  void dense(int pass) {
    const FeedForwardSpec& f = layer().feed_forward;
    begin(PartKind::feed_forward, "feed forward", pass);
    norm_feed_forward();
    const SlotId bent = slot("gate", f.hidden);
    std::vector<SlotId> in = {bent};
    if (f.gated) {
      matrix(Role::gate, normed(), bent);
      in.push_back(slot("up", f.hidden));
    }
    matrix(Role::up, normed(), in.back(), Role::up_bias);
    step({.op = StepOp::activate,
          .in = std::move(in),
          .out = bent,
          .size = f.hidden,
          .with = ActivateWith{f.activation}});
    matrix(Role::down, bent, added(), Role::down_bias);
    norm_after(Role::ffn_after_norm, added());
    add(added(), stream(), had({Role::ffn_scale}));
  }

  void mixture(int pass) {
    const FeedForwardSpec& f = layer().feed_forward;
    begin(PartKind::feed_forward, "mixture", pass);
    norm_feed_forward();
    const SlotId logits = slot("router logits", f.routed_experts),
                 weights = slot("expert weights", f.routed_experts);
    matrix(Role::router, normed(), logits);
    step({.op = StepOp::route,
          .in = {logits},
          .out = weights,
          .size = f.routed_experts,
          .with = RouteWith{f.routed_experts, f.top_k, f.router_norm}});
    std::vector<SlotId> in = {normed(), weights};
    if (f.shared_gated) in.push_back(shared_weight());
    const int slots = f.top_k + f.shared_experts, hidden = std::max(f.hidden, f.shared_hidden);
    std::vector<SlotId> between = {slot("gate", hidden, slots)};
    if (f.gated) between.push_back(slot("up", hidden, slots));
    between.push_back(added());
    step({.op = StepOp::experts,
          .in = std::move(in),
          .out = stream(),
          .between = std::move(between),
          .tensors = experts(f),
          .with =
              ExpertsWith{f.routed_experts, f.top_k, f.shared_experts > 0, f.gated, f.activation}});
  }

  SlotId shared_weight() {
    const SlotId logit = slot("shared logit", 1), weight = slot("shared weight", 1);
    matrix(Role::shared_router, normed(), logit);
    step({.op = StepOp::sigmoid, .in = {logit}, .out = weight});
    return weight;
  }

  std::vector<TensorKey> experts(const FeedForwardSpec& f) const {
    std::vector<TensorKey> all;
    const auto put = [&](Role role, int expert) {
      if (has(role)) all.push_back({role, layer_, expert});
    };
    for (int e = 0; e < f.routed_experts; ++e) {
      for (const Role role : {Role::expert_gate, Role::expert_up, Role::expert_down}) put(role, e);
    }
    for (const Role role : {Role::shared_gate, Role::shared_up, Role::shared_down}) put(role, -1);
    return all;
  }

  const ModelSpec& spec_;
  ForwardSteps made_;
  int layer_ = -1;  // of the part that is open
};

}  // namespace

std::string_view op_name(StepOp op) {
  return kOps[static_cast<std::size_t>(op)].name;
}

std::string_view op_formula(StepOp op) {
  return kOps[static_cast<std::size_t>(op)].formula;
}

bool updates(StepOp op) {
  return kOps[static_cast<std::size_t>(op)].effect == Effect::updates;
}

bool reads_by_matrix(StepOp op) {
  return kOps[static_cast<std::size_t>(op)].reading == Reading::by_matrix;
}

std::vector<StepOp> all_ops() {
  return {
#define OP(name, ...) StepOp::name,
#include "model/ops.def"
#undef OP
  };
}

ForwardSteps steps_of(const ModelSpec& spec) {
  return StepsMaker(spec).make();
}

int tokens_back(const ForwardSteps& forward) {
  int most = 0;
  for (const Part& part : forward.parts) {
    for (const Step& step : part.steps) {
      const auto* with = std::get_if<LookupWith>(&step.with);
      if (with == nullptr || step.op == StepOp::lookup_position) continue;
      most = std::max(most, with->back + (step.op == StepOp::lookup_pair ? 1 : 0));
    }
  }
  return most;
}

std::vector<SlotId> read_slots(const Step& step) {
  std::vector<SlotId> read = step.in;
  if (updates(step.op)) read.push_back(step.out);
  return read;
}

std::vector<std::vector<bool>> needed_later(const ForwardSteps& forward) {
  std::vector<std::vector<bool>> needed;
  for (const Part& part : forward.parts) needed.emplace_back(part.steps.size(), false);
  std::vector<bool> wanted(forward.slots.size(), false);
  for (std::size_t p = forward.parts.size(); p-- > 0;) {
    for (std::size_t i = forward.parts[p].steps.size(); i-- > 0;) {
      const Step& step = forward.parts[p].steps[i];
      const bool stores = step.op == StepOp::store;
      if (!stores && !wanted[static_cast<std::size_t>(step.out)]) continue;
      needed[p][i] = true;
      if (!stores) wanted[static_cast<std::size_t>(step.out)] = false;
      for (const SlotId slot : read_slots(step)) wanted[static_cast<std::size_t>(slot)] = true;
    }
  }
  return needed;
}

std::vector<int> first_readers(const Part& part) {
  std::vector<int> first(part.steps.size(), -1);
  int group = -1;  // the step that opened it
  for (std::size_t i = 0; i < part.steps.size(); ++i) {
    const Step& step = part.steps[i];
    if (reads_by_matrix(step.op)) {
      const bool same =
          group >= 0 && part.steps[static_cast<std::size_t>(group)].in[0] == step.in[0];
      if (!same) group = static_cast<int>(i);
      first[i] = group;
    }
    if (group >= 0 && step.out == part.steps[static_cast<std::size_t>(group)].in[0]) group = -1;
  }
  return first;
}

}  // namespace sb3lm
