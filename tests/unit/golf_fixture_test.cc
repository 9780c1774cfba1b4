// The engine and the blocks against PyTorch: tiny models of parameter-golf's, Shard's and SlimMoE's
// families, whose logits tests/torch/make_fixtures.py has computed in float64. Each formula broken
// alone must show.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "support/fixtures.h"

using namespace sb3lm;
using test::Fixture;
using test::fixture_block_error;
using test::fixture_cases;
using test::fixture_error;
using test::fixture_model;

namespace {

constexpr double kTolerance = 1e-12;  // of the largest logit: both sides round in double
constexpr double kMiss = 1e-6;        // what a wrong formula is off by, at least

const std::vector<std::string> kNames{"tiny-golf-nb", "tiny-golf-ve", "tiny-golf592",
                                      "tiny-golf585", "tiny-shard",   "tiny-shard-fused"};

/// A model with one thing wrong.
struct Broken {
  std::string what;
  std::string name;
  std::function<void(Model&)> change;
  std::size_t number = 0;  // of the fixture's cases
};

AttentionSpec& attention(Model& model, int layer) {
  return model.spec.layers.at(static_cast<std::size_t>(layer)).attention;
}

std::function<void(Model&)> everywhere(const std::function<void(LayerSpec&)>& change) {
  return [change](Model& model) {
    for (LayerSpec& layer : model.spec.layers) change(layer);
  };
}

void swap_tensors(Model& model, TensorKey one, TensorKey other) {
  std::swap(model.tensors.at(one), model.tensors.at(other));
}

void swap_rows(Tensor& tensor, int one, int other) {
  auto& coded = std::get<CodedTensor>(tensor);
  const auto cols = static_cast<std::size_t>(coded.shape.cols);
  const auto at = [&](int row) {
    return coded.codes.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(row) * cols);
  };
  std::swap_ranges(at(one), at(one + 1), at(other));
  std::swap(coded.row_scale[static_cast<std::size_t>(one)],
            coded.row_scale[static_cast<std::size_t>(other)]);
}

/// Brings each row of the bigrams' table to where a hash with swapped constants looks for it, as
/// far as the fixture's tokens go.
void hash_otherwise(Model& model) {
  Tensor& table = model.tensors.at({Role::bigram_embedding});
  swap_rows(table, bigram_row(model.spec.bigram_buckets, 17, 1),
            ((27191 * 17) ^ 36313) % (model.spec.bigram_buckets - 1));
}

/// The first token hashed with a token 0 before it, as if a sequence had no beginning.
void hash_the_first(Model& model) {
  swap_rows(model.tensors.at({Role::bigram_embedding}), model.spec.bigram_buckets - 1,
            bigram_row(model.spec.bigram_buckets, 1, 0));
}

/// The first one left joins first.
void take_skips_in_order(Model& model) {
  const int half = static_cast<int>(model.spec.layers.size()) / 2;
  for (int i = 0; i < half / 2; ++i) {
    swap_tensors(model, {Role::skip_scale, half + i}, {Role::skip_scale, 2 * half - 1 - i});
  }
}

void set_all(Model& model, Role role, double value) {
  for (auto& [key, tensor] : model.tensors) {
    if (key.role != role) continue;
    for (float& number : std::get<FloatTensor>(tensor).values) number = static_cast<float>(value);
  }
}

std::function<void(Model&)> rope(const std::function<void(RopeSpec&)>& change) {
  return everywhere([change](LayerSpec& layer) { change(layer.attention.rope); });
}

void move_value_embedding(Model& model) {
  const int last = static_cast<int>(model.spec.layers.size()) - 1;
  AttentionSpec &from = attention(model, last), &to = attention(model, last - 2);
  std::swap(from.value_embedding, to.value_embedding);
  auto node = model.tensors.extract({Role::value_layer_scale, last});
  node.key().layer = last - 2;
  model.tensors.insert(std::move(node));
}

std::vector<Broken> broken_golf(const std::string& name) {
  std::vector<Broken> all{
      {"the base of short contexts", name, rope([](RopeSpec& r) { r.base = 10000; })},
      {"the base of another context", name, rope([](RopeSpec& r) { r.base *= 1.01; })},
      {"rotation the other way", name, rope([](RopeSpec& r) { r.sign = 1; })},
      {"neighbours as pairs", name, rope([](RopeSpec& r) { r.layout = RopeLayout::interleaved; })},
      {"one layer more is exclusive", name,
       [](Model& m) { attention(m, 0).exclusive = !attention(m, 0).exclusive; }},
      {"one layer less is exclusive", name,
       [](Model& m) {
         const int last = static_cast<int>(m.spec.layers.size()) - 1;
         attention(m, last).exclusive = false;
       }},
      {"value embeddings in another layer", name, move_value_embedding},
      {"value embeddings in the other order", name,
       [](Model& m) {
         const int last = static_cast<int>(m.spec.layers.size()) - 1;
         swap_tensors(m, {Role::value_layer_scale, last}, {Role::value_layer_scale, last - 1});
       }},
      {"skips in order", name, take_skips_in_order},
      {"no skips", name, [](Model& m) { set_all(m, Role::skip_scale, 0); }},
      {"no smear", name, [](Model& m) { m.spec.smear = false; }},
      {"a smear of equal halves", name, [](Model& m) { set_all(m, Role::smear_share, 0); }},
      {"no start norm", name, [](Model& m) { m.spec.start_norm = false; }},
      {"the start for the stream", name,
       [](Model& m) {
         swap_tensors(m, {Role::stream_mix, 1}, {Role::start_mix, 1});
       }},
      {"no scale of the norms", name, everywhere([](LayerSpec& l) { l.norm_factor = 1; })},
      {"norms scaled by the number of the next layer", name,
       everywhere([](LayerSpec& l) { l.norm_factor = 1 / std::sqrt(l.id + 2.0); })},
      {"the hash's constants", name, hash_otherwise},
      {"the first token's row", name, hash_the_first},
      {"no gain", name, [](Model& m) { set_all(m, Role::query_gain, 1); }},
      {"no scales of what is added", name, [](Model& m) { set_all(m, Role::ffn_scale, 1); }},
      {"another cap", name, [](Model& m) { m.spec.logit_cap = 15; }},
      {"no cap", name, [](Model& m) { m.spec.logit_cap = 0; }},
      {"another epsilon", name, [](Model& m) { m.spec.norm_eps = 1e-5; }},
      {"half of what is below 0", name,
       everywhere([](LayerSpec& l) { l.feed_forward.activation = Activation::leaky_relu2; })},
      {"heads not normed", name,
       everywhere([](LayerSpec& l) { l.attention.head_norm = HeadNorm::none; })},
      {"tables not rounded", name, [](Model&) {}, 1},
  };
  return all;
}

