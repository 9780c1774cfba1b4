// Where things lie: nothing overlaps, everything fits, padding is what the kernels read.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "lower/layout.h"
#include "support/random_model.h"
#include "support/tiny_model.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;

struct Range {
  std::int64_t first, count;
  std::string what;
};

// The ranges fill 1..size without overlap; gaps only where allowed.
void check_ranges(std::vector<Range> ranges, std::int64_t size, bool gaps) {
  std::erase_if(ranges, [](const Range& range) { return range.count == 0; });
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.first < b.first; });
  std::int64_t next = 1;
  for (const Range& range : ranges) {
    CAPTURE(range.what);
    CHECK(range.first >= next);
    if (!gaps) CHECK(range.first == next);
    next = range.first + range.count;
  }
  CHECK(next - 1 <= size);
  if (!gaps) CHECK(next - 1 == size);
}

std::int64_t scale_items(const TensorPlace& place) {
  return place.storage == Storage::codes ? place.shape.rows
                                         : std::int64_t{place.stride} * place.shape.rows;
}

void check_layout(const Model& model, int context) {
  const Layout layout = make_layout(model, context, "digits");
  const auto expected = expected_tensors(model.spec);
  REQUIRE(layout.tensors.size() == expected.size());
  std::vector<Range> codes, scales;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const TensorPlace& place = layout.tensors[i];
    const std::string what = tensor_key_text(place.key);
    CHECK(place.key == expected[i].first);
    CHECK(place.shape == expected[i].second);
    CHECK(&layout.at(place.key) == &place);
    if (place.storage == Storage::codes) {
      codes.push_back({place.codes_at,
                       std::int64_t{place.groups()} * place.format.bits * place.shape.rows, what});
    }
    scales.push_back({place.scales_at, scale_items(place), what});
    const auto floats = static_cast<std::int64_t>(layout.floats.size());
    CHECK((place.storage == Storage::floats) == (place.scales_at <= floats));
  }
  check_ranges(codes, layout.codes, false);
  check_ranges(scales, static_cast<std::int64_t>(layout.floats.size()) + layout.scales, false);

  CHECK(layout.context == context);
  std::vector<Range> caches;
  for (std::size_t pass = 0; pass < model.spec.passes.size(); ++pass) {
    const StatePlace& state = layout.states[pass];
    const int layer = model.spec.passes[pass];
    const int window = model.spec.layers[static_cast<std::size_t>(layer)].attention.window;
    const int seen = window > 0 ? std::min(window, context) : context;
    CHECK(state.span >= seen);
    CHECK(state.span < (state.wraps ? seen : context) + kValueBlock);
    CHECK(state.span % kValueBlock == 0);
    CHECK(state.width == model.spec.kv_width(layer));
    caches.push_back({state.at, std::int64_t{state.span} * state.width, "cache"});
  }
  check_ranges(caches, layout.cache, false);
}

// The activations while a token goes through all steps: who has written each item last.
class Act {
 public:
  explicit Act(const Layout& layout)
      : layout_(layout), writer_(static_cast<std::size_t>(layout.act.size), kNobody) {}

  void run(const Step& step) {
    CAPTURE(op_name(step.op));
    for (const SlotId slot : read_slots(step)) check_holds(slot, size_of(step, slot));
    if (step.op == StepOp::matrix || step.op == StepOp::experts) check_zeros(step);
    if (step.op == StepOp::attend) {
      int span = 0;
      for (const StatePlace& state : layout_.states) span = std::max(span, state.span);
      write(layout_.act.scores, kHeadsAtOnce * (span + kValueBlock), kScores);
      check_holds(step.in[0], size_of(step, step.in[0]));
    }
    for (const SlotId slot : step.between) {
      const Slot& about = layout_.forward.slot(slot);
      write(layout_.act.of(slot), about.copies * layout_.act.stride[static_cast<std::size_t>(slot)],
            slot);
    }
    for (const SlotId slot : read_slots(step)) check_holds(slot, size_of(step, slot));
    if (step.out == kNoSlot) return;
    write(layout_.act.of(step.out), step.size, step.out);
    for (const SlotId slot : step.in) check_holds(slot, size_of(step, slot));
    held_[step.out] = step.size;
  }
  void check_holds(SlotId slot, int size) {
    CAPTURE(layout_.forward.slot(slot).name);
    bool holds = true;
    for (int i = 0; i < size; ++i) holds = holds && at(layout_.act.of(slot) + i) == slot;
    CHECK(holds);
  }

 private:
  static constexpr int kNobody = -1, kScores = -2;

  int& at(int item) { return writer_.at(static_cast<std::size_t>(item - 1)); }
  void write(int first, int count, int who) {
    for (int i = 0; i < count; ++i) at(first + i) = who;
  }
  int size_of(const Step& step, SlotId slot) { return slot == step.out ? step.size : held_[slot]; }
  // What the kernels read past the end of a vector, unless it is cleared before.
  void check_zeros(const Step& step) {
    const SlotId in = step.in[0];
    if (layout_.act.changes[static_cast<std::size_t>(in)]) return;
    const int size = held_[in];
    for (int i = size; i < padded_size(size); ++i) CHECK(at(layout_.act.of(in) + i) == kNobody);
  }

