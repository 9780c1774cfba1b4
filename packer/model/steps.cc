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
    begin(PartKind::start, "embedding", -1);
    step({.op = StepOp::lookup, .out = stream(), .tensors = {{Role::embedding}}});
    for (std::size_t pass = 0; pass < spec_.passes.size(); ++pass) {
      layer_ = spec_.passes[pass];
      attention(static_cast<int>(pass));
      feed_forward(static_cast<int>(pass));
    }
    layer_ = -1;
    begin(PartKind::end, "head", -1);
    norm(Role::final_norm);
    made_.logits = slot("logits", spec_.vocabulary);
    matrix(spec_.tied_head ? Role::embedding : Role::head, normed(), made_.logits);
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

  void begin(PartKind kind, const char* name, int pass) {
    made_.parts.push_back({kind, name, pass, {}});
  }
  void step(Step step) {
    if (step.size == 0 && step.out != kNoSlot) step.size = made_.slot(step.out).size;
    made_.parts.back().steps.push_back(std::move(step));
  }

  bool has(Role role) const { return shape_of_role(role, spec_, layer_).has_value(); }

  void norm(Role weight) {
    step({.op = StepOp::norm,
          .in = {stream()},
          .out = normed(),
          .tensors = {{weight, layer_}},
          .with = NormWith{spec_.norm_eps}});
  }
  void matrix(Role role, SlotId in, SlotId out, std::optional<Role> bias = std::nullopt) {
    std::vector<TensorKey> tensors = {{role, outside(role) ? -1 : layer_}};
    if (bias && has(*bias)) tensors.push_back({*bias, layer_});
    step({.op = StepOp::matrix,
          .in = {in},
          .out = out,
          .size = shape_of_role(role, spec_, layer_)->rows,
          .tensors = std::move(tensors)});
  }
  static bool outside(Role role) { return about(role).home == RoleHome::model; }

  void turn(SlotId heads, int size) {
    const AttentionSpec& a = layer().attention;
    if (a.rope.layout == RopeLayout::none) return;
    step({.op = StepOp::turn, .out = heads, .size = size, .with = TurnWith{a.rope, a.head_size}});
  }
  void add(SlotId update) { step({.op = StepOp::add, .in = {update}, .out = stream()}); }

  // Keys and values come before the query: of the last pass of a prompt token nobody needs more.
  void attention(int pass) {
    const AttentionSpec& a = layer().attention;
    const int width = a.query_heads * a.head_size, kv_width = spec_.kv_width(layer_);
    made_.states.push_back({kv_width, a.window});
    const SlotId q = slot("q", width), k = slot("k", kv_width), v = slot("v", kv_width),
                 mixed = slot("mixed", width);
    begin(PartKind::attention, "attention", pass);
    norm(Role::attention_norm);
    matrix(Role::k, normed(), k, Role::k_bias);
    matrix(Role::v, normed(), v, Role::v_bias);
    turn(k, kv_width);
    step({.op = StepOp::store, .in = {k, v}, .size = kv_width, .state = pass});
    matrix(Role::q, normed(), q, Role::q_bias);
    turn(q, width);
    step({.op = StepOp::attend,
          .in = {q},
          .out = mixed,
          .size = width,
          .with = AttendWith{a.query_heads, a.kv_heads, a.head_size, a.window},
          .state = pass});
    matrix(Role::o, mixed, added());
    add(added());
  }

  void feed_forward(int pass) {
    if (layer().feed_forward.is_mixture()) {
      mixture(pass);
    } else {
      dense(pass);
    }
  }

  void dense(int pass) {
    const FeedForwardSpec& f = layer().feed_forward;
    begin(PartKind::feed_forward, "feed forward", pass);
    norm(Role::ffn_norm);
    const SlotId bent = slot("gate", f.hidden);
    std::vector<SlotId> in = {bent};
    matrix(f.gated ? Role::gate : Role::up, normed(), bent);
    if (f.gated) {
      in.push_back(slot("up", f.hidden));
      matrix(Role::up, normed(), in.back());
    }
    step({.op = StepOp::activate,
          .in = std::move(in),
          .out = bent,
          .size = f.hidden,
          .with = ActivateWith{f.activation}});
    matrix(Role::down, bent, added());
    add(added());
  }

  void mixture(int pass) {
    const FeedForwardSpec& f = layer().feed_forward;
    begin(PartKind::feed_forward, "mixture", pass);
    norm(Role::ffn_norm);
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
