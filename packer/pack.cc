#include "pack.h"

#include "encoding_choice.h"
#include "import/suggestions.h"
#include "quant/recipe.h"
#include "sb3/sb3.h"
#include "scratch/check.h"
#include "scratch/pass_order.h"
#include "scratch/pass_share.h"
#include "scratch/pass_short.h"
#include "scratch/pass_unused.h"

namespace sb3lm {

Model load_model(const std::filesystem::path& checkpoint, const ImportOptions& options,
                 const Recipe& recipe, Progress& progress, const RoundMatrices& gptq) {
  Model model = import_model(checkpoint, options, progress);
  suggested_questions(model, checkpoint.string());  // a mistake there is told now
  require_use(model, recipe);
  progress.report("quantising", -1);
  apply_recipe(model, recipe, gptq);
  return model;
}

namespace {

std::string pack_as(const Model& model, const PackRequest& request, const EncodingPlan& encoding,
                    Progress& progress) {
  progress.report("making blocks", -1);
  LowerOptions options = request.lower;
  options.encoding = encoding;
  options.bits = request.bits;
  options.shares_project = !request.project.empty();
  options.suggestions = suggested_questions(model, "the checkpoint");
  scratch::Program program = lower(model, options);
  scratch::drop_unused(program);
  scratch::share_variables(program);
  if (request.lower.kernel == Kernel::columns) scratch::shorten(program);
  scratch::order_for_editor(program);
  const bool fast = request.lower.tune != Tune::scratch && request.lower.kernel != Kernel::naive;
  require_valid(program, {.compiled = fast});
  if (request.project.empty()) return write_sb3(program, request.deflate_level, progress);
  const MappedFile project(request.project);
  return add_to_sb3(request.project.string(), project.bytes(), std::move(program),
                    {.shared = request.shared_names, .level = request.deflate_level}, progress);
}

}  // namespace

std::string pack(const Model& model, const PackRequest& request, Progress& progress) {
  EncodingPlan encoding = request.lower.encoding;
  if (request.best_encodings) {
    progress.report("choosing encodings", -1);
    encoding = choose_encodings(model, encoding.usual, [&](const EncodingPlan& plan) {
      return pack_as(model, request, plan, progress).size();
    });
  }
  return pack_as(model, request, encoding, progress);
}

}  // namespace sb3lm
