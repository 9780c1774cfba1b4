// Plans: what rounding a matrix does, measured; and the choice of widths against every choice there
// is.
#include <doctest/doctest.h>

#include <cmath>

#include "base/entropy.h"
#include "quant/plan.h"
#include "quant/recipe.h"
#include "quant/rtn.h"
#include "runtime_ref/activations.h"
#include "runtime_ref/ops.h"
#include "runtime_ref/sensitivity.h"
#include "support/tiny_model.h"
#include "synth/random.h"

namespace {

using namespace sb3lm;

const std::vector<int> kTokens = {3, 200, 17, 17, 511, 80, 44, 9};

/// Units with random options: narrower ones are smaller and worse.
std::vector<PlanUnit> random_units(Random& random, int count) {
  std::vector<PlanUnit> units;
  for (int i = 0; i < count; ++i) {
    PlanUnit unit{.key = {Role::q, i}};
    const double weights = 100 + 900 * random.uniform(), share = random.uniform();
    for (int bits = 1; bits <= 4; ++bits) {
      unit.options.push_back({.bits = bits,
                              .bytes = weights * (bits - 0.3 * random.uniform()),
                              .damage = share * std::pow(0.2 + 0.1 * random.uniform(), bits)});
    }
    units.push_back(unit);
  }
  return units;
}

/// The least damage of all 4^n choices that fit; infinity if none does.
double least_damage(std::vector<PlanUnit> units, double bytes, const WidthCosts& costs) {
  double least = HUGE_VAL;
  for (int choice = 0; choice < 1 << (2 * units.size()); ++choice) {
    for (std::size_t i = 0; i < units.size(); ++i) units[i].chosen = choice >> (2 * i) & 3;
    if (planned_bytes(units, costs) > bytes) continue;
    least = std::min(least, planned_damage(units));
  }
  return least;
}

const PlanUnit& unit_of(const std::vector<PlanUnit>& units, const TensorKey& key) {
  for (const PlanUnit& unit : units) {
    if (unit.key == key) return unit;
  }
  throw std::runtime_error("no such unit");
}

}  // namespace

TEST_CASE("the choice fits, and is hardly worse than the best of all choices") {
  Random random(3);
  double sum = 0, best_sum = 0;
  for (int round = 0; round < 40; ++round) {
    std::vector<PlanUnit> units = random_units(random, 5);
    const WidthCosts costs = {0, 20, 50, 300, 40};
    for (PlanUnit& unit : units) unit.chosen = 3;
    const double bytes = planned_bytes(units, costs) * (0.3 + 0.7 * random.uniform());
    const double best = least_damage(units, bytes, costs);
    CAPTURE(round);
    CHECK(choose_widths(units, bytes, costs) == std::isfinite(best));
    if (!std::isfinite(best)) continue;
    CHECK(planned_bytes(units, costs) <= bytes);
    CHECK(planned_damage(units) >= best * (1 - 1e-12));
    sum += planned_damage(units);
    best_sum += best;
  }
  REQUIRE(best_sum > 0);
  CHECK(sum <= 1.15 * best_sum);
}

TEST_CASE("no width is paid for that another could replace: never worse than one width for all") {
  Random random(8);
  for (int round = 0; round < 20; ++round) {
    std::vector<PlanUnit> units = random_units(random, 9);
    const WidthCosts costs = {0, 800, 900, 4000, 700};
    for (std::size_t width = 0; width < 4; ++width) {
      for (PlanUnit& unit : units) unit.chosen = width;
      const double damage = planned_damage(units);
      std::vector<PlanUnit> planned = units;
      REQUIRE(choose_widths(planned, planned_bytes(units, costs), costs));
      CHECK(planned_damage(planned) <= damage);
    }
  }
}

TEST_CASE("too little room: the narrowest of all") {
  Random random(1);
  std::vector<PlanUnit> units = random_units(random, 3);
  CHECK_FALSE(choose_widths(units, 10, {}));
  for (const PlanUnit& unit : units) CHECK(unit.choice().bits == 1);
}

