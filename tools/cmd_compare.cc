// compare: the finished .sb3 in the block evaluator and in real VMs, against the engine.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "commands.h"
#include "compare.h"
#include "console.h"
#include "load.h"
#include "model/kept_tokens.h"
#include "model/passes.h"
#include "model/unicode.h"
#include "quant/recipe.h"
#include "report/text.h"
#include "scratch/player_limits.h"
#include "vm_process.h"

namespace sb3lm {
namespace {

using Json = nlohmann::ordered_json;

// The file must hold exactly the checkpoint's codes and scales before its numbers mean anything.
void check_same_weights(const std::string& file, const Model& checkpoint, const Model& sb3) {
  for (const auto& [key, expected] : checkpoint.tensors) {
    const auto found = sb3.tensors.find(key);
    bool same = found != sb3.tensors.end() && expected.index() == found->second.index();
    if (same) {
      if (const auto* coded = std::get_if<CodedTensor>(&expected)) {
        const auto& other = std::get<CodedTensor>(found->second);
        same = coded->codes == other.codes && coded->row_scale == other.row_scale;
      } else {
        same =
            std::get<FloatTensor>(expected).values == std::get<FloatTensor>(found->second).values;
      }
    }
    if (!same) {
      fail(Fault::mismatch, "{}: {} is not the checkpoint's", file, tensor_key_text(key));
    }
  }
}

// Widths of matrices that the file holds at fewer bits than the checkpoint: a plan's doing.
std::map<TensorKey, int> narrower(const Model& checkpoint, const Model& sb3) {
  std::map<TensorKey, int> bits;
  for (const auto& [key, tensor] : checkpoint.tensors) {
    const auto found = sb3.tensors.find(key);
    const auto* coded =
        found == sb3.tensors.end() ? nullptr : std::get_if<CodedTensor>(&found->second);
    if (coded == nullptr || is_router(key.role)) continue;
    const auto* own = std::get_if<CodedTensor>(&tensor);
    if (own == nullptr || own->format.bits > coded->format.bits) bits[key] = coded->format.bits;
  }
  return bits;
}

// A plan may have left out some, which then are the only difference.
bool has_layers(const ModelSpec& spec, const ModelSpec& wanted) {
  return !spec.skips && std::ranges::all_of(wanted.layers, [&](const LayerSpec& layer) {
    return std::ranges::find(spec.layers, layer.id, &LayerSpec::id) != spec.layers.end();
  });
}

struct Reference {
  Model model;                  // what the project has
  std::optional<Model> whole;   // with the tokens that the project has not
  std::size_t requantised = 0;  // matrices that a plan has taken bits from