const std::vector<Broken>& broken_shards() {
  static const std::vector<Broken> all{
      {"a window one too long", "tiny-shard", everywhere([](LayerSpec& l) {
         if (l.attention.window > 0) ++l.attention.window;
       })},
      {"a window one too short", "tiny-shard", everywhere([](LayerSpec& l) {
         if (l.attention.window > 0) --l.attention.window;
       })},
      {"the same over a long text", "tiny-shard", everywhere([](LayerSpec& l) {
         if (l.attention.window > 0) ++l.attention.window;
       }),
       1},
      {"the last layer slides too", "tiny-shard-fused",
       [](Model& m) { attention(m, 2).window = attention(m, 0).window; }},
      {"windows in the other layers", "tiny-shard",
       [](Model& m) {
         for (const int i : {0, 2}) std::swap(attention(m, i).window, attention(m, i + 1).window);
       }},
      {"rotation the other way", "tiny-shard", rope([](RopeSpec& r) { r.sign = -1; })},
      {"neighbours as pairs", "tiny-shard",
       rope([](RopeSpec& r) { r.layout = RopeLayout::interleaved; })},
      {"no cap", "tiny-shard", [](Model& m) { m.spec.logit_cap = 0; }},
      {"gate for up", "tiny-shard-fused",
       [](Model& m) {
         swap_tensors(m, {Role::gate, 1}, {Role::up, 1});
       }},
      {"q for k", "tiny-shard-fused",
       [](Model& m) {
         swap_tensors(m, {Role::q, 1}, {Role::k, 1});
       }},
      {"k for v", "tiny-shard-fused",
       [](Model& m) {
         swap_tensors(m, {Role::k, 1}, {Role::v, 1});
       }},
  };
  return all;
}

/// The breaks that are one for this model: "no smear" is none without a smear.
bool applies(const Broken& broken, const ModelSpec& spec) {
  const std::string& what = broken.what;
  if (what == "tables not rounded") return true;
  if (spec.bigram_buckets == 0) {
    for (const char* part : {"smear", "hash", "token's row"}) {
      if (what.find(part) != std::string::npos) return false;
    }
  }
  if (spec.value_size() > 0) return true;
  for (const char* part : {"short contexts", "value emb", "less is", "of the norms"}) {
    if (what.find(part) != std::string::npos) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("the engine computes what PyTorch computes") {
  for (const std::string& name : kNames) {
    const std::vector<Fixture> cases = fixture_cases(name);
    REQUIRE(cases.size() >= 2);
    for (const Fixture& fixture : cases) {
      CAPTURE(name);
      CAPTURE(fixture.about());
      CHECK(fixture_error(fixture_model(name, fixture), fixture) < kTolerance);
    }
  }
}

TEST_CASE("each formula of parameter-golf broken alone misses") {
  for (const std::string name : {"tiny-golf-nb", "tiny-golf-ve", "tiny-golf592", "tiny-golf585"}) {
    const std::vector<Fixture> cases = fixture_cases(name);
    const Model right = fixture_model(name, cases[0]);
    std::size_t tried = 0;
    for (const Broken& broken : broken_golf(name)) {
      if (!applies(broken, right.spec)) continue;
      CAPTURE(name);
      CAPTURE(broken.what);
      Model wrong = right;
      broken.change(wrong);
      CHECK(fixture_error(wrong, cases[broken.number]) > kMiss);
      ++tried;
    }
    CHECK(tried >= 15);
  }
}

TEST_CASE("each formula of Shard broken alone misses") {
  for (const Broken& broken : broken_shards()) {
    const std::vector<Fixture> cases = fixture_cases(broken.name);
    CAPTURE(broken.what);
    Model wrong = fixture_model(broken.name, cases[0]);
    broken.change(wrong);
    CHECK(fixture_error(wrong, cases[broken.number]) > kMiss);
  }
}

TEST_CASE("the blocks compute what PyTorch computes") {
  for (const std::string& name : kNames) {
    const std::vector<Fixture> cases = fixture_cases(name);
    for (const Fixture& fixture : cases) {
      CAPTURE(name);
      CAPTURE(fixture.about());
      CHECK(fixture_block_error(fixture_model(name, fixture), fixture) < 1e-9);
    }
  }
}

TEST_CASE("SlimMoE's mixtures compute what PyTorch computes") {
  for (const std::string name : {"tiny-slimmoe", "tiny-slimmoe-swiglu"}) {
    CAPTURE(name);
    const Fixture fixture = fixture_cases(name).at(0);
    const Model model = fixture_model(name, fixture);
    CHECK(fixture_error(model, fixture) < kTolerance);
    CHECK(fixture_block_error(model, fixture) < 1e-9);
  }
}
