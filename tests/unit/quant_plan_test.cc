// Plans: what rounding a matrix does, measured; and the choice of widths against every choice there
// is.
#include <doctest/doctest.h>

#include <cmath>

#include "base/entropy.h"
#include "quant/plan.h"
#include "quant/recipe.h"
#include "quant/rtn.h"
#include "runtime_ref/sensitivity.h"
#include "support/tiny_model.h"
#include "synth/random.h"

namespace {

using namespace sb3lm;

const Windows kText = {{3, 200, 17, 17, 511, 80}, {44, 9}};

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

TEST_CASE("units: bytes at the entropy, damage as measured") {
  const Model model = tiny_model("tiny-dense");
  SilentProgress silent;
  std::vector<PlanUnit> units = plan_units(model, 2, silent);
  const TensorKey key{Role::o, 1};
  REQUIRE(unit_of(units, key).options.size() == 8);
  const auto& exact = std::get<FloatTensor>(model.at(key));
  for (int bits = 2; bits <= 8; bits += 3) {
    const WidthOption& option = unit_of(units, key).options[static_cast<std::size_t>(bits - 1)];
    CHECK(option.bytes == entropy_bits_of_bytes(quantise_rows(exact, bits).codes) / 8);
    CHECK(option.damage == 0);
  }

  std::vector<PlanUnit> alone = units;
  measure_damage(model, round_to_nearest, kText, 2, units, silent);
  measure_damage(model, round_to_nearest, kText, 1, alone, silent);
  for (std::size_t i = 0; i < units.size(); ++i) {
    CAPTURE(tensor_key_text(units[i].key));
    for (std::size_t at = 0; at < units[i].options.size(); ++at) {
      CHECK(units[i].options[at].damage == alone[i].options[at].damage);
      CHECK(units[i].options[at].damage > 0);
      if (at > 0) CHECK(units[i].options[at].damage <= units[i].options[at - 1].damage);
    }
  }
  Model rounded = model;
  round_to_nearest(rounded, {{key, 3}});
  const PlanUnit& unit = unit_of(units, key);
  CHECK(unit.options[2].damage == divergence(model, rounded, kText));
  CHECK(unit.options[4].damage == unit.options[3].damage / 4);
}

TEST_CASE("damage among others: what a unit adds to what all of them do") {
  const Model model = tiny_model("tiny-dense");
  SilentProgress silent;
  std::vector<PlanUnit> units = plan_units(model, 2, silent);
  Widths widths;
  for (PlanUnit& unit : units) {
    unit.chosen = 2;
    widths[unit.key] = 3;
  }
  Model planned = model;
  round_to_nearest(planned, widths);
  std::vector<PlanUnit> alone = units;
  measure_damage_among(model, planned, round_to_nearest, kText, 2, units, silent);
  measure_damage_among(model, planned, round_to_nearest, kText, 1, alone, silent);
  for (std::size_t i = 0; i < units.size(); ++i) {
    CAPTURE(tensor_key_text(units[i].key));
    const auto& options = units[i].options;
    for (std::size_t at = 0; at < options.size(); ++at) {
      CHECK(options[at].damage == alone[i].options[at].damage);
      CHECK(options[at].damage > 0);
      if (at > 0) CHECK(options[at].damage <= options[at - 1].damage);
    }
    CHECK(options[4].damage == options[3].damage / 4);
  }
  const TensorKey key{Role::down, 0};
  const double whole = divergence(model, planned, kText);
  const auto damage_at = [&](int bits) {
    Model trial = planned, without = planned;
    trial.tensors.at(key) = without.tensors.at(key) = model.at(key);
    round_to_nearest(trial, {{key, bits}});
    return std::max(divergence(model, trial, kText) - divergence(model, without, kText),
                    whole / (20.0 * static_cast<double>(units.size())));
  };
  const auto& options = unit_of(units, key).options;
  const double four = damage_at(4), three = std::max(damage_at(3), four);
  CHECK(options[3].damage == four);
  CHECK(options[2].damage == three);
  CHECK(options[1].damage == std::max(damage_at(2), three));
  CHECK(options[0].damage == std::max(4 * damage_at(2), options[1].damage));
}

TEST_CASE("packed checkpoints: fewer bits only, the stored ones do no damage") {
  const Model model = tiny_model("tiny-moe");
  SilentProgress silent;
  std::vector<PlanUnit> units = plan_units(model, 0, silent);
  measure_damage(model, round_to_nearest, kText, 0, units, silent);
  for (const PlanUnit& unit : units) {
    CAPTURE(tensor_key_text(unit.key));
    CHECK(unit.stored_bits == static_cast<int>(unit.options.size()));
    CHECK(unit.choice().bits == unit.stored_bits);
    CHECK(unit.choice().damage == 0);
    if (unit.stored_bits > 1) CHECK(unit.options[0].damage > 0);
  }
  CHECK(unit_of(units, {Role::expert_up, 0}).weights == 4 * 32 * 64);
}