  const Model& with_all_tokens() const { return whole ? *whole : model; }
};

// The project's logits are held against those of a model that never lost a token.
void keep_as_packed(const Model& packed, const TokenChoice& asked, Reference& reference) {
  TokenChoice keep = asked;
  if (!keep.any()) keep.ids = packed.kept.ids;
  if (!keep.any()) return;
  reference.whole = reference.model;
  keep_tokens(reference.model, chosen_tokens(reference.model, keep));
  if (reference.model.kept.ids != packed.kept.ids) {
    fail(Fault::mismatch, "--keep-tokens: the project has other tokens");
  }
}

// The checkpoint, read as the file says it was when it was built, unless the user says otherwise.
Reference load_reference(const InputOptions& options, const Unpacked& packed, Progress& progress) {
  if (is_sb3(options.file)) return {.model = load_any(options, progress)};
  InputOptions input = options;
  for (const auto& [name, value] : packed.model.conventions) {
    input.import.conventions.emplace(name, value);
  }
  const Recipe& asked = input.recipe;
  const Rounding& rounding = packed.model.rounding;
  Reference reference{.model = import_model(input.file, input.import, progress)};
  Model& model = reference.model;
  Recipe recipe = recipe_of(input);
  require_use(model, recipe);
  if (recipe.passes.empty() && has_layers(model.spec, packed.model.spec)) {
    recipe.passes = pass_ids(packed.model.spec);
  }
  if (!recipe.passes.empty()) take_passes(model, recipe.passes);
  if (input.plan.empty() && !asked.float_bits) {
    recipe.float_bits = packed.bits;
    recipe.bits = narrower(model, packed.model);
    for (const auto& [key, bits] : recipe.bits) {
      if (std::holds_alternative<CodedTensor>(model.at(key))) ++reference.requantised;
    }
  }
  if (asked.scale_bits == 0) recipe.scale_bits = rounding.scale_bits;
  if (asked.router_bits == 0) recipe.router_bits = rounding.router_bits;
  recipe.quantiser = packed.model.quantiser;
  if (recipe.quantiser == Quantiser::gptq) {
    if (packed.model.calibration.empty() != input.calibration.empty()) {
      fail(Fault::usage, "the project was calibrated on {}: {}",
           packed.model.calibration.empty() ? "what the model writes itself"
                                            : packed.model.calibration,
           input.calibration.empty() ? "name that text with --calibration"
                                     : "leave out --calibration");
    }
  }
  const TokenChoice keep = std::exchange(recipe.keep, {});
  apply_recipe(model, recipe, gptq_rounding(input, progress));
  keep_as_packed(packed.model, keep, reference);
  return reference;
}

// What the project was found to differ in from the file as it is, and does on purpose.
void print_reference(const Reference& reference) {
  if (reference.requantised > 0) {
    print_out("reference  {} matrices rounded to the project's fewer bits\n",
              reference.requantised);
  }
  if (reference.whole) {
    print_out("reference  all {} tokens of the checkpoint, of which the project has {}\n",
              reference.whole->spec.vocabulary, reference.model.spec.vocabulary);
  }
  if (reference.model.rounding.any()) {
    print_out("reference  {}\n", rounding_text(reference.model.rounding));
  }
}

Json comparison_json(const VmComparison& vm) {
  return {{"name", enum_name(vm.vm)},
          {"tokens", vm.result.tokens},
          {"text", vm.result.text},
          {"positions", vm.agreement.positions},
          {"max_rel_error", vm.agreement.max_rel_error},
          {"first_difference", vm.agreement.first_difference},
          {"near_ties", vm.agreement.near_ties},
          {"same_bits_as_blocks", vm.same_bits},
          {"seconds_loading", vm.seconds_loading},
          {"seconds_per_token", vm.result.seconds_per_token}};
}

void print_comparison(const VmComparison& vm) {
  print_out(
      "{:<10} {} tokens, {} positions, largest error {:.2g}, loaded in {:.2f} s, "
      "{:.3f} s per token{}\n",
      enum_name(vm.vm), vm.result.tokens.size(), vm.agreement.positions, vm.agreement.max_rel_error,
      vm.seconds_loading, vm.result.seconds_per_token,
      !vm.same_bits         ? "; NOT the evaluator's bits"
      : vm.vm == Vm::blocks ? ""
                            : "; the evaluator's bits");
  for (const std::string& tie : vm.agreement.near_ties) print_out("           {}\n", tie);
  if (!vm.agreement.ok) print_out("           {}\n", vm.agreement.first_difference);
}

}  // namespace

int run_command(const CompareOptions& options, Progress& progress) {
  const scratch::Program program = load_program(options.sb3, progress);
  const Unpacked packed = unpack(options.sb3.string(), program);
  const Reference reference = load_reference(options.input, packed, progress);
  const Model& model = reference.model;
  check_same_weights(options.sb3.string(), model, packed.model);

  if (std::vector<char32_t> points; !decode_utf8(options.prompt.prompt, points)) {
    fail(Fault::usage, "--prompt is not UTF-8, so that nobody can type it");
  }
  const BlockRequest request = recording_logits({.tokens = prompt_tokens(model, options.prompt),
                                                 .user_message = options.prompt.prompt,
                                                 .max_new_tokens = options.new_tokens},
                                                model.spec.vocabulary);
  const Comparison comparison = compare_vms(reference.with_all_tokens(), packed, program,
                                            options.sb3, options.vms, request, progress);
  progress.report("compared", 1);
  if (options.json) {
    Json vms = Json::array();
    for (const VmComparison& vm : comparison.vms) vms.push_back(comparison_json(vm));
    print_json(Json{{"ok", comparison.ok},
                    {"reference", "double"},
                    {"requantised", reference.requantised},
                    {"kept_tokens", model.spec.vocabulary},
                    {"of_tokens", reference.with_all_tokens().spec.vocabulary},
                    {"round_scales", model.rounding.scale_bits},
                    {"router_bits", model.rounding.router_bits},
                    {"vms", vms}});
  } else {
    print_reference(reference);
    if (request.record_logits < 2) {
      print_out("a list holds the logits of {} positions: of {} generated tokens only\n",
                kMostListItems / model.spec.vocabulary, request.max_new_tokens);
    }
    for (const VmComparison& vm : comparison.vms) print_comparison(vm);
    print_out("{}\n", comparison.ok ? "all agree" : "MISMATCH");
  }
  return comparison.ok ? 0 : static_cast<int>(Fault::mismatch);
}

}  // namespace sb3lm
