// The command line, parsed: one struct per subcommand. options.cc alone fills them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "import/import.h"
#include "model/recipe.h"
#include "option_choices.h"

namespace sb3lm {

/// Options that every subcommand with a checkpoint or an .sb3 shares.
struct InputOptions {
  std::filesystem::path file;  // in the folder, if the user gave one
  std::string name;            // the folder's, or the file's without its ending
  ImportOptions import;
  Recipe recipe;               // what a plan leaves open
  std::filesystem::path plan;  // empty: none
  std::string keep_tokens;     // a text's file or a count; empty: all
  std::string calibration;     // a text's file; empty: what the model writes itself
};

struct BuildOptions {
  InputOptions input;
  std::filesystem::path out;  // empty: the checkpoint's name with .sb3
  int context = 0;
  std::string title;
  std::string licence;            // empty: what the checkpoint says
  std::filesystem::path project;  // empty: a new one
  std::vector<std::string> shared_names;
  std::optional<Ui> ui;  // else chat, but none in somebody else's project
  BuildTarget target = BuildTarget::sb3;
  Level level = Level::usual;
  std::optional<Tune> tune;      // else what suits the target
  std::optional<Kernel> kernel;  // the same
  Letters letters = Letters::usual;
  bool allow_over_budget = false;
  bool no_verify = false;
  std::filesystem::path html_report;  // empty: none
};

struct ReportOptions {
  InputOptions input;
  std::size_t fit = 0;         // bytes; 0: the target's limit; only for an .sb3
  std::filesystem::path html;  // empty: none
  bool json = false;
};

struct PackageOptions {
  std::filesystem::path sb3;
  std::filesystem::path out;  // empty: the project's name with .html
  std::string title;          // empty: the one that it was built with
};

struct InspectOptions {
  InputOptions input;
  bool blocks = false;
};

struct PromptOptions {
  std::string prompt;
  std::vector<int> tokens;
};

struct CompareOptions {
  InputOptions input;
  std::filesystem::path sb3;
  std::vector<Vm> vms = {Vm::blocks};
  PromptOptions prompt;
  int new_tokens = 8;
  bool json = false;
};

struct SamplingChoices {
  // Else the model's recommendation.
  std::optional<double> temperature, top_p, repetition_penalty;
  std::optional<int> top_k;
  double seed = 1;
};

struct RunOptions {
  InputOptions input;
  PromptOptions prompt;
  bool chat = false;
  int context = 0;  // 0: the model's
  int max_new_tokens = 256;
  SamplingChoices sampling;
  EngineKind engine = EngineKind::fast;
  int threads = 0;  // 0: one per processor
  bool json = false;
};

struct LogitsOptions {
  InputOptions input;
  std::vector<int> tokens;
  bool all = false;
  EngineKind engine = EngineKind::exact;
  int threads = 0;
  bool json = false;
};

/// A text to be judged by: a file, "-", or the built-in one; or token ids.
struct TextOptions {
  std::string file;
  std::vector<int> tokens;
};

struct EvalOptions {
  InputOptions input;
  TextOptions text;
  int context = 0;  // 0: the model's, at most 2,048
  int stride = 0;   // 0: half the context, 64 for parameter-golf
  Scoring rule = Scoring::once;
  int prefix = 0;   // positions; 0: all
  int threads = 0;  // 0: one per processor
  EngineKind engine = EngineKind::fast;
  bool json = false;
};

struct ProbeOptions {
  InputOptions input;
  TextOptions text;
  std::filesystem::path out;  // empty: sidecar_of the checkpoint
  int use_tokens = 256;
  int threads = 0;
  bool json = false;
};

struct PlanOptions {
  BuildOptions build;   // what the plan is for
  std::size_t fit = 0;  // bytes of the .sb3; 0: only passes are chosen
  bool passes = false;
  TextOptions text;
  std::filesystem::path out;  // empty: plan_of the checkpoint
  int use_tokens = 0;         // 0: as many as the time allows
  int threads = 0;
  bool json = false;
};

struct ExportOptions {
  std::filesystem::path sb3;
  std::filesystem::path out;
};

/// plan --target site: which model fits, not which widths of a given one.
struct SitePlanOptions {
  std::string preset = "ssmoelm-5l";
  std::uint64_t seed = 1;
  bool json = false;
};

struct SynthCommand {
  std::string preset;
  std::uint64_t seed = 1;
  Distribution distribution = Distribution::gauss;
  int layers = 0;      // 0: the preset's
  int vocabulary = 0;  // 0: the preset's
  std::filesystem::path out;
};

using Command = std::variant<BuildOptions, ReportOptions, InspectOptions, CompareOptions,
                             RunOptions, LogitsOptions, EvalOptions, ProbeOptions, PlanOptions,
                             SitePlanOptions, SynthCommand, ExportOptions, PackageOptions>;

struct CommandLine {
  Command command;
  bool quiet = false;
};

/// Parses argv. Prints help and version itself and exits 0; prints what is wrong and exits 2.
CommandLine parse_command_line(int argc, char** argv);

}  // namespace sb3lm
