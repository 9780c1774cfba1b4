// plan: the width of every matrix, chosen for a size at the least damage; and which layers run.
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "commands.h"
#include "console.h"
#include "import/plan_file.h"
#include "load.h"
#include "model/kept_tokens.h"
#include "model/passes.h"
#include "model/unicode.h"
#include "outputs.h"
#include "plan_fit.h"
#include "plan_passes.h"
#include "quant/recipe.h"
#include "report/report.h"
#include "report/separators.h"
#include "runtime_ref/model_change.h"
#include "text_source.h"

namespace sb3lm {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kWindow = 256;
// Limits of the text that plans are compared on: of the time, and of the memory.
constexpr double kCompareProducts = 4e10, kMostLogits = 16e6;
constexpr double kOwnSeed = 30100;  // not that of calibration

struct Text {
  std::string name;
  Windows windows;
  bool is_text = true;
};

/// Tokens of the text that plans for a size are compared on: the more, the less work each is.
int tokens_to_compare(const Model& model) {
  double weights = 0;
  for (const auto& [key, tensor] : model.tensors) {
    weights += static_cast<double>(shape_of(tensor).rows) * shape_of(tensor).cols;
  }
  const double most = std::min(kCompareProducts / weights,
                               kMostLogits / static_cast<double>(model.spec.vocabulary));
  return static_cast<int>(std::clamp(most, 256.0, 4096.0));
}

Text text_for(const Model& model, const PlanOptions& options, Progress& progress) {
  const bool named = !options.text.file.empty() || !options.text.tokens.empty();
  CalibrationOptions cut{.tokens = options.use_tokens, .window = kWindow, .seed = kOwnSeed};
  if (options.passes) cut.window = std::max(cut.window, options.use_tokens);
  if (options.use_tokens == 0) cut.tokens = options.fit > 0 ? tokens_to_compare(model) : kWindow;
  if (!named && !options.passes) {
    Text own{.name = "what the model writes itself", .windows = {}};
    cut.wanted = [](auto&&) { return false; };
    calibrate(model, own.windows, cut, progress);
    return own;
  }
  if (!model.tokenizer.present() && !named) {
    return {"ids from all over the vocabulary", cut_text(model, spread_ids(model, cut.tokens), cut),
            false};
  }
  const SourceText source = read_source_text(options.text);
  Text text{source.name, cut_text(model, source_tokens(model, source), cut)};
  if (text.windows.empty() || text.windows.front().size() < 2) {
    fail(Fault::usage, "{}: a text of less than 2 tokens says nothing", source.name);
  }
  return text;
}

bool is_narrowed(const PlanUnit& unit) {
  return unit.stored_bits != 0 && unit.choice().bits < unit.stored_bits;
}

std::string unit_name(const PlanUnit& unit) {
  return tensor_key_text(unit.key);
}

Json as_json(const PlanOptions& options, const std::optional<PassSearch>& search,
             const Planned& planned, const Text& text, const ModelChange& change) {
  Json units = Json::array();
  for (const PlanUnit& unit : planned.units) {
    Json choices = Json::array();
    for (const WidthOption& option : unit.options) {
      choices.push_back(
          {{"bits", option.bits}, {"bytes", option.bytes}, {"damage", option.damage}});
    }
    units.push_back(
        {{"tensors", unit_name(unit)},
         {"weights", unit.weights},
         {"bits", unit.choice().bits},
         {"stored_bits", unit.stored_bits == 0 ? Json(nullptr) : Json(unit.stored_bits)},
         {"options", std::move(choices)}});
  }
  Json json = {{"fit", options.fit},
               {"sb3_bytes", planned.sb3_bytes},
               {"text", text.name},
               {"tokens", change.tokens},
               {"logit_change", change.logits}};
  if (text.is_text) {
    json["perplexity_before"] = change.perplexity_before;
    json["perplexity_after"] = change.perplexity_after;
  }
  if (search) json["passes"] = passes_as_json(*search);
  json["units"] = std::move(units);
  return json;
}

/// One line per role: how many of its matrices have each width.
void print_widths(const std::vector<PlanUnit>& units) {
  struct Row {
    std::int64_t weights = 0;
    double bytes = 0, damage = 0;
    std::map<int, int> widths;
  };
  std::map<Role, Row> rows;
  std::vector<Role> order;
  for (const PlanUnit& unit : units) {
    if (!rows.contains(unit.key.role)) order.push_back(unit.key.role);
    Row& row = rows[unit.key.role];
    row.weights += unit.weights;
    row.bytes += unit.choice().bytes;
    row.damage += unit.choice().damage;
    ++row.widths[unit.choice().bits];
  }
  print_out("{:<12}  {:>12}  {:>12}  {:>8}  bits (layers)\n", "matrices", "weights", "bytes",
            "damage");
  for (const Role role : order) {
    const Row& row = rows[role];
    std::string widths;
    for (const auto& [bits, count] : row.widths) {
      widths += fmt::format("{}{} ({})", widths.empty() ? "" : ", ", bits, count);
    }
    print_out("{:<12}  {:>12}  {:>12}  {:>8.2g}  {}\n", role_name(role),
              with_separators(static_cast<std::uint64_t>(row.weights)),
              with_separators(static_cast<std::uint64_t>(row.bytes)), row.damage, widths);
  }
}

void print_plan(const PlanOptions& options, const Planned& planned, const Text& text,
                const ModelChange& change) {
  print_widths(planned.units);
  print_out("\n{} bytes of {} ({} left)\n", with_separators(planned.sb3_bytes),
            with_separators(options.fit), with_separators(options.fit - planned.sb3_bytes));
  if (text.is_text) {
    print_out("perplexity {:.5g} becomes {:.5g}, ", change.perplexity_before,
              change.perplexity_after);
  }
  print_out("logits change by at most {:.2g} of the largest; {} tokens of {}\n", change.logits,
            change.tokens, text.name);
  std::int64_t narrowed = 0, weights = 0;
  for (const PlanUnit& unit : planned.units) {
    if (!is_narrowed(unit)) continue;
    ++narrowed;
    weights += unit.weights;
  }
  if (narrowed == 0) return;
  print_out(
      "{} of {} groups of matrices ({} weights) were stored with more bits: they are rounded "
      "a second time, from what their codes stand for, and the change above is its price\n",
      narrowed, planned.units.size(), with_separators(static_cast<std::uint64_t>(weights)));
}

std::map<std::string, std::string> about_plan(const PlanOptions& options) {
  return {{"checkpoint", valid_utf8(options.build.input.file.filename().string())},
          {"program", std::string("sb3lm ") + SB3LM_VERSION}};
}

/// Takes the best of the trials.
PassSearch choose_passes(const PlanOptions& options, const Text& text, Model& model,
                         Progress& progress) {
  if (!text.is_text) {
    fail(Fault::usage, "--passes: without a tokenizer, name a text's ids with --tokens");
  }
  PassSearch search = search_passes(model, text.windows.front(), options.threads, progress);
  take_passes(model, search.trials.front().passes);
  return search;
}

void print_passes_alone(const PlanOptions& options, const PassSearch& search, const Text& text,
                        const std::filesystem::path& out) {
  if (options.json) {
    Json json = passes_as_json(search);
    json["text"] = text.name;
    print_json(json);
    return;
  }
  print_passes(search, text.name);
  if (out != "-") print_out("{}: written\n", out.string());
}

}  // namespace

