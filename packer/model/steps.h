// The way of one token through a model as data: steps over vectors. What makes the blocks and the
// fast engine follows these; the verification engine reads the spec itself, so that an error here
// shows as a difference between it and them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/spec.h"
#include "model/tensor.h"

namespace sb3lm {

/// ops.def says what each of them computes.
enum class StepOp {
#define OP(name, ...) name,
#include "model/ops.def"
#undef OP
};
std::string_view op_name(StepOp op);
std::string_view op_formula(StepOp op);
/// Whether it changes `out` instead of replacing it.
bool updates(StepOp op);
/// Whether matrices multiply its first input.
bool reads_by_matrix(StepOp op);
/// In the order of ops.def.
std::vector<StepOp> all_ops();

/// A vector of the token on its way, by number: an index into ForwardSteps::slots.
using SlotId = int;
inline constexpr SlotId kNoSlot = -1;

/// One slot serves all layers: `size` is the most that it holds. `copies` vectors lie side by side
/// where each expert that runs has its own.
struct Slot {
  std::string name;
  int size = 0;
  int copies = 1;
};

/// A pass's keys and values of earlier positions, `width` numbers of each kind per position: of the
/// last `window` positions, or of all where that is 0.
struct State {
  int width = 0;
  int window = 0;
};
using StateId = int;
inline constexpr StateId kNoState = -1;

/// The row of the token so many positions back, or of that position.
struct LookupWith {
  int back = 0;
  bool operator==(const LookupWith&) const = default;
};
/// heads: how many equal parts have a norm of their own, with the same weights. factor: of what
/// comes out, before the bias. centred: less its mean first.
struct NormWith {
  double eps = 0, factor = 1;
  int heads = 1;
  bool centred = false;
  bool operator==(const NormWith&) const = default;
};
struct TurnWith {
  RopeSpec rope;
  int head_size = 0;
  bool operator==(const TurnWith&) const = default;
};
/// Query head h reads KV head h / (query_heads / kv_heads), of the last `window` positions or all.
/// Scores are scaled and capped as AttentionSpec says.
struct AttendWith {
  int query_heads = 0, kv_heads = 0, head_size = 0, window = 0;
  double score_scale = 0, score_cap = 0;
  bool operator==(const AttendWith&) const = default;
};
/// As in AttendWith; the step's state is where its values were stored.
struct ExcludeWith {
  int query_heads = 0, kv_heads = 0, head_size = 0;
  bool operator==(const ExcludeWith&) const = default;
};
struct ActivateWith {
  Activation activation{};
  bool operator==(const ActivateWith&) const = default;
};
struct RouteWith {
  int experts = 0, top_k = 0;
  RouterNorm norm{};
  bool operator==(const RouteWith&) const = default;
};
/// in: the vector, the weights of the routed experts and, where it has one, of the shared expert.
/// `most` of the routed ones have a weight. tensors: gate, up and down of each expert, without a
/// gate up and down; the shared one last. between: hidden vectors, with a gate what they are
/// multiplied by, and what an expert adds.
struct ExpertsWith {
  int routed = 0, most = 0;
  bool shared = false;
  bool gated = true;
  Activation activation = Activation::silu;
  bool operator==(const ExpertsWith&) const = default;
};
struct ScaleWith {
  double factor = 1;
  bool operator==(const ScaleWith&) const = default;
};
struct CapWith {
  double cap = 0;
  bool operator==(const CapWith&) const = default;
};
using Constants =
    std::variant<std::monostate, LookupWith, NormWith, TurnWith, AttendWith, ExcludeWith,
                 ActivateWith, RouteWith, ExpertsWith, ScaleWith, CapWith>;

struct Step {
  StepOp op{};
  std::vector<SlotId> in;
  SlotId out = kNoSlot;         // read too where the op updates it
  int size = 0;                 // numbers of `out`
  std::vector<SlotId> between;  // hold something only within the step
  std::vector<TensorKey> tensors;
  Constants with;
  StateId state = kNoState;
};

/// Steps that belong together: what comes before the layers, half of a pass, what comes after.
enum class PartKind { start, attention, feed_forward, end };
struct Part {
  PartKind kind{};
  std::string name;  // for people: "attention", "mixture"
  int pass = -1;
  std::vector<Step> steps;
};

struct ForwardSteps {
  std::vector<Slot> slots;
  std::vector<State> states;  // one per pass
  std::vector<Part> parts;    // in running order
  SlotId logits = kNoSlot;

  const Slot& slot(SlotId id) const { return slots[static_cast<std::size_t>(id)]; }
  const State& state(StateId id) const { return states[static_cast<std::size_t>(id)]; }
};

/// Of a valid spec.
ForwardSteps steps_of(const ModelSpec& spec);

/// The slots that a step reads; where it adds to `out` or turns it, that too.
std::vector<SlotId> read_slots(const Step& step);

/// The furthest token back that a step looks up.
int tokens_back(const ForwardSteps& forward);

/// For each step of each part, whether a later token depends on it: what a token does whose logits
/// nobody wants.
std::vector<std::vector<bool>> needed_later(const ForwardSteps& forward);

/// Matrices that multiply one vector one after the other, so that it need be prepared for them
/// once: for each step of a part, the first of the steps that read the same value of the same slot
/// through matrices; its own number for the first, -1 for steps that multiply nothing.
std::vector<int> first_readers(const Part& part);

}  // namespace sb3lm