TEST_CASE("activations: what enters the first layer's projections is the normed embedding") {
  const Model model = tiny_model("tiny-moe");
  SilentProgress silent;
  const ActivationStats stats = collect_activations(model, kTokens, silent);
  CHECK(stats.tokens == static_cast<int>(kTokens.size()));
  const auto width = static_cast<std::size_t>(model.spec.width);
  std::vector<double> expected(width), row(width), normed(width);
  for (const int token : kTokens) {
    ops::dequantise_row(model.at({Role::embedding}), token, row);
    ops::rms_norm(model.at({Role::attention_norm, 0}), row, model.spec.norm_eps, normed);
    for (std::size_t i = 0; i < width; ++i) expected[i] += normed[i] * normed[i];
  }
  CHECK(stats.input_power.at({Role::q, 0}) == expected);
  CHECK(stats.input_power.at({Role::v, 0}) == expected);
  // Every layer adds to the stream; the one that runs twice does so twice.
  for (int layer = 0; layer < 3; ++layer) {
    CHECK(stats.stream_share.at({Role::o, layer}) > 0);
    CHECK(stats.stream_share.at({Role::shared_down, layer}) > 0);
  }
  CHECK(stats.input_power.contains({Role::embedding}));  // as the head
}

TEST_CASE("units: bytes at the entropy, noise weighted by the inputs, damage as measured") {
  const Model model = tiny_model("tiny-dense");
  SilentProgress silent;
  const ActivationStats stats = collect_activations(model, kTokens, silent);
  const std::vector<PlanUnit> units = plan_units(model, stats, 2, silent);
  const TensorKey key{Role::o, 1};
  const PlanUnit& unit = unit_of(units, key);
  REQUIRE(unit.options.size() == 8);
  const auto& exact = std::get<FloatTensor>(model.at(key));
  const std::vector<double>& power = stats.input_power.at(key);
  for (int bits = 2; bits <= 8; bits += 3) {
    const CodedTensor coded = quantise_rows(exact, bits);
    double noise = 0, whole = 0;
    for (int row = 0; row < exact.shape.rows; ++row) {
      for (int col = 0; col < exact.shape.cols; ++col) {
        const double weight = weight_at(exact, row, col), off = weight - weight_at(coded, row, col);
        noise += off * off * power[static_cast<std::size_t>(col)];
        whole += weight * weight * power[static_cast<std::size_t>(col)];
      }
    }
    const WidthOption& option = unit.options[static_cast<std::size_t>(bits - 1)];
    const double expected = noise / whole * stats.stream_share.at(key) / stats.tokens;
    CHECK(option.damage == doctest::Approx(expected).epsilon(1e-9));
    CHECK(option.bytes == entropy_bits_of_bytes(coded.codes) / 8);
  }

  std::vector<PlanUnit> calibrated = units;
  calibrate_damage(model, kTokens, 2, calibrated, silent);
  std::vector<PlanUnit> alone = units;
  calibrate_damage(model, kTokens, 1, alone, silent);
  for (std::size_t i = 0; i < units.size(); ++i) {
    CHECK(calibrated[i].options[2].damage > 0);
    for (std::size_t at = 0; at < units[i].options.size(); ++at) {
      CHECK(calibrated[i].options[at].damage == alone[i].options[at].damage);
      CHECK(calibrated[i].options[at].damage * units[i].options[2].damage ==
            doctest::Approx(units[i].options[at].damage * calibrated[i].options[2].damage));
    }
  }
}

TEST_CASE("packed checkpoints: fewer bits only, the stored ones do no damage") {
  const Model model = tiny_model("tiny-moe");
  SilentProgress silent;
  const std::vector<PlanUnit> units =
      plan_units(model, collect_activations(model, kTokens, silent), 0, silent);
  for (const PlanUnit& unit : units) {
    CAPTURE(tensor_key_text(unit.key));
    CHECK(unit.stored_bits == static_cast<int>(unit.options.size()));
    CHECK(unit.choice().bits == unit.stored_bits);
    CHECK(unit.choice().damage == 0);
    if (unit.stored_bits > 1) CHECK(unit.options[0].damage > 0);
  }
  CHECK(unit_of(units, {Role::expert_up, 0}).weights == 4 * 32 * 64);
}
