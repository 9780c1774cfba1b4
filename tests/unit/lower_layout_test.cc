// Where things lie: nothing overlaps, everything fits, padding is what the kernels read.
#include <doctest/doctest.h>

#include <algorithm>
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
  CHECK(layout.span >= context);
  CHECK(layout.span < context + kValueBlock);
  CHECK(layout.span % kValueBlock == 0);
  std::vector<Range> caches;
  for (std::size_t pass = 0; pass < model.spec.passes.size(); ++pass) {
    caches.push_back({layout.cache_at[pass],
                      std::int64_t{layout.span} * model.spec.kv_width(model.spec.passes[pass]),
                      "cache"});
  }
  check_ranges(caches, layout.cache, false);
}

void check_activations(const Model& model, int context) {
  const Layout layout = make_layout(model, context, "digits");
  const Regions& act = layout.act;
  int heads = 0, kv = 0, hidden = 0, slots = 1, experts = 0;
  for (const LayerSpec& layer : model.spec.layers) {
    heads = std::max(heads, layer.attention.query_heads * layer.attention.head_size);
    kv = std::max(kv, layer.attention.kv_heads * layer.attention.head_size);
    const FeedForwardSpec& ffn = layer.feed_forward;
    hidden = std::max({hidden, ffn.hidden, ffn.shared_hidden});
    slots = std::max(slots, ffn.top_k + ffn.shared_experts);
    experts = std::max(experts, ffn.routed_experts);
  }
  const int width = padded_size(model.spec.width);
  CHECK(act.hidden_stride >= padded_size(hidden));
  check_ranges({{act.x, width, "x"},
                {act.norm, width, "norm"},
                {act.q, padded_size(heads), "q"},
                {act.k, padded_size(kv), "k"},
                {act.v, padded_size(kv), "v"},
                {act.scores, layout.span, "scores"},
                {act.mix, padded_size(heads), "mix"},
                {act.out, width, "out"},
                {act.gate, std::int64_t{slots} * act.hidden_stride, "gate"},
                {act.up, std::int64_t{slots} * act.hidden_stride, "up"},
                {act.router_logits, experts, "router logits"},
                {act.router_weights, experts, "router weights"},
                {act.logits, model.spec.vocabulary, "logits"}},
               act.size, true);
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
    if (preset.name.starts_with("ssmoelm")) continue;  // big, and nothing new
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
