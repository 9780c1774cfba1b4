// probe: the conventions of a checkpoint, settled by how well it predicts a text under each.
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "commands.h"
#include "console.h"
#include "import/convention_search.h"
#include "import/settings.h"
#include "load.h"
#include "model/fingerprint.h"
#include "outputs.h"
#include "runtime_ref/evaluate.h"
#include "runtime_ref/maths.h"
#include "text_source.h"

namespace sb3lm {
namespace {

using Json = nlohmann::ordered_json;

// Long enough for attention to matter, short enough that two threads share the default text.
constexpr int kWindow = 128;
constexpr std::size_t kFewestTokens = 32;  // fewer say too little about anything
// From this share of a blind guess's nats on, a reading has gone wrong in more than one way.
constexpr double kLost = 0.75;

/// Imports the checkpoint under a reading and scores it. Readings that make the same model are
/// scored once.
class Scorer {
 public:
  explicit Scorer(const ProbeOptions& options) : options_(options) {}

  void judge_by(std::vector<int> tokens) { tokens_ = std::move(tokens); }

  Model load(const ConventionMap& reading) const {
    SilentProgress silent;
    ImportOptions import = options_.input.import;
    for (const auto& [name, value] : reading) import.conventions[name] = value;
    return import_model(options_.input.file, import, silent);
  }

  const std::vector<double>& score(const Model& model) {
    const std::uint64_t key = model_fingerprint(model);
    const auto found = known_.find(key);
    if (found != known_.end()) return found->second;
    const int context = std::min(model.spec.context, kWindow);
    SilentProgress silent;
    ++scored_;
    return known_
        .emplace(key, token_nats(model, tokens_, {.context = context, .stride = context},
                                 options_.threads, silent))
        .first->second;
  }

  TokenNats operator()(const ConventionMap& reading) {
    try {
      return score(load(reading));
    } catch (const Error& error) {
      if (error.fault != Fault::bad_input) throw;
      return std::nullopt;
    }
  }

  int scored() const { return scored_; }

