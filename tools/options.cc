#include "options.h"

#include <cstdlib>
#include <sstream>

#include "base/error.h"
#include "console.h"
#include "import/folder.h"
#include "option_kinds.h"
#include "synth/synth.h"

namespace sb3lm {
namespace {

constexpr int kUsage = 2;
constexpr int kLongestContext = 1 << 20;
constexpr int kMostThreads = 256;
constexpr int kMostPositions = 1 << 30;

// What callbacks fill in; the chosen subcommand's struct becomes the Command.
struct Parsed {
  BuildOptions build;
  ReportOptions report;
  InspectOptions inspect;
  CompareOptions compare;
  RunOptions run;
  LogitsOptions logits;
  EvalOptions eval;
  ProbeOptions probe;
  PlanOptions plan;
  SitePlanOptions site_plan;
  SynthCommand synth;
  ExportOptions export_;
  PackageOptions package;
  std::vector<std::string> conventions;  // "key=value"
  bool quiet = false;
};

void add_bits(CLI::App* app, FloatBits& bits) {
  app->add_option_function<std::string>(
         "--bits", [&bits](const std::string& text) { bits = *float_bits_from_text(text); },
         "width of float weights: 1 to 8, or float (default: 8)")
      ->check([](const std::string& text) {
        return !text.empty() && float_bits_from_text(text) ? "" : text + ": 1 to 8, or float";
      });
}

/// Without --bits: for what looks at the weights as they are.
void add_checkpoint(CLI::App* app, InputOptions& input, Parsed& parsed, const char* what) {
  app->add_option("FILE", input.file, what)->required();
  app->add_option(
      "--tokenizer", input.import.tokenizer,
      "tokenizer.json, SentencePiece's .model, tokenizer.bin, vocab.json or none (default: the "
      "one beside the checkpoint)");
  app->add_option("--map", input.import.name_map,
                  "JSON file that maps tensors' names, or beginnings of names with a *, to roles, "
                  "other names or \"ignore\"");
  app->add_option("--chat-template", input.import.chat_template,
                  "file with lines first:, next:, stop:, or with a Jinja template");
  app->add_option("--convention", parsed.conventions,
                  "KEY=VALUE: how to read what the checkpoint leaves open; may be repeated")
      ->expected(1)
      ->take_all();
  app->add_option("--sidecar", input.import.sidecar,
                  "JSON file of conventions, as probe writes it (default: FILE.conventions.json)");
}

void add_input(CLI::App* app, InputOptions& input, Parsed& parsed, const char* what) {
  add_checkpoint(app, input, parsed, what);
  Recipe& recipe = input.recipe;
  add_bits(app, recipe.float_bits);
  add_choice<Quantiser>(
      app, "--quantiser", recipe.quantiser,
      "rtn: each weight to its nearest level; gptq: such that outputs change "
      "least (default: gptq below 8 bits, if there are at most 45 million weights)");
  app->add_option("--calibration", input.calibration,
                  "TEXT whose outputs gptq cares for (default: what the model writes itself)");
  app->add_option("--plan", input.plan, "JSON file of widths, as plan writes it");
  app->add_option("--keep-tokens", input.keep_tokens,
                  "TEXT|N: drop all tokens but those that become of a text (a file), or but the N "
                  "that merge first");
  app->add_option("--round-scales", recipe.scale_bits,
                  "mantissa bits that row scales, norms and biases keep: 1 to 9 (default: all)")
      ->check(CLI::Range(1, 9));
  app->add_option("--router-bits", recipe.router_bits,
                  "width of the routers' weights: 2 to 8 (default: binary16)")
      ->check(CLI::Range(2, 8));
}

void add_prompt(CLI::App* app, PromptOptions& prompt) {
  auto* text = app->add_option("--prompt", prompt.prompt, "text to begin with")->check(check_utf8);
  app->add_option("--tokens", prompt.tokens, "token ids to begin with: 1,2,3")
      ->delimiter(',')
      ->excludes(text);
}

void add_threads(CLI::App* app, int& threads) {
  app->add_option("--threads", threads, "default: one per processor")
      ->check(CLI::Range(1, kMostThreads));
}

void add_engine(CLI::App* app, EngineKind& engine, int& threads) {
  add_choice<EngineKind>(
      app, "--engine", engine,
      fmt::format("fast: packed weights; double: the verification engine (default: {})",
                  enum_name(engine)));
  add_threads(app, threads);
}

/// What decides a file's size besides the widths.
void add_shape(CLI::App* app, BuildOptions& build) {
  app->add_option("--context", build.context,
                  "positions of the KV cache (default: the model's, at most 2048)")
      ->check(CLI::Range(1, kLongestContext));
  app->add_option("--title", build.title, "shown on the stage")->check(check_utf8);
  add_choice<Level>(app, "--level", build.level, "how hard to compress");
  add_choice<Tune>(app, "--tune", build.tune, "which player to shape blocks for (default: both)");
  add_choice<Kernel>(app, "--kernel", build.kernel, "naive: the slow loop to compare with",
                     some_names({Kernel::tables, Kernel::naive}));
  add_choice<Letters>(
      app, "--letters", build.letters,
      "that can be typed: of the scripts that the vocabulary writes and a few more; all");
}

void add_build(CLI::App& app, Parsed& p) {
  auto* sub = app.add_subcommand("build", "make an .sb3 from a checkpoint");
  add_input(sub, p.build.input, p, "checkpoint, or the folder that it lies in");
  sub->add_option("-o,--out", p.build.out, "where to write (default: the checkpoint's name)");
  add_shape(sub, p.build);
  sub->add_option("--licence", p.build.licence,
                  "of the model, for the project's notes (default: what the checkpoint says)")
      ->check(check_utf8);
  auto* project = sub->add_option("--template", p.build.project,
                                  "somebody's .sb3 that the model joins; its sprites stay");
  sub->add_option("--share", p.build.shared_names,
                  "names that the --template has for the model: status,transcript")
      ->check(check_utf8)
      ->delimiter(',')
      ->needs(project);
  add_choice<Ui>(sub, "--ui", p.build.ui, "the chat window (default: chat, none with --template)");
  add_choice<BuildTarget>(
      sub, "--target", p.build.target,
      "what it is for: Scratch and TurboWarp, saving on Scratch's website, TurboWarp only");
  sub->add_flag("--allow-over-budget", p.build.allow_over_budget,
                "write the file even if it is over the target's limit");
  sub->add_option("--html-report", p.build.html_report, "write a page about the project here too");
  sub->add_flag("--no-verify", p.build.no_verify, "do not run the finished blocks");
  sub->footer(
      "Examples:\n"
      "  sb3lm build SSMoELM-it-5L.safetensors -o chat.sb3\n"
      "  sb3lm build stories260K.bin --tokenizer tok512.bin --bits float -o stories.sb3\n"
      "  sb3lm build model.safetensors --template game.sb3 --share \"status,transcript\" -o x.sb3");
}

void add_text(CLI::App* app, TextOptions& text) {
  auto* file = app->add_option("TEXT", text.file,
                               "UTF-8 text, - for standard input (default: a page of plain "
                               "English that is built in)");
  app->add_option("--tokens", text.tokens, "token ids instead of a text: 1,2,3")
      ->delimiter(',')
      ->excludes(file);
}

void add_report(CLI::App& app, Parsed& p) {
  auto* sub = app.add_subcommand("report", "where the bytes of an .sb3 go");
  add_input(sub, p.report.input, p, "checkpoint, the folder that it lies in, or .sb3");
  sub->add_flag("--json", p.report.json, "machine-readable");
  sub->add_option("--html", p.report.html, "write a page with pictures to this file");
  sub->add_option("--fit", p.report.fit,
                  "say what would make it fit this size: 9MiB, 8000000 (default: 10MiB)")
      ->transform(parse_size);
  sub->footer(
      "Examples:\n"
      "  sb3lm report chat.sb3\n"
      "  sb3lm report chat.sb3 --html report.html --fit 9MiB");
}

void add_inspect(CLI::App& app, Parsed& p) {
  auto* sub = app.add_subcommand("inspect", "tensors and metadata, or the scripts as text");
  add_input(sub, p.inspect.input, p, "checkpoint, the folder that it lies in, or .sb3");
  sub->add_flag("--blocks", p.inspect.blocks, "print the scripts of an .sb3");
  sub->footer("Example:\n  sb3lm inspect chat.sb3 --blocks | less");
}

void add_vm(CLI::App* app, std::vector<Vm>& vms) {
  // What the plain tools/setup installs, each engine once.
  static constexpr std::string_view kAll = "all";
  std::vector<std::string> choices = all_names<Vm>();
  choices.emplace_back(kAll);
  const auto choose = [&vms](const std::string& text) {
    if (text == kAll) {
      vms = {Vm::blocks, Vm::scratch, Vm::turbowarp};
    } else {
      vms = {*enum_named<Vm>(text)};
    }
  };
  app->add_option_function<std::string>("--vm", choose, "where to run the blocks")
      ->check(CLI::IsMember(choices));
}

void add_compare(CLI::App& app, Parsed& p) {
  auto* sub = app.add_subcommand("compare", "prove that the blocks compute the model's numbers");
  add_input(sub, p.compare.input, p, "checkpoint, or the folder that it lies in");
  sub->add_option("SB3", p.compare.sb3, "the .sb3 made from it")->required();
  add_vm(sub, p.compare.vms);
  add_prompt(sub, p.compare.prompt);
  sub->add_option("--new-tokens", p.compare.new_tokens, "tokens to generate (default: 8)")
      ->check(CLI::NonNegativeNumber);
  sub->add_flag("--json", p.compare.json, "machine-readable");
  sub->footer("Example:\n  sb3lm compare model.safetensors chat.sb3 --vm all --tokens 0,4,35");
}

void add_run(CLI::App& app, Parsed& p) {
  auto* sub = app.add_subcommand("run", "generate text natively");
  add_input(sub, p.run.input, p, "checkpoint, the folder that it lies in, or .sb3");
  add_prompt(sub, p.run.prompt);
  auto* chat = sub->add_flag("--chat", p.run.chat,
                             "answer lines from standard input, turn by turn; Ctrl-C stops a "
                             "reply, and lines /reset, /stats and /quit do what they say");
  sub->add_option("--context", p.run.context, "positions of the KV cache (default: the model's)")
      ->check(CLI::Range(1, kLongestContext));
  sub->add_option("--max-new-tokens", p.run.max_new_tokens, "default: 256")
      ->check(CLI::Range(0, kLongestContext));
  sub->add_option("--temperature", p.run.sampling.temperature, "0: always the likeliest token");
  sub->add_option("--top-k", p.run.sampling.top_k, "0: off");
  sub->add_option("--top-p", p.run.sampling.top_p, "1: off");
  sub->add_option("--repetition-penalty", p.run.sampling.repetition_penalty, "1: off");
  sub->add_option("--seed", p.run.sampling.seed, "of the random numbers (default: 1)");
  add_engine(sub, p.run.engine, p.run.threads);
  auto* json = sub->add_flag("--json", p.run.json, "machine-readable");
  for (auto* other : {sub->get_option("--prompt"), sub->get_option("--tokens"), json}) {
    chat->excludes(other);
  }
  sub->footer(
      "Examples:\n"
      "  sb3lm run stories260K.bin --prompt \"Once upon a time\"\n"
      "  sb3lm run chat.sb3 --chat");
}

void add_logits(CLI::App& app, Parsed& p) {
  auto* sub = app.add_subcommand("logits", "the model's raw output after some tokens");
  add_input(sub, p.logits.input, p, "checkpoint, the folder that it lies in, or .sb3");
  sub->add_option("--tokens", p.logits.tokens, "token ids: 1,2,3")->delimiter(',')->required();
  sub->add_flag("--all", p.logits.all, "after each token, not only the last");
  add_engine(sub, p.logits.engine, p.logits.threads);
  sub->add_flag("--json", p.logits.json, "machine-readable");
  sub->footer("Example:\n  sb3lm logits model.safetensors --tokens 0,4,35 --json");
}

void add_eval(CLI::App& app, Parsed& p) {
  auto* sub = app.add_subcommand("eval", "perplexity and bits per byte of a text");
  add_input(sub, p.eval.input, p, "checkpoint, the folder that it lies in, or .sb3");
  add_text(sub, p.eval.text);
  sub->add_option("--context", p.eval.context,
                  "positions of a window (default: the model's, at most 2048)")
      ->check(CLI::Range(1, kLongestContext));
  sub->add_option("--stride", p.eval.stride,
                  "from one window's start to the next (default: half the context; 64 with --rule "
                  "parameter-golf)")
      ->check(CLI::Range(1, kLongestContext));
  add_choice<Scoring>(sub, "--rule", p.eval.rule,
                      "once: each token; parameter-golf: windows and bytes as its programs count "
                      "them (default: once)");
  sub->add_option("--prefix", p.eval.prefix, "score only the first positions (default: all)")
      ->check(CLI::Range(1, kMostPositions));
  add_engine(sub, p.eval.engine, p.eval.threads);
  sub->add_flag("--json", p.eval.json, "machine-readable");
  sub->footer(
      "Examples:\n"
      "  sb3lm eval model.safetensors\n"
      "  sb3lm eval chat.sb3 story.txt --context 256 --stride 64\n"
      "  sb3lm eval model.ptz val.bin --rule parameter-golf --prefix 65536\n"
      "  head -c 5000 story.txt | sb3lm eval model.safetensors - --json");
}

void add_probe(CLI::App& app, Parsed& p) {
  auto* sub = app.add_subcommand("probe", "find out how a checkpoint must be read");
  add_checkpoint(sub, p.probe.input, p, "checkpoint, or the folder that it lies in");
  add_text(sub, p.probe.text);
  sub->add_option("-o,--out", p.probe.out,
                  "where to write what was found (default: FILE.conventions.json)");
  sub->add_option("--use-tokens", p.probe.use_tokens,
                  "only the first ones of the text (default: 256)")
      ->check(CLI::Range(32, kLongestContext));
  add_threads(sub, p.probe.threads);
  sub->add_flag("--json", p.probe.json, "machine-readable");
  sub->footer(
      "What --convention gives is not questioned.\n"
      "Examples:\n"
      "  sb3lm probe SSMoELM-it-5L.safetensors\n"
      "  sb3lm probe model.safetensors german.txt --convention rope=interleaved -o found.json\n"
      "  sb3lm build model.safetensors --sidecar found.json");
}

void add_plan(CLI::App& app, Parsed& p) {
  auto* sub =
      app.add_subcommand("plan", "choose the widths that fit a size, or a layer to do without");
  add_input(sub, p.plan.build.input, p, "checkpoint, or the folder that it lies in");
  sub->get_option("FILE")->required(false);
  add_text(sub, p.plan.text);
  sub->add_option("--fit", p.plan.fit, "bytes that the .sb3 may have: 10MiB, 8.5MB, 9000000")
      ->transform(parse_size);
  sub->add_flag("--passes", p.plan.passes,
                "find the layer that a neighbour replaces best, and run that one twice");
  auto* target = add_choice<BuildTarget>(
      sub, "--target", p.plan.build.target,
      "site, without FILE: the largest model of a preset's shape that a project on Scratch's "
      "website holds",
      some_names({BuildTarget::site}));
  sub->add_option("--preset", p.site_plan.preset,
                  "of synth, whose shape --target site takes (default: ssmoelm-5l)")
      ->needs(target);
  sub->add_option("--seed", p.site_plan.seed, "of its random weights (default: 1)")->needs(target);
  sub->add_option("-o,--out", p.plan.out, "where to write (default: FILE.plan.json)");
  add_shape(sub, p.plan.build);
  sub->add_option("--use-tokens", p.plan.use_tokens,
                  "only the first ones of the text (default: 256, with --fit up to 4,096)")
      ->check(CLI::Range(2, kLongestContext));
  add_threads(sub, p.plan.threads);
  sub->add_flag("--json", p.plan.json, "machine-readable");
  sub->footer(
      "The plan is exact for the options it was made with: give build the same ones.\n"
      "Examples:\n"
      "  sb3lm plan model.safetensors --fit 10MiB -o plan.json\n"
      "  sb3lm build model.safetensors --plan plan.json -o chat.sb3\n"
      "  sb3lm plan model.safetensors story.txt --passes\n"
      "  sb3lm plan --target site");
}

void add_export(CLI::App& app, Parsed& p) {
  auto* sub = app.add_subcommand("export", "the packed checkpoint back out of an .sb3");
  sub->add_option("SB3", p.export_.sb3, "made by sb3lm build")->required();
  sub->add_option("-o,--out", p.export_.out, "where to write; - is standard output")->required();
  sub->footer(
      "Codes and scales are those that went in, bit for bit, under the same names. If reading the\n"
      "file takes conventions, they are written beside it.\n"
      "Example:\n"
      "  sb3lm export chat.sb3 -o model.safetensors");
}

void add_synth(CLI::App& app, Parsed& p) {
  auto* sub = app.add_subcommand("synth", "write a checkpoint with random weights");
  std::string presets = "one of:";
  for (const SynthPreset& preset : synth_presets()) {
    presets += fmt::format("\n    {:<16} {}", preset.name, preset.description);
  }
  sub->add_option("--preset", p.synth.preset, presets)->required();
  sub->add_option("--seed", p.synth.seed, "of the random numbers (default: 1)");
  add_choice<Distribution>(sub, "--distribution", p.synth.distribution, "of the weights");
  sub->add_option("--layers", p.synth.layers, "stored layers (default: the preset's, at most)");
  sub->add_option("--vocabulary", p.synth.vocabulary, "tokens (default: the preset's, at most)");
  sub->add_option("-o,--out", p.synth.out, "where to write")->required();
  sub->footer("Example:\n  sb3lm synth --preset ssmoelm-5l -o model.safetensors");
}

void add_package(CLI::App& app, Parsed& p) {
  auto* sub = app.add_subcommand("package", "make one HTML page of an .sb3");
  sub->add_option("SB3", p.package.sb3, "any Scratch project")->required();
  sub->add_option("-o,--out", p.package.out, "where to write (default: the project's name)");
  sub->add_option("--title", p.package.title,
                  "of the page (default: the one that the project was built with)")
      ->check(check_utf8);
  sub->footer(
      "The page holds the project and TurboWarp's player and needs no network. It takes Node and\n"
      "the packages of tools/setup to make one, and a browser to open it.\n"
      "Example:\n"
      "  sb3lm package chat.sb3 -o chat.html");
}

std::map<std::string, std::string> parse_conventions(const std::vector<std::string>& pairs) {
  std::map<std::string, std::string> conventions;
  for (const std::string& pair : pairs) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos) {
      throw CLI::ValidationError("--convention", pair + ": write KEY=VALUE");
    }
    conventions[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return conventions;
}

// Of "." and "models/" too.
std::string folder_name(const std::filesystem::path& folder) {
  const std::filesystem::path whole = (std::filesystem::absolute(folder) / "").lexically_normal();
  return whole.parent_path().filename().string();
}

void finish_input(const Parsed& parsed, InputOptions& input) {
  input.import.conventions = parse_conventions(parsed.conventions);
  const std::filesystem::path given = input.file;
  input.file = checkpoint_in(given);
  input.name = input.file == given ? given.stem().string() : folder_name(given);
}

template <class Options>
Command finished(Options options, const Parsed& parsed) {
  if constexpr (requires { options.build.input; }) {
    finish_input(parsed, options.build.input);
  } else if constexpr (requires { options.input; }) {
    finish_input(parsed, options.input);
  }
  // Who names ids can do without a tokenizer.
  if constexpr (requires { options.input, options.prompt.tokens; }) {
    options.input.import.by_ids = !options.prompt.tokens.empty();
  } else if constexpr (requires { options.input, options.text.tokens; }) {
    options.input.import.by_ids = !options.text.tokens.empty();
  } else if constexpr (requires { options.input, options.tokens; }) {
    options.input.import.by_ids = !options.tokens.empty();
  }
  return options;
}

Command chosen_plan(const CLI::App& app, const Parsed& p) {
  if (p.plan.build.target == BuildTarget::site) {
    refuse_all_but(app, "--target", {"--preset", "--seed", "--json"});
    SitePlanOptions options = p.site_plan;
    options.json = p.plan.json;
    return options;
  }
  if (p.plan.build.input.file.empty()) throw CLI::RequiredError("FILE");
  if (p.plan.fit == 0 && !p.plan.passes) throw CLI::RequiredError("--fit");
  return finished(p.plan, p);
}

Command chosen(const CLI::App& app, const Parsed& p) {
  const std::string name = app.get_subcommands().front()->get_name();
  if (name == "build") return finished(p.build, p);
  if (name == "report") return finished(p.report, p);
  if (name == "inspect") return finished(p.inspect, p);
  if (name == "compare") return finished(p.compare, p);
  if (name == "run") return finished(p.run, p);
  if (name == "logits") return finished(p.logits, p);
  if (name == "eval") return finished(p.eval, p);
  if (name == "probe") return finished(p.probe, p);
  if (name == "plan") return chosen_plan(*app.get_subcommands().front(), p);
  if (name == "export") return finished(p.export_, p);
  if (name == "package") return p.package;
  return finished(p.synth, p);
}

// CLI11 would only say that a subcommand is missing.
void refuse_unknown_subcommand(const CLI::App& app, int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.starts_with("-")) continue;
    const auto named = [&](const CLI::App* command) { return command->get_name() == word; };
    if (!app.get_subcommands(named).empty()) return;
    print_err("sb3lm: there is no command '{}'; sb3lm --help lists them\n", word);
    std::exit(kUsage);
  }
}

