// build: checkpoint in, verified .sb3 out.
#include "base/error.h"
#include "base/file.h"
#include "commands.h"
#include "compare.h"
#include "console.h"
#include "load.h"
#include "model/kept_tokens.h"
#include "model/tokenizer_check.h"
#include "outputs.h"
#include "packing.h"
#include "report/html.h"
#include "report/limits.h"
#include "report/report.h"
#include "report/text.h"
#include "sb3/sb3.h"
#include "text_source.h"

namespace sb3lm {
namespace {

constexpr int kVerifiedTokens = 2;
constexpr int kMeasuredTokens = 64;

// Ids that exist in every model: bos if there is one, and a few from the middle of the vocabulary.
std::vector<int> verification_prompt(const Model& model) {
  const int vocabulary = model.spec.vocabulary;
  return {std::max(model.tokenizer.bos, 0), vocabulary / 3, vocabulary / 2};
}

/// The model in the finished file, which does what `model` does.
Model verified(const Model& model, const std::string& bytes, const std::filesystem::path& out,
               Progress& progress) {
  progress.report("reading back what was built", -1);
  const scratch::Program program = read_sb3(out.string(), as_bytes(bytes), own_targets);
  Unpacked packed = unpack(out.string(), program);
  if (const std::string what = text_model_difference(model, packed.model); !what.empty()) {
    fail(Fault::mismatch, "verification of what was built: {}", what);
  }
  const BlockRequest request =
      recording_logits({.tokens = verification_prompt(model), .max_new_tokens = kVerifiedTokens},
                       model.spec.vocabulary);
  BlockSession session(program, progress);
  Engine engine(model, packed.context);
  const Agreement agreement = agreement_of(engine, request, session.run(request, progress));
  if (!agreement.ok) fail(Fault::mismatch, "verification: {}", agreement.first_difference);
  print_out("verified: {} positions, {} logits each, largest relative error {:.2g}\n",
            agreement.positions, model.spec.vocabulary, agreement.max_rel_error);
  if (!packed.letters) return std::move(packed.model);
  const std::string text = sample_text(*packed.letters);
  const std::vector<int> native = prompt_tokens(model, {.prompt = text});
  const std::string difference =
      text_difference(packed, text, native, session.typed(text, progress));
  if (!difference.empty()) fail(Fault::mismatch, "verification of typing: {}", difference);
  print_out("{}", letters_text(describe(*packed.letters)));
  return std::move(packed.model);
}

// At the default level the quickly loading text is left only where the file would not fit.
std::string pack_to_fit(const BuildOptions& options, const Recipe& recipe, const Model& model,
                        Progress& progress) {
  PackRequest request = pack_request(options, recipe);
  std::string bytes = pack(model, request, progress);
  if (options.level != Level::usual || !denser(request)) return bytes;
  if (over_limits(options.target, as_bytes(bytes)).empty()) return bytes;
  std::string dense = pack(model, request, progress);
  if (dense.size() >= bytes.size()) return bytes;
  print_out("packed as with --level smallest, {} bytes less: it would not fit\n",
            bytes.size() - dense.size());
  return dense;
}

void check_limits(const BuildOptions& options, const std::string& bytes, const Outputs& outputs) {
  const std::vector<std::string> over = over_limits(options.target, as_bytes(bytes));
  if (over.empty() && options.html_report.empty()) return;
  const Report report = make_report(options.out.string(), as_bytes(bytes));
  if (!options.html_report.empty()) outputs.write(options.html_report, report_html(report));
  if (over.empty()) return;
  print_out("{}", advice_text(report));
  std::string text;
  for (const std::string& limit : over) text += (text.empty() ? "" : "; ") + limit;
  if (options.allow_over_budget) {
    print_out("over budget: {}\n", text);
    return;
  }
  fail(Fault::mismatch, "{} is not written: {} (--allow-over-budget writes it anyway)",
       options.out.string(), text);
}

// What the roundings change is measured here, for the file to say.
Model load_to_build(const InputOptions& input, const Recipe& recipe, Progress& progress) {
  const RoundMatrices gptq = gptq_rounding(input, progress);
  Model model = load_model(input.file, input.import, recipe, progress, gptq);
  note_calibration(input, model);
  if (!model.kept.all()) print_out("vocabulary: {}\n", kept_text(model));
  if (!model.rounding.any()) return model;
  Recipe exact = recipe;
  exact.scale_bits = exact.router_bits = 0;
  const Model before = load_model(input.file, input.import, exact, progress, gptq);
  progress.report("measuring what rounding changes", -1);
  model.rounding.change = change_on_sample(before, model, kMeasuredTokens);
  print_out("rounding: {}\n", rounding_text(model.rounding));
  return model;
}

Outputs outputs_of(const BuildOptions& options) {
  std::vector<std::filesystem::path> inputs = input_files(options.input);
  if (!options.project.empty()) inputs.push_back(options.project);
  Outputs outputs(std::move(inputs));
  outputs.expect(options.out);
  if (!options.html_report.empty()) outputs.expect(options.html_report);
  return outputs;
}

}  // namespace

int run_command(const BuildOptions& asked, Progress& progress) {
  const BuildOptions options = with_defaults(asked);
  const Outputs outputs = outputs_of(options);
  const Recipe recipe = recipe_of(options.input);
  Model model = load_to_build(options.input, recipe, progress);
  print_notes(model);
  if (!options.licence.empty()) model.licence = options.licence;
  const std::string bytes = pack_to_fit(options, recipe, model, progress);
  check_limits(options, bytes, outputs);
  std::optional<Model> built;
  if (!options.no_verify) built = verified(model, bytes, options.out, progress);
  outputs.write_result(options.out, bytes);
  if (built) {
    model = {};
    const std::optional<Sense> sense =
        sense_of_sample(*std::move(built), nats_before(options.input, progress), progress);
    if (sense) print_out("{}", sense_text(*sense));
  }
  progress.report("written", 1);
  return 0;
}

}  // namespace sb3lm