int run_command(const PlanOptions& options, Progress& progress) {
  const InputOptions& input = options.build.input;
  if (is_sb3(input.file)) {
    fail(Fault::usage, "{}: a plan is made from a checkpoint, this is a project",
         input.file.string());
  }
  if (!input.plan.empty()) fail(Fault::usage, "--plan: plan makes one and takes none");
  if (input.recipe.float_bits) {
    fail(Fault::usage, "--bits: plan chooses the widths; leave it out, or build without a plan");
  }
  Outputs outputs(with_text_file(input_files(input), options.text));
  const std::filesystem::path out =
      options.out.empty() ? std::filesystem::path(input.file.string() + ".plan.json") : options.out;
  outputs.expect(out);
  if (options.json) outputs.keep_standard_output();
  Model model = import_model(input.file, input.import, progress);
  require_use(model, input.recipe);
  if (const TokenChoice keep = recipe_of(input).keep; keep.any()) {
    keep_tokens(model, chosen_tokens(model, keep));
  }
  const Text text = text_for(model, options, progress);
  std::optional<PassSearch> search;
  if (options.passes) search = choose_passes(options, text, model, progress);
  if (options.fit == 0) {
    outputs.write(out, plan_text({.passes = pass_ids(model.spec)}, about_plan(options)));
    progress.report("planned", 1);
    print_passes_alone(options, *search, text, out);
    return 0;
  }
  Planned planned = plan_to_fit(model, options, text.windows, progress);
  if (search) planned.recipe.passes = search->trials.front().passes;

  progress.report("measuring what the plan changes", -1);
  const ModelChange change =
      measure_change(model, planned.rounded, text.windows.front(), text.is_text);
  std::map<std::string, std::string> about = about_plan(options);
  about.emplace("fit", std::to_string(options.fit));
  about.emplace("sb3_bytes", std::to_string(planned.sb3_bytes));
  about.emplace("level", enum_name(options.build.level));
  outputs.write(out, plan_text(planned.recipe, about));
  progress.report("planned", 1);
  if (options.json) {
    print_json(as_json(options, search, planned, text, change));
  } else {
    if (search) {
      print_passes(*search, text.name);
      print_out("\n");
    }
    print_plan(options, planned, text, change);
    if (out != "-") print_out("{}: written\n", out.string());
  }
  return 0;
}

}  // namespace sb3lm
