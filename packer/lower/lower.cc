#include "lower/lower.h"

#include <algorithm>

#include "base/error.h"
#include "lower/column_layout.h"
#include "lower/column_loader.h"
#include "lower/forward.h"
#include "lower/guide.h"
#include "lower/layout.h"
#include "lower/loader.h"
#include "lower/loading_jobs.h"
#include "lower/model_info.h"
#include "lower/scripts.h"
#include "lower/stage.h"
#include "lower/ui.h"
#include "lower/ui_small.h"
#include "lower/warmup.h"

namespace sb3lm {

using namespace blocks;

namespace {

constexpr int kLargestContext = 2048;
// V8 holds no longer text, and project.json is read as one; what is not weights has the difference.
constexpr std::int64_t kMostLetters = 536'870'888 - 40'000'000;

bool in_columns(const LowerOptions& options) {
  return options.kernel == Kernel::columns;
}

int context_of(const Model& model, const LowerOptions& options) {
  if (options.context < 0) fail(Fault::usage, "context {}: it must be positive", options.context);
  model.spec.check_context(options.context);
  if (options.context > 0) return options.context;
  const int context = std::min(model.spec.context, kLargestContext);
  return in_columns(options) ? column_context(model.spec, context) : context;
}

Layout layout_of(const Model& model, const LowerOptions& options) {
  if (in_columns(options)) return make_column_layout(model, context_of(model, options));
  Layout layout = make_layout(model, context_of(model, options), options.encoding,
                              options.most_codes > 0 ? options.most_codes : kMostCodes);
  if (options.kernel == Kernel::naive) {
    if (options.encoding.usual != "hex") {
      fail(Fault::usage, "the naive kernel reads weights in hex, not in {}",
           options.encoding.usual);
    }
    place_numbers(layout);
  }
  return layout;
}

/// The widest codes whose text players can read, 0 if there are none.
int widest_readable(const Layout& layout, std::int64_t most) {
  for (int bits = 8; bits > 0; --bits) {
    std::int64_t letters = 0;
    for (const TensorPlace& place : layout.tensors) {
      if (!place.is_coded()) continue;
      const CodeEncoding& encoding = code_encoding(place.encoding);
      letters += std::int64_t{encoding.streams(bits)} * encoding.row_letters(bits, place.groups()) *
                 place.shape.rows;
    }
    if (letters <= most) return bits;
  }
  return 0;
}

/// Throws mismatch if players cannot read the text of the weights, and names what they can.
void require_readable(const Layout& layout, std::int64_t most) {
  std::int64_t letters = 0;
  for (const std::string& item : layout.text) letters += static_cast<std::int64_t>(item.size());
  if (letters <= most) return;
  const int bits = widest_readable(layout, most);
  fail(Fault::mismatch,
       "the weights take {} letters, and players in browsers can read {} at most: {}", letters,
       most,
       bits > 0 ? fmt::format("--bits {} or a plan of fewer bits makes them fit", bits)
                : "no width makes them fit");
}

scratch::Program empty_project(const LowerOptions& options) {
  scratch::Program program;
  program.title = options.title;
  program.counts_text = in_columns(options);
  program.targets.push_back({.name = "Stage", .is_stage = true});
  program.targets.push_back({.name = kEngineName, .visible = false, .layer = 1});
  return program;
}

WorkspaceSizes sizes_of(const Layout& layout, Tune tune) {
  if (layout.kernel == Kernel::columns) {
    return {.float_weights = layout.floats,
            .act = static_cast<std::size_t>(layout.act.size),
            .cache = static_cast<std::size_t>(layout.cache),
            .tune = tune,
            .columns = layout.columns,
            .small = true};
  }
  return {.codes = layout.in_lists() ? 0 : static_cast<std::size_t>(layout.codes),
          .float_weights = layout.floats,
          .scales = static_cast<std::size_t>(layout.scales),
          .act = static_cast<std::size_t>(layout.act.size),
          .cache = static_cast<std::size_t>(layout.cache),
          .tune = tune};
}

Workspace workspace_of(Sprite& engine, const Layout& layout, Tune tune) {
  Workspace workspace = make_workspace(engine, sizes_of(layout, tune));
  const std::vector<List<Num>> lists = layout.code_lists();
  for (std::size_t i = 1; i < lists.size(); ++i) engine.list<Num>(lists[i].name);
  return workspace;
}

std::string parameter_text(const Model& model) {
  double count = 0;
  for (const auto& [key, shape] : expected_tensors(model.spec)) {
    count += static_cast<double>(shape.rows) * shape.cols;
  }
  if (count >= 1e6) return fmt::format("{:.1f} million parameters", count / 1e6);
  return fmt::format("{:.0f} thousand parameters", count / 1e3);
}

LetterLevel letter_level(const LowerOptions& options) {
  if (options.all_letters) return LetterLevel::more;
  return in_columns(options) ? LetterLevel::few : LetterLevel::usual;
}

std::optional<TextBlocks> emit_text(Sprite& engine, const Model& model, LetterLevel level,
                                    const StageNames& stage) {
  const Tokenizer& tokenizer = model.tokenizer;
  if (!tokenizer.present()) return std::nullopt;
  if (const std::string what = lacks_in_blocks(tokenizer); !what.empty()) {
    fail(Fault::unsupported,
         "the tokenizer: {} is not possible in a project; --tokenizer none builds one without text",
         what);
  }
  const TypedLetters letters = typed_letters(tokenizer, level);
  const auto text = engine.var<Str>("_reply", std::string());
  return TextBlocks{
      emit_token_tables(engine, tokenizer),
      emit_tokenize(engine, tokenizer, letters, stage.prompt_tokens, lowers_user(model.chat)),
      emit_detokenize(engine, tokenizer, letters, text), text};
}

}  // namespace

scratch::Program lower(const Model& model, const LowerOptions& options) {
  const Layout layout = layout_of(model, options);
  require_readable(layout, options.most_letters > 0 ? options.most_letters : kMostLetters);
  scratch::Program program = empty_project(options);
  Sprite stage_target(program, 0), engine(program, 1);

  const StageNames stage =
      declare_stage(stage_target, model, write_model_info(model, layout, options));
  const Workspace workspace = workspace_of(engine, layout, options.tune);
  const ExpBlocks exp = emit_exp(engine, workspace);
  const ForwardBlocks forward = emit_forward(engine, workspace, exp, layout);
  const SampleBlocks sample = emit_sample(engine, workspace, exp,
                                          {.vocabulary = model.spec.vocabulary,
                                           .logits_at = layout.logits_at(),
                                           .temperature = stage.temperature,
                                           .top_k = stage.top_k,
                                           .top_p = stage.top_p,
                                           .repetition_penalty = stage.repetition_penalty,
                                           .seed = stage.seed});
  const std::optional<TextBlocks> text = emit_text(engine, model, letter_level(options), stage);
  const LoaderParts parts{.stage = stage,
                          .tables = text ? text->tables : std::nullopt,
                          .zeros = {{workspace.act, layout.act.size},
                                    {sample.score, model.spec.vocabulary},
                                    {sample.heap, model.spec.vocabulary}},
                          .empties = {workspace.table, exp.powers, sample.kept, stage.logits}};
  const LoaderBlocks loader = in_columns(options)
                                  ? emit_column_loader(engine, workspace, layout, exp, parts)
                                  : emit_loader(engine, workspace, layout, parts);
  const Proc<> warm_up = emit_warmup(engine, workspace, stage, forward, sample);
  emit_scripts(engine, {.workspace = workspace,
                        .stage = stage,
                        .loader = loader,
                        .warm_up = warm_up,
                        .forward = forward,
                        .sample = sample,
                        .exp = exp,
                        .text = text,
                        .model = model,
                        .layout = layout});
  if (in_columns(options)) {
    if (options.chat_ui) add_small_ui(program, model.tokenizer.present());
    return program;
  }
  add_guide(program.targets[1], model,
            {.title = options.title,
             .parameters = parameter_text(model),
             .version = options.version,
             .context = layout.context});
  if (!options.chat_ui) return program;
  add_chat_ui(program, {.title = options.title,
                        .model_name = model.spec.family,
                        .parameters = parameter_text(model),
                        .has_tokenizer = model.tokenizer.present(),
                        .is_chat = model.chat.present(),
                        .loading_marks = loading_marks(layout),
                        .suggestions = options.suggestions});
  return program;
}

}  // namespace sb3lm
