#include "plan_fit.h"

#include "base/error.h"
#include "load.h"
#include "packing.h"
#include "quant/encoding.h"
#include "quant/gptq.h"
#include "report/separators.h"
#include "runtime_ref/sensitivity.h"

namespace sb3lm {
namespace {

constexpr int kMostBuilds = 6;
constexpr int kMostRounds = 3;  // of measuring among what a plan has rounded
// Less room than this is not worth another build.
constexpr double kSpareShare = 0.0005;
// What a first guess assumes of blocks, tokenizer and the rest; the first build corrects it.
constexpr double kFirstOverhead = 150'000;

Recipe recipe_with(const Recipe& asked, const std::vector<PlanUnit>& units) {
  Recipe recipe = asked;
  for (const PlanUnit& unit : units) recipe.bits[unit.key] = unit.choice().bits;
  return recipe;
}

/// How single matrices are rounded to see what that does: by the quantiser that builds.
RoundMatrices trial_rounding(const Model& model, const InputOptions& input, Progress& progress) {
  if (input.recipe.quantiser.value_or(quantiser_of(model, {.float_bits = 4})) != Quantiser::gptq) {
    return round_to_nearest;
  }
  Windows given = calibration_text(input, model);
  return [calibration = calibrate(model, given, {}, progress)](Model& trial, const Widths& widths) {
    round_for(trial, widths, calibration);
  };
}

/// How much the rest of a file takes is only known once it is built.
class Planner {
 public:
  Planner(const Model& model, const PlanOptions& options, std::span<const int> tokens,
          Progress& progress)
      : model_(model),
        tokens_(tokens),
        threads_(options.threads),
        build_(with_defaults(options.build)),
        fit_(options.fit),
        progress_(progress),
        gptq_(gptq_rounding(options.build.input, progress)),
        round_(trial_rounding(model, options.build.input, progress)),
        costs_(width_costs(model, code_encoding(pack_request(build_, {}).lower.encoding.usual),
                           threads_, progress)) {}

  Planned plan() {
    std::vector<PlanUnit> units = plan_units(model_, threads_, progress_);
    measure_damage(model_, round_, tokens_, threads_, units, progress_);
    Planned best = settle(units);
    if (best.sb3_bytes == 0) {
      fail(Fault::mismatch, "{}: at its narrowest it takes {} bytes, {} were asked for",
           build_.input.file.string(), with_separators(smallest_), with_separators(fit_));
    }
    // What each unit does alone is not what it does among others that are rounded too.
    for (int round = 0; round < kMostRounds; ++round) {
      units = best.units;
      measure_damage_among(model_, best.rounded, round_, tokens_, threads_, units, progress_);
      Planned next = settle(units);
      if (next.sb3_bytes == 0 || next.divergence >= best.divergence) break;
      best = std::move(next);
    }
    return best;
  }

 private:
  /// Builds and corrects until the file fits with hardly any room to spare; no bytes if none does.
  /// First by the quick quantiser: codes by gptq are other codes, and a few bytes more or less.
  Planned settle(const std::vector<PlanUnit>& units) {
    const Recipe& asked = build_.input.recipe;
    Recipe quick = asked;
    quick.quantiser = Quantiser::nearest;
    Planned planned = settle_by(units, quick);
    if (quantiser_of(model_, recipe_with(asked, planned.units)) == Quantiser::gptq) {
      planned = settle_by(units, asked);
    }
    if (planned.sb3_bytes > 0) planned.divergence = divergence(model_, planned.rounded, tokens_);
    return planned;
  }

  Planned settle_by(std::vector<PlanUnit> units, const Recipe& recipe) {
    Planned best{.units = units, .recipe = recipe};
    std::map<TensorKey, int> last;
    for (int build = 0; build < kMostBuilds; ++build) {
      const bool fits = choose_widths(units, static_cast<double>(fit_) - overhead_, costs_);
      Planned trial{.units = units, .recipe = recipe_with(recipe, units)};
      if (trial.recipe.bits == last) break;
      last = trial.recipe.bits;
      trial.rounded = model_;
      apply_recipe(trial.rounded, trial.recipe, gptq_);
      trial.sb3_bytes = pack(trial.rounded, pack_request(build_, trial.recipe), progress_).size();
      smallest_ = smallest_ == 0 ? trial.sb3_bytes : std::min(smallest_, trial.sb3_bytes);
      overhead_ = static_cast<double>(trial.sb3_bytes) - planned_bytes(units, costs_);
      if (trial.sb3_bytes > fit_) {
        if (!fits) break;
        continue;
      }
      if (trial.sb3_bytes > best.sb3_bytes) best = std::move(trial);
      if (static_cast<double>(fit_ - best.sb3_bytes) < kSpareShare * static_cast<double>(fit_)) {
        break;
      }
    }
    return best;
  }

  const Model& model_;
  std::span<const int> tokens_;
  int threads_;
  BuildOptions build_;
  std::size_t fit_, smallest_ = 0;
  Progress& progress_;
  RoundMatrices gptq_, round_;
  WidthCosts costs_;
  double overhead_ = kFirstOverhead;
};

}  // namespace

Planned plan_to_fit(const Model& model, const PlanOptions& options, std::span<const int> tokens,
                    Progress& progress) {
  return Planner(model, options, tokens, progress).plan();
}

}  // namespace sb3lm
