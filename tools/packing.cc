#include "packing.h"

#include "base/error.h"
#include "model/unicode.h"
#include "outputs.h"

namespace sb3lm {
namespace {

constexpr const char* kDense = "letters";

bool is_site(const BuildOptions& options) {
  return options.target == "site";
}

// The website runs what vanilla Scratch runs.
Tune tune_of(const BuildOptions& options) {
  if (is_site(options)) return Tune::scratch;
  const std::string& name = options.tune;
  return name == "both" ? Tune::both : name == "scratch" ? Tune::scratch : Tune::turbowarp;
}

Kernel kernel_of(const BuildOptions& options) {
  if (is_site(options)) return Kernel::columns;
  return options.kernel == "naive" ? Kernel::naive : Kernel::tables;
}

// Searching for codebooks takes time when building, letters when loading; the naive kernel reads
// plain digits.
std::string encoding_of(const BuildOptions& options) {
  if (is_site(options)) return "range";
  if (options.level == "fast" || options.kernel == "naive") return "hex";
  return options.level == "smallest" ? kDense : "digits";
}

// Somebody else's project has a stage of its own.
bool has_chat_ui(const BuildOptions& options) {
  return options.ui.empty() ? options.project.empty() : options.ui == "chat";
}

int deflate_level(const std::string& level) {
  return level == "fast" ? 6 : 12;
}

}  // namespace

BuildOptions with_defaults(BuildOptions options) {
  if (is_site(options) && (options.kernel != "tables" || !options.project.empty())) {
    fail(Fault::usage, "target site has a kernel of its own, and makes projects of its own only");
  }
  if (options.out.empty()) {
    options.out = default_out(options.input.file, ".sb3");
  }
  if (options.title.empty()) options.title = valid_utf8(options.input.file.stem().string());
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
                    .all_letters = options.letters == "all"},
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
