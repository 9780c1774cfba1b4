// inspect: what is in a checkpoint or an .sb3.
#include "base/error.h"
#include "commands.h"
#include "console.h"
#include "input_check.h"
#include "load.h"
#include "scratch/print.h"

namespace sb3lm {
namespace {

void print_spec(const ModelSpec& spec) {
  print_out("{}: width {}, vocabulary {}, context {}, {} stored layers, {} passes, {} head\n",
            spec.family, spec.width, spec.vocabulary, spec.context, spec.layers.size(),
            spec.passes.size(), spec.tied_head ? "tied" : "own");
  for (const LayerSpec& layer : spec.layers) {
    const AttentionSpec& a = layer.attention;
    const FeedForwardSpec& f = layer.feed_forward;
    print_out("layer {}: {} query heads, {} KV heads of {}; ", layer.id, a.query_heads, a.kv_heads,
              a.head_size);
    if (f.is_mixture()) {
      print_out("{} experts of {}, top {}, {} shared of {}\n", f.routed_experts, f.hidden, f.top_k,
                f.shared_experts, f.shared_hidden);
    } else {
      print_out("dense of {}\n", f.hidden);
    }
  }
}

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
  print_spec(model.spec);
  for (const auto& [name, value] : model.conventions) print_out("{} = {}\n", name, value);
  for (const auto& [name, value] : model.source.metadata) {
    print_out("metadata {} = {}\n", name, value);
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
