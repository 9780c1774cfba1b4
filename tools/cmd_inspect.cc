// inspect: what is in a checkpoint or an .sb3.
#include "base/error.h"
#include "commands.h"
#include "console.h"
#include "import/conventions.h"
#include "import/suggestions.h"
#include "input_check.h"
#include "load.h"
#include "model/spec_text.h"
#include "scratch/print.h"

namespace sb3lm {
namespace {

void print_tensors(const Model& model) {
  for (const auto& [key, shape] : expected_tensors(model.spec)) {
    const Tensor& tensor = model.at(key);
    std::string kind = "float";
    if (const auto* coded = std::get_if<CodedTensor>(&tensor)) {
      kind = fmt::format("{} bit", coded->format.bits);
    }
    const auto name = model.names.find(key);
    print_out("{:<28} {:>6} x {:<6} {:<7} {}\n", tensor_key_text(key), shape.rows, shape.cols, kind,
              name == model.names.end() ? "" : name->second);
  }
}

}  // namespace

int run_command(const InspectOptions& options, Progress& progress) {
  if (options.blocks) {
    if (!is_sb3(options.input.file)) fail(Fault::usage, "--blocks needs an .sb3");
    check_built_input(options.input);
    print_out("{}", print_program(load_program(options.input.file, progress)));
    return 0;
  }
  InputOptions input = options.input;
  if (!input.recipe.float_bits && !is_sb3(input.file)) {
    input.recipe.float_bits = kStayFloats;  // show the checkpoint as it is
  }
  const Model model = load_any(input, progress);
  for (const std::string& line : spec_text(model.spec)) print_out("{}\n", line);
  for (const auto& [name, value] : model.conventions) {
    if (is_convention(name)) print_out("{} = {}\n", name, value);  // the spec has the others
  }
  for (const auto& [name, value] : model.source.metadata) {
    print_out("metadata {} = {}\n", name, value);
  }
  for (const std::string& question : suggested_questions(model, input.file.string())) {
    print_out("suggestion: {}\n", question);
  }
  print_out("tokenizer: {}\n",
            model.tokenizer.present()
                ? fmt::format("{} tokens, {} merges", model.tokenizer.tokens.size(),
                              model.tokenizer.merges.size())
                : "none");
  print_tensors(model);
  return 0;
}

}  // namespace sb3lm
