// plan --target site: the largest model of a preset's shape that a project on Scratch's website
// holds, found by building: layer count by layer count, the largest vocabulary that fits.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "commands.h"
#include "console.h"
#include "import/import.h"
#include "packing.h"
#include "report/limits.h"
#include "report/separators.h"
#include "sb3/sb3.h"
#include "sb3/zip.h"
#include "synth/presets.h"
#include "synth/synth.h"

namespace sb3lm {
namespace {

using Json = nlohmann::ordered_json;

constexpr BuildTarget kTarget = BuildTarget::site;
constexpr int kSmallestVocabulary = 512, kStep = 16;

struct Built {
  int layers = 0, vocabulary = 0;
  std::int64_t weights = 0;
  Measures measures;
  bool fits = false;
};

Model synthetic_model(const SynthOptions& options) {
  SilentProgress silent;
  const SyntheticFiles files = make_synthetic(options, silent);
  CheckpointFiles in{.checkpoint = {"site.safetensors", as_bytes(files.checkpoint)}};
  in.tokenizer = NamedBytes{files.tokenizer_name, as_bytes(files.tokenizer)};
  if (!files.sidecar.empty()) in.sidecar = NamedBytes{"conventions", as_bytes(files.sidecar)};
  return import_from_memory(in, {}, silent);
}

class SitePlanner {
 public:
  SitePlanner(const SitePlanOptions& options, Progress& progress)
      : options_(options), progress_(progress), limit_(json_limit()) {}

  /// The largest vocabulary for so many layers; fits is false if not even the smallest one does.
  Built largest(int layers, int most) {
    Built high = build(layers, most);
    if (high.fits || most <= kSmallestVocabulary) return high;
    Built low = build(layers, kSmallestVocabulary);
    if (!low.fits) return low;
    // Sizes grow by nearly the same for every token.
    while (high.vocabulary - low.vocabulary > kStep) {
      const double slope =
          static_cast<double>(high.measures.project_json_bytes - low.measures.project_json_bytes) /
          (high.vocabulary - low.vocabulary);
      const double room =
          static_cast<double>(limit_) - static_cast<double>(low.measures.project_json_bytes);
      int next = (low.vocabulary + static_cast<int>(room / slope)) / kStep * kStep;
      next = std::clamp(next, low.vocabulary + kStep, high.vocabulary - kStep);
      const Built tried = build(layers, next);
      (tried.fits ? low : high) = tried;
      // The guess is nearly exact: its other neighbour ends the search.
      if (tried.fits && next + kStep < high.vocabulary) {
        const Built above = build(layers, next + kStep);
        (above.fits ? low : high) = above;
      }
    }
    return low;
  }

 private:
  static std::size_t json_limit() {
    for (const Limit& limit : target_limits()) {
      if (limit.target == kTarget && limit.measure == &Measures::project_json_bytes) {
        return limit.most;
      }
    }
    throw Error(Fault::bug, "the site has no limit");
  }

  Built build(int layers, int vocabulary) {
    progress_.report(fmt::format("{} layers, {} tokens", layers, vocabulary), -1);
    const Model model = synthetic_model({.preset = options_.preset,
                                         .seed = options_.seed,
                                         .layers = layers,
                                         .vocabulary = vocabulary});
    BuildOptions options;
    options.input.file = "site.safetensors";
    options.input.name = "site";
    options.target = kTarget;
    options.level = Level::fast;  // which is only about deflate here
    SilentProgress silent;
    const std::string bytes = pack(model, pack_request(with_defaults(options), {}), silent);
    Built built{.layers = layers, .vocabulary = vocabulary};
    for (const auto& [key, shape] : expected_tensors(model.spec)) {
      built.weights += std::int64_t{shape.rows} * shape.cols;
    }
    std::size_t json_bytes = 0;
    for (const ZipPlace& place : list_zip("the project", as_bytes(bytes))) {
      if (place.name == "project.json") json_bytes = place.size;
    }
    built.measures = measure(read_sb3("the project", as_bytes(bytes)), bytes.size(), json_bytes);
    built.fits = over_limits(kTarget, built.measures).empty();
    return built;
  }

  const SitePlanOptions& options_;
  Progress& progress_;
  std::size_t limit_;
};

std::string synth_command(const SitePlanOptions& options, const Built& best) {
  return fmt::format(
      "sb3lm synth --preset {} --layers {} --vocabulary {} --seed {} -o {}.safetensors",
      options.preset, best.layers, best.vocabulary, options.seed, "site");
}

Json as_json(const SitePlanOptions& options, const std::vector<Built>& table, const Built* best) {
  Json rows = Json::array();
  for (const Built& row : table) {
    rows.push_back({{"layers", row.layers},
                    {"vocabulary", row.vocabulary},
                    {"weights", row.weights},
                    {"project_json_bytes", row.measures.project_json_bytes},
                    {"blocks", row.measures.blocks},
                    {"largest_list", row.measures.largest_list},
                    {"fits", row.fits},
                    {"chosen", &row == best}});
  }
  return {{"preset", options.preset},
          {"shapes", std::move(rows)},
          {"synth", best == nullptr ? Json(nullptr) : Json(synth_command(options, *best))}};
}

void print(const SitePlanOptions& options, const std::vector<Built>& table, const Built* best) {
  print_out("{:>6} {:>10} {:>12} {:>19} {:>7}\n", "layers", "vocabulary", "weights",
            "bytes project.json", "blocks");
  for (const Built& row : table) {
    print_out("{:>6} {:>10} {:>12} {:>19} {:>7}{}\n", row.layers,
              with_separators(static_cast<std::size_t>(row.vocabulary)),
              with_separators(static_cast<std::size_t>(row.weights)),
              with_separators(row.measures.project_json_bytes),
              with_separators(row.measures.blocks),
              &row == best ? "  most weights"
              : row.fits   ? ""
                           : "  does not fit");
  }
  if (best != nullptr) {
    print_out("{}\nsb3lm build site.safetensors --target site -o site.sb3\n",
              synth_command(options, *best));
  }
}

}  // namespace

int run_command(const SitePlanOptions& options, Progress& progress) {
  const ModelSpec spec = synth_model(options.preset).spec;
  SitePlanner planner(options, progress);
  std::vector<Built> table;
  for (int layers = 1; layers <= static_cast<int>(spec.layers.size()); ++layers) {
    table.push_back(planner.largest(layers, spec.vocabulary));
    if (!table.back().fits) break;
  }
  const Built* best = nullptr;
  for (const Built& row : table) {
    if (row.fits && (best == nullptr || row.weights > best->weights)) best = &row;
  }
  progress.report("planned", 1);
  if (options.json) {
    print_json(as_json(options, table, best));
  } else {
    print(options, table, best);
  }
  if (best == nullptr) fail(Fault::mismatch, "preset {}: no shape fits", options.preset);
  return 0;
}

}  // namespace sb3lm
