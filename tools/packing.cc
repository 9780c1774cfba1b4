#include "packing.h"

namespace sb3lm {
namespace {

Tune tune_of(const std::string& name) {
  return name == "both" ? Tune::both : name == "scratch" ? Tune::scratch : Tune::turbowarp;
}

Kernel kernel_of(const std::string& name) {
  return name == "naive" ? Kernel::naive : Kernel::tables;
}

// Searching for codebooks takes time when building, letters when loading; the naive kernel reads
// plain digits.
std::string encoding_of(const BuildOptions& options) {
  if (options.level == "fast" || options.kernel == "naive") return "hex";
  return options.level == "smallest" ? "letters" : "digits";
}

int deflate_level(const std::string& level) {
  return level == "fast" ? 6 : 12;
}

// Somebody else's project has a stage of its own.
bool has_chat_ui(const BuildOptions& options) {
  return options.ui.empty() ? options.project.empty() : options.ui == "chat";
}

}  // namespace

BuildOptions with_defaults(BuildOptions options) {
  if (options.out.empty()) {
    options.out = options.input.file;
    options.out.replace_extension(".sb3");
  }
  if (options.title.empty()) options.title = options.input.file.stem().string();
  return options;
}

PackRequest pack_request(const BuildOptions& options, const Recipe& recipe) {
  return {.lower = {.context = options.context,
                    .encoding = encoding_of(options),
                    .title = options.title,
                    .tune = tune_of(options.tune),
                    .kernel = kernel_of(options.kernel),
                    .version = SB3LM_VERSION,
                    .chat_ui = has_chat_ui(options)},
          .bits = recipe.float_bits,
          .deflate_level = deflate_level(options.level),
          .project = options.project,
          .shared_names = {options.shared_names.begin(), options.shared_names.end()}};
}

}  // namespace sb3lm