 private:
  const ProbeOptions& options_;
  std::vector<int> tokens_;
  std::map<std::uint64_t, std::vector<double>> known_;
  int scored_ = 0;
};

/// The beginning of the text.
std::vector<int> tokens_to_use(const Model& model, const SourceText& text, int most) {
  std::vector<int> tokens = source_tokens(model, text);
  if (tokens.size() < kFewestTokens) {
    fail(Fault::bad_input, "{}: {} tokens; probe needs at least {}", text.name, tokens.size(),
         kFewestTokens);
  }
  tokens.resize(std::min(tokens.size(), static_cast<std::size_t>(most)));
  return tokens;
}

/// What the file leaves open, but for what the options settle.
std::vector<std::string> names_to_search(const Model& model, const ProbeOptions& options) {
  std::vector<std::string> names = model.open;
  std::erase_if(names, [&](const std::string& name) {
    return options.input.import.conventions.contains(name);
  });
  if (names.empty()) {
    fail(Fault::usage, "{}: nothing is left open", options.input.file.string());
  }
  return names;
}

/// What the sidecar held before and the options, then every finding that says something: a value
/// that is beyond doubt, or another one than the checkpoint was read with.
std::map<std::string, std::string> sidecar_after(const ProbeOptions& options,
                                                 const ConventionSearch& search) {
  std::map<std::string, std::string> entries;
  const ImportOptions& import = options.input.import;
  const std::filesystem::path before = import.sidecar.value_or(sidecar_of(options.input.file));
  if (std::filesystem::exists(before)) {
    const MappedFile file(before);
    entries = sidecar_entries(before.string(), file.text());
  }
  for (const auto& [name, value] : import.conventions) entries[name] = value;
  for (const ConventionFinding& found : search.findings) {
    if (found.confidence >= Confidence::likely || found.chosen != found.start) {
      entries[found.name] = found.chosen;
    }
  }
  return entries;
}

std::string sigmas_text(const OtherValue& other) {
  if (!other.readable || other.same) return "";
  return std::isinf(other.worse_sigmas) ? "inf" : fmt::format("{:.1f}", other.worse_sigmas);
}

std::string perplexity_text(const OtherValue& other) {
  if (!other.readable) return "unreadable";
  return other.same ? "the same" : fmt::format("{:.5g}", maths::exp(other.nats));
}

void print_row(const std::array<std::string, 6>& cells) {
  std::string line = fmt::format("{:<15} {:<11} {:<10} {:<12} {:>10} {:>7}", cells[0], cells[1],
                                 cells[2], cells[3], cells[4], cells[5]);
  line.resize(line.find_last_not_of(' ') + 1);
  print_out("{}\n", line);
}

void print_table(const ConventionSearch& search) {
  print_row({"convention", "chosen", "how sure", "other value", "perplexity", "sigmas"});
  for (const ConventionFinding& found : search.findings) {
    std::array<std::string, 3> about = {found.name, found.chosen,
                                        std::string(confidence_text(found.confidence))};
    for (const OtherValue& other : found.others) {
      print_row(
          {about[0], about[1], about[2], other.value, perplexity_text(other), sigmas_text(other)});
      about = {};
    }
  }
  for (const ConventionFinding& found : search.findings) {
    if (found.chosen != found.start) {
      print_out("changed: {} from {} to {}\n", found.name, found.start, found.chosen);
    }
  }
}

Json finding_json(const ConventionFinding& found) {
  Json others = Json::array();
  for (const OtherValue& other : found.others) {
    Json row = {{"value", other.value}, {"readable", other.readable}, {"same", other.same}};
    row["perplexity"] = other.readable ? Json(maths::exp(other.nats)) : Json(nullptr);
    row["sigmas"] = other.readable ? Json(other.worse_sigmas) : Json(nullptr);
    others.push_back(row);
  }
  return {{"name", found.name},
          {"chosen", found.chosen},
          {"start", found.start},
          {"confidence", confidence_text(found.confidence)},
          {"others", others}};
}

struct Probed {
  ConventionSearch search;
  std::size_t tokens = 0;
  int vocabulary = 0;
  int scored = 0;
  std::filesystem::path sidecar;  // empty: nothing is written
};

Json as_json(const ProbeOptions& options, const SourceText& text, const Probed& probed) {
  Json findings = Json::array();
  for (const ConventionFinding& found : probed.search.findings) {
    findings.push_back(finding_json(found));
  }
  return {{"file", options.input.file.string()},
          {"text", text.name},
          {"tokens", probed.tokens},
          {"nats_per_token", probed.search.nats},
          {"perplexity", maths::exp(probed.search.nats)},
          {"vocabulary", probed.vocabulary},
          {"readings_scored", probed.scored},
          {"conventions", findings},
          {"sidecar", probed.sidecar.empty() ? Json(nullptr) : Json(probed.sidecar.string())}};
}

void print_result(const SourceText& text, const Probed& probed) {
  print_out("{} tokens of {}: perplexity {:.5g} (a blind guess has {}), {} readings scored\n",
            probed.tokens, text.name, maths::exp(probed.search.nats), probed.vocabulary,
            probed.scored);
  print_table(probed.search);
}

Probed probe(const ProbeOptions& options, const SourceText& text, Progress& progress) {
  Scorer scorer(options);
  progress.report("reading the checkpoint", -1);
  const Model model = scorer.load({});
  const std::vector<int> tokens = tokens_to_use(model, text, options.use_tokens);
  scorer.judge_by(tokens);
  Probed probed{.search = {},
                .tokens = tokens.size(),
                .vocabulary = model.spec.vocabulary,
                .scored = 0,
                .sidecar = {}};
  const SearchRequest request{.start = model.conventions,
                              .names = names_to_search(model, options),
                              .choices = model.choices,
                              .lost_nats = kLost * maths::log(probed.vocabulary)};
  probed.search = search_conventions(request, std::ref(scorer), progress);
  probed.scored = scorer.scored();
  progress.report("probed", 1);
  return probed;
}

/// The sidecar that was in force may be written anew: what it held stays in it.
std::vector<std::filesystem::path> protected_files(const ProbeOptions& options) {
  const InputOptions& input = options.input;
  std::vector<std::filesystem::path> files = with_text_file(input_files(input), options.text);
  std::erase(files, input.import.sidecar.value_or(sidecar_of(input.file)));
  return files;
}

}  // namespace

int run_command(const ProbeOptions& options, Progress& progress) {
  if (is_sb3(options.input.file)) {
    fail(Fault::usage, "{}: an .sb3 leaves nothing open; probe takes a checkpoint",
         options.input.file.string());
  }
  Outputs outputs(protected_files(options));
  const std::filesystem::path out =
      options.out.empty() ? sidecar_of(options.input.file) : options.out;
  outputs.expect(out);
  if (options.json) outputs.keep_standard_output();
  const SourceText text = read_source_text(options.text);
  Probed probed = probe(options, text, progress);
  const bool lost = probed.search.nats >= maths::log(probed.vocabulary);
  if (!lost) {
    probed.sidecar = out;
    outputs.write(out, sidecar_text(sidecar_after(options, probed.search)));
  }
  if (options.json) {
    print_json(as_json(options, text, probed));
  } else {
    print_result(text, probed);
    if (!lost && out != "-") print_out("written to {}\n", out.string());
  }
  if (lost) {
    fail(Fault::mismatch,
         "{}: no reading predicts {} better than a blind guess; no conventions are written",
         options.input.file.string(), text.name);
  }
  return 0;
}

}  // namespace sb3lm
