#include "load.h"

#include <charconv>

#include "base/error.h"
#include "base/file.h"
#include "console.h"
#include "import/plan_file.h"
#include "import/sniff.h"
#include "input_check.h"
#include "model/kept_tokens.h"
#include "model/unicode.h"
#include "runtime_ref/round_in_turn.h"
#include "sb3/sb3.h"
#include "text_source.h"

namespace sb3lm {
namespace {

Recipe widths_of(const InputOptions& input) {
  if (input.plan.empty()) return input.recipe;
  const MappedFile file(input.plan);
  Recipe recipe = read_plan(input.plan.string(), file.text());
  const Recipe& asked = input.recipe;
  recipe.quantiser = asked.quantiser;
  if (asked.float_bits) recipe.float_bits = asked.float_bits;
  if (asked.scale_bits != 0) recipe.scale_bits = asked.scale_bits;
  if (asked.router_bits != 0) recipe.router_bits = asked.router_bits;
  return recipe;
}

TokenChoice tokens_to_keep(const InputOptions& input) {
  const std::string& asked = input.keep_tokens;
  if (asked.empty()) return {};
  int most = 0;
  const auto [end, code] = std::from_chars(asked.data(), asked.data() + asked.size(), most);
  if (end == asked.data() + asked.size()) {
    if (code != std::errc() || most < 1) {
      fail(Fault::usage, "--keep-tokens {}: it must be 1 at least, or a text's file", asked);
    }
    return {.most = most};
  }
  const MappedFile file(asked);
  if (file.text().empty()) fail(Fault::bad_input, "{}: it is empty, no token becomes of it", asked);
  return {.text = std::string(file.text())};
}

}  // namespace

bool is_sb3(const std::filesystem::path& file) {
  const MappedFile mapped(file);
  return sniff({file.string(), mapped.bytes()}).kind == FileFormat::Kind::project;
}

std::vector<std::filesystem::path> input_files(const InputOptions& input) {
  if (is_sb3(input.file)) return {input.file};
  std::vector<std::filesystem::path> files = checkpoint_files(input.file, input.import);
  if (!input.plan.empty()) files.push_back(input.plan);
  if (!tokens_to_keep(input).text.empty()) files.emplace_back(input.keep_tokens);
  if (!input.calibration.empty()) files.emplace_back(input.calibration);
  return files;
}

scratch::Program load_program(const std::filesystem::path& file, Progress& progress) {
  progress.report("reading " + file.filename().string(), -1);
  const MappedFile mapped(file);
  return read_sb3(file.string(), mapped.bytes(), own_targets);
}

Recipe recipe_of(const InputOptions& input) {
  Recipe recipe = widths_of(input);
  recipe.keep = tokens_to_keep(input);
  return recipe;
}

Windows calibration_text(const InputOptions& input, const Model& model) {
  if (input.calibration.empty()) return {};
  const SourceText text = read_source_text({.file = input.calibration});
  return cut_text(model, source_tokens(model, text), {});
}

RoundMatrices gptq_rounding(const InputOptions& input, Progress& progress) {
  return [&input, &progress](Model& model, const Widths& widths) {
    round_in_turn(model, widths, calibration_text(input, model), {}, progress);
  };
}

void note_calibration(const InputOptions& input, Model& model) {
  if (model.quantiser == Quantiser::gptq && !input.calibration.empty()) {
    model.calibration = valid_utf8(std::filesystem::path(input.calibration).filename().string());
  }
}

std::optional<double> nats_before(const InputOptions& input, Progress& progress) {
  constexpr std::int64_t kMostWeights = 100'000'000;
  const Recipe recipe = recipe_of(input);
  if (recipe.float_bits == kStayFloats && recipe.bits.empty()) return std::nullopt;
  Model model = import_model(input.file, input.import, progress);
  if (recipe.keep.any()) keep_tokens(model, chosen_tokens(model, recipe.keep));
  std::int64_t weights = 0;
  bool has_floats = false;
  for (const auto& [key, tensor] : model.tensors) {
    if (is_vector(key.role) || is_router(key.role)) continue;
    weights += std::int64_t{shape_of(tensor).rows} * shape_of(tensor).cols;
    if (std::holds_alternative<FloatTensor>(tensor)) has_floats = true;
  }
  if (weights > kMostWeights || (!has_floats && recipe.bits.empty())) return std::nullopt;
  return nats_of_sample(std::move(model), progress);
}

void print_notes(const Model& model) {
  for (const std::string& note : model.notes) print_err("note: {}\n", note);
}

Model load_any(const InputOptions& input, Progress& progress) {
  if (!is_sb3(input.file)) {
    Model model = load_model(input.file, input.import, recipe_of(input), progress,
                             gptq_rounding(input, progress));
    note_calibration(input, model);
    print_notes(model);
    return model;
  }
  check_built_input(input);
  return unpack(input.file.string(), load_program(input.file, progress)).model;
}

std::vector<int> prompt_tokens(const Model& model, const PromptOptions& prompt) {
  if (!prompt.tokens.empty()) return prompt.tokens;
  if (!model.tokenizer.present()) {
    if (prompt.prompt.empty()) return {0};
    fail(Fault::usage, "--prompt: the model has no tokenizer; use --tokens or --tokenizer");
  }
  if (model.chat.present() && !prompt.prompt.empty()) {
    return apply_template(model.tokenizer, model.chat.first, prompt.prompt);
  }
  std::vector<int> ids = encode(model.tokenizer, prompt.prompt, true);
  if (ids.empty()) ids.push_back(std::max(model.tokenizer.bos, 0));
  return ids;
}

}  // namespace sb3lm
