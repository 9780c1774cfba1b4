#include "plan_fit.h"

#include <algorithm>

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
constexpr double kTrialProducts = 4e11;
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

/// As many as some minutes allow: a matrix at four widths or so, each a run of the whole model.
std::size_t trial_tokens(const std::vector<PlanUnit>& units) {
  double weights = 0;
  for (const PlanUnit& unit : units) weights += static_cast<double>(unit.weights);
  const double trials = 3 * static_cast<double>(units.size());
  return static_cast<std::size_t>(std::clamp(kTrialProducts / (weights * trials), 256.0, 2048.0));
}

Windows beginning(const Windows& text, std::size_t tokens) {
  Windows first;
  for (std::size_t at = 0; at < text.size() && tokens > 0; ++at) {
    first.push_back(text[at]);
    tokens -= std::min(tokens, text[at].size());
  }
  return first;
}

/// How much the rest of a file takes is only known once it is built.
class Planner {
 public:
  Planner(const Model& model, const PlanOptions& options, const Windows& text, Progress& progress)
      : model_(model),
        text_(text),
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
    trial_text_ = beginning(text_, trial_tokens(units));
    measure_damage(model_, round_, trial_text_, threads_, units, progress_);
    Planned best = settle(units);
    if (best.sb3_bytes == 0) {
      fail(Fault::mismatch, "{}: at its narrowest it takes {} bytes, {} were asked for",
           build_.input.file.string(), with_separators(smallest_), with_separators(fit_));
    }
    Planned alike = widest_alike(units);
    if (alike.sb3_bytes > 0 && alike.divergence < best.divergence) best = std::move(alike);
    // What each unit does alone is not what it does among others that are rounded too.
    for (int round = 0; round < kMostRounds; ++round) {
      units = best.units;
      overhead_ = static_cast<double>(best.sb3_bytes) - planned_bytes(units, costs_);
      measure_damage_among(model_, best.rounded, round_, trial_text_, threads_, units, progress_);
      choose_widths(units, static_cast<double>(fit_) - overhead_, costs_);
      if (recipe_with(best.recipe, units).bits == best.recipe.bits) break;
      Planned next = settle_by(std::move(units), build_.input.recipe);
      if (next.sb3_bytes == 0) break;
      next.divergence = divergence(model_, next.rounded, text_);
      if (next.divergence >= best.divergence) break;
      best = std::move(next);
    }
    return best;
  }

 private:
  /// All units at the widest width at which that fits; no bytes if there is none.
  Planned widest_alike(std::vector<PlanUnit> units) {
    for (int bits = kMostBits; bits > 0; --bits) {
      for (PlanUnit& unit : units) {
        unit.chosen = std::min(static_cast<std::size_t>(bits), unit.options.size()) - 1;
      }
      // Clearly too large ones need no build.
      if (planned_bytes(units, costs_) > static_cast<double>(fit_)) continue;
      Planned planned = build(units, build_.input.recipe);
      if (planned.sb3_bytes > fit_) continue;
      planned.divergence = divergence(model_, planned.rounded, text_);
      return planned;
    }
    return {};
  }

  Planned build(const std::vector<PlanUnit>& units, const Recipe& asked) {
    Planned made{.units = units, .recipe = recipe_with(asked, units), .rounded = model_};
    apply_recipe(made.rounded, made.recipe, gptq_);
    made.sb3_bytes = pack(made.rounded, pack_request(build_, made.recipe), progress_).size();
    smallest_ = smallest_ == 0 ? made.sb3_bytes : std::min(smallest_, made.sb3_bytes);
    return made;
  }

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
    if (planned.sb3_bytes > 0) planned.divergence = divergence(model_, planned.rounded, text_);
    return planned;
  }

  Planned settle_by(std::vector<PlanUnit> units, const Recipe& recipe) {
    Planned best{.units = units, .recipe = recipe};
    std::map<TensorKey, int> last;
    for (int tries = 0; tries < kMostBuilds; ++tries) {
      const bool fits = choose_widths(units, static_cast<double>(fit_) - overhead_, costs_);
      const Recipe chosen = recipe_with(recipe, units);
      if (chosen.bits == last) break;
      last = chosen.bits;
      Planned trial = build(units, recipe);
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
  const Windows& text_;
  Windows trial_text_;
  int threads_;
  BuildOptions build_;
  std::size_t fit_, smallest_ = 0;
  Progress& progress_;
  RoundMatrices gptq_, round_;
  WidthCosts costs_;
  double overhead_ = kFirstOverhead;
};

}  // namespace

Planned plan_to_fit(const Model& model, const PlanOptions& options, const Windows& text,
                    Progress& progress) {
  return Planner(model, options, text, progress).plan();
}

}  // namespace sb3lm
