// build: checkpoint in, verified .sb3 out.
#include "base/error.h"
#include "base/file.h"
#include "commands.h"
#include "compare.h"
#include "load.h"
#include "pack.h"
#include "report/limits.h"
#include "sb3/sb3.h"

namespace sb3lm {
namespace {

constexpr int kVerifiedTokens = 2;

Tune tune_of(const std::string& name) {
  return name == "both" ? Tune::both : name == "scratch" ? Tune::scratch : Tune::turbowarp;
}

Kernel kernel_of(const std::string& name) {
  return name == "naive" ? Kernel::naive : Kernel::tables;
}

// Searching for codebooks takes time when building, base 64 when loading; the naive kernel reads
// plain digits.
std::string encoding_of(const BuildOptions& options) {
  if (options.level == "fast" || options.kernel == "naive") return "hex";
  return options.level == "smallest" ? "base64" : "digits";
}

int deflate_level(const std::string& level) {
  return level == "fast" ? 6 : 12;
}

// Somebody else's project has a stage of its own.
bool has_chat_ui(const BuildOptions& options) {
  return options.ui.empty() ? options.project.empty() : options.ui == "chat";
}

// Ids that exist in every model: bos if there is one, and a few from the middle of the vocabulary.
std::vector<int> verification_prompt(const Model& model) {
  const int vocabulary = model.spec.vocabulary;
  return {std::max(model.tokenizer.bos, 0), vocabulary / 3, vocabulary / 2};
}

void verify(const Model& model, const std::string& bytes, const std::filesystem::path& out,
            Progress& progress) {
  progress.report("reading back what was built", -1);
  const scratch::Program program = read_sb3(out.string(), as_bytes(bytes), own_targets);
  const Unpacked packed = unpack(out.string(), program);
  const Comparison comparison = compare_vms(
      model, packed.context, program, out, "blocks",
      {.tokens = verification_prompt(model), .max_new_tokens = kVerifiedTokens, .record_logits = 2},
      progress);
  const VmComparison& blocks = comparison.vms.front();
  if (!comparison.ok) {
    fail(Fault::mismatch, "verification: {}", blocks.agreement.first_difference);
  }
  fmt::print("verified: {} positions, {} logits each, largest relative error {:.2g}\n",
             blocks.agreement.positions, model.spec.vocabulary, blocks.agreement.max_rel_error);
}

void check_limits(const BuildOptions& options, const std::string& bytes) {
  const std::vector<std::string> over = over_limits(options.target, as_bytes(bytes));
  if (over.empty()) return;
  std::string text;
  for (const std::string& limit : over) text += (text.empty() ? "" : "; ") + limit;
  if (options.allow_over_budget) {
    fmt::print("over budget: {}\n", text);
    return;
  }
  fail(Fault::mismatch, "{} is not written: {} (--allow-over-budget writes it anyway)",
       options.out.string(), text);
}

}  // namespace

int run_command(const BuildOptions& asked, Progress& progress) {
  BuildOptions options = asked;
  if (options.out.empty()) {
    options.out = options.input.file;
    options.out.replace_extension(".sb3");
  }
  if (options.title.empty()) options.title = options.input.file.stem().string();
  Model model = load_model(options.input.file, options.input.import, options.input.bits, progress);
  if (!options.licence.empty()) model.licence = options.licence;
  const std::string bytes =
      pack(model,
           {.lower = {.context = options.context,
                      .encoding = encoding_of(options),
                      .title = options.title,
                      .tune = tune_of(options.tune),
                      .kernel = kernel_of(options.kernel),
                      .version = SB3LM_VERSION,
                      .chat_ui = has_chat_ui(options)},
            .bits = options.input.bits,
            .deflate_level = deflate_level(options.level),
            .project = options.project,
            .shared_names = {options.shared_names.begin(), options.shared_names.end()}},
           progress);
  check_limits(options, bytes);
  if (!options.no_verify) verify(model, bytes, options.out, progress);
  write_file(options.out, bytes);
  progress.report("written", 1);
  fmt::print("{}: {} bytes\n", options.out.string(), bytes.size());
  return 0;
}

}  // namespace sb3lm