void add_all(CLI::App& app, Parsed& parsed) {
  app.set_version_flag("--version", SB3LM_VERSION);
  app.add_flag("-q,--quiet", parsed.quiet, "no progress on standard error");
  app.require_subcommand(1);
  app.fallthrough();
  app.allow_windows_style_options(false);  // names of files begin with / too
  app.footer("Help on a subcommand: sb3lm build --help");
  for (const auto add : {add_build, add_report, add_inspect, add_compare, add_run, add_logits,
                         add_eval, add_probe, add_plan, add_synth, add_export, add_package}) {
    add(app, parsed);
  }
}

constexpr const char* kAbout = "A language model compiler and packer for Scratch.";

}  // namespace

CommandHelp describe_command_line() {
  CLI::App app(kAbout, "sb3lm");
  Parsed parsed;
  add_all(app, parsed);
  return help_of(app);
}

CommandLine parse_command_line(int argc, char** argv) {
  CLI::App app(kAbout, "sb3lm");
  Parsed parsed;
  add_all(app, parsed);
  refuse_unknown_subcommand(app, argc, argv);
  try {
    app.parse(argc, argv);
    return {chosen(app, parsed), parsed.quiet};
  } catch (const CLI::ParseError& error) {
    std::ostringstream help, complaint;
    const bool asked = app.exit(error, help, complaint) == 0;
    print_out_text(help.str());
    flush_out();
    print_err_text(complaint.str());
    std::exit(asked ? 0 : kUsage);
  }
}

}  // namespace sb3lm
