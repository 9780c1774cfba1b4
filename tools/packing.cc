#include "packing.h"

#include "base/error.h"
#include "model/unicode.h"
#include "outputs.h"

namespace sb3lm {
namespace {

constexpr const char* kDense = "letters";

bool is_site(const BuildOptions& options) {
  return options.target == BuildTarget::site;
}

// The website runs what vanilla Scratch runs.
Tune tune_of(const BuildOptions& options) {
  if (is_site(options)) return Tune::scratch;
  return options.tune.value_or(Tune::both);
}

Kernel kernel_of(const BuildOptions& options) {
  if (is_site(options)) return Kernel::columns;
  return options.kernel.value_or(Kernel::tables);
}

// Searching for codebooks takes time when building, letters when loading; the naive kernel reads
// plain digits.
std::string encoding_of(const BuildOptions& options) {
  if (is_site(options)) return "range";
  if (options.level == Level::fast || options.kernel == Kernel::naive) return "hex";
  return options.level == Level::smallest ? kDense : "digits";
}

// Somebody else's project has a stage of its own.
bool has_chat_ui(const BuildOptions& options) {
  return options.ui.value_or(options.project.empty() ? Ui::chat : Ui::none) == Ui::chat;
}

int deflate_level(Level level) {
  return level == Level::fast ? 6 : 12;
}

void check_site(const BuildOptions& options) {
  const auto refuse = [](const char* option, const char* why) {
    fail(Fault::usage, "--target site: leave out {}: {}", option, why);
  };
  if (options.tune) refuse("--tune", "the website runs vanilla Scratch only");
  if (options.kernel) refuse("--kernel", "its projects have a kernel of their own");
  if (!options.project.empty()) refuse("--template", "it makes projects of its own only");
}

}  // namespace

BuildOptions with_defaults(BuildOptions options) {
  if (is_site(options)) check_site(options);
  if (options.out.empty()) {
    options.out =
        (options.input.file.parent_path() / (options.input.name + ".sb3")).lexically_normal();
  }
  if (options.title.empty()) options.title = valid_utf8(options.input.name);
  return options;
}

PackRequest pack_request(const BuildOptions& options, const Recipe& recipe) {
  return {.lower = {.context = options.context,
                    .encoding = encoding_of(options),
                    .title = options.title,
                    .tune = tune_of(options),
                    .kernel = kernel_of(options),
                    .version = SB3LM_VERSION,
                    .chat_ui = has_chat_ui(options),
                    .all_letters = options.letters == Letters::all},
          .bits = recipe.float_bits,
          .deflate_level = deflate_level(options.level),
          .best_encodings = kernel_of(options) == Kernel::tables,
          .project = options.project,
          .shared_names = {options.shared_names.begin(), options.shared_names.end()}};
}

bool denser(PackRequest& request) {
  if (request.lower.kernel != Kernel::tables || request.lower.encoding.usual == kDense)
    return false;
  request.lower.encoding = kDense;
  return true;
}

}  // namespace sb3lm