  const Layout& layout_;
  std::vector<int> writer_;
  std::map<SlotId, int> held_;
};

void check_activations(const Model& model, int context) {
  const Layout layout = make_layout(model, context, "digits");
  Act act(layout);
  for (int token = 0; token < 2; ++token) {
    for (const Part& part : layout.forward.parts) {
      for (const Step& step : part.steps) act.run(step);
    }
    act.check_holds(layout.forward.logits, model.spec.vocabulary);
  }
}

// Every tensor's letters read back to its codes, from the place that the layout names.
void check_text(const Model& model) {
  const Layout layout = make_layout(model, 16, "digits");
  const auto halves = [&](std::int64_t first_item, std::int64_t letter) {
    std::vector<std::string_view> streams;
    for (int k = 0; k < kHalfStreams; ++k) {
      const std::string_view item = layout.text.at(static_cast<std::size_t>(first_item - 1 + k));
      streams.push_back(item.substr(static_cast<std::size_t>(letter - 1)));
    }
    return streams;
  };
  for (const TensorPlace& place : layout.tensors) {
    CAPTURE(tensor_key_text(place.key));
    if (place.storage != Storage::codes) continue;
    const auto& coded = std::get<CodedTensor>(model.at(place.key));
    const CodeEncoding& encoding = code_encoding(place.encoding);
    std::vector<std::string_view> letters;
    for (int stream = 0; stream < encoding.streams(coded.format.bits); ++stream) {
      const std::string_view item =
          layout.text.at(static_cast<std::size_t>(place.text_item - 1 + stream));
      letters.push_back(item.substr(static_cast<std::size_t>(place.text_letter - 1)));
    }
    CodedTensor read{.shape = place.shape, .format = place.format};
    std::string_view codebook;
    if (encoding.codebook_letters(coded.format.bits) > 0) {
      codebook = layout.text.at(static_cast<std::size_t>(place.text_item - 2));
    }
    encoding.unpack(letters, codebook, read);
    CHECK(read.codes == coded.codes);
    CHECK(unpack_halves(halves(place.scale_item, place.scale_letter), place.base,
                        coded.row_scale.size()) == coded.row_scale);
  }
}

}  // namespace

TEST_CASE("tensors, caches and activations of every preset have places of their own") {
  for (const SynthPreset& preset : synth_presets()) {
    if (preset.full_scale) continue;  // big, and nothing new
    CAPTURE(std::string(preset.name));
    const Model model = tiny_model(std::string(preset.name));
    for (const int context : {1, 16, 17, 50}) {
      check_layout(model, context);
      check_activations(model, context);
    }
    check_text(model);
  }
}

TEST_CASE("all code widths side by side: text items of each width together, halves last") {
  Model model = tiny_model("tiny-moe");
  Random random(1);
  int bits = 0;
  for (auto& [key, tensor] : model.tensors) {
    if (!std::holds_alternative<CodedTensor>(tensor)) continue;
    tensor = random_codes(random, shape_of(tensor), 1 + bits++ % 8);
  }
  check_layout(model, 16);
  check_text(model);
  const Layout layout = make_layout(model, 16, "digits");
  constexpr std::int64_t kStreams = kHalfStreams;
  CHECK(layout.text.size() == 1 + 3 + 4 + 3 + 4 + 4 + 3 + 3 + 3 * kStreams);
  const auto first = static_cast<std::int64_t>(layout.text.size()) + 1 - 3 * kStreams;
  CHECK(layout.at({Role::q, 0}).scale_item == first);
  CHECK(layout.at({Role::router, 0}).text_item == first + kStreams);
  CHECK(layout.at({Role::final_norm}).text_item == first + 2 * kStreams);
}

TEST_CASE("float storage by type: halves decoded, others preloaded with padded rows") {
  Model model = tiny_model("tiny-moe");
  Random random(2);
  const TensorKey router{Role::router, 0}, norm{Role::final_norm};
  model.tensors[router] = random_floats(random, shape_of(model.at(router)), FloatType::bf16);
  model.tensors[norm] = random_floats(random, shape_of(model.at(norm)), FloatType::f32);
  const Layout layout = make_layout(model, 16, "digits");
  CHECK(layout.at(router).storage == Storage::floats);
  CHECK(layout.at(router).type == FloatType::bf16);
  CHECK(layout.at(norm).storage == Storage::floats);
  CHECK(layout.at({Role::router, 1}).storage == Storage::halves);
  check_layout(model, 16);
}

TEST_CASE("padding covers whole groups of 8 and whole chunks of float products") {
  CHECK(padded_size(1) == 8);
  CHECK(padded_size(8) == 8);
  CHECK(padded_size(96) == 96);
  for (int size = 1; size < 2000; ++size) {
    CHECK(padded_size(size) >= DotShape::of(size).stride());
    CHECK(padded_size(size) >= DotShape::of(size, DotShape::kRareChunk).stride());
    CHECK(padded_size(size) >= 8 * group_count(size));
    CHECK(DotShape::of(size).stride() >= size);
    CHECK(DotShape::of(size).chunk <= kMaxTerms);
  }
}
