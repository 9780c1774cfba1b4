#include "pack.h"

#include <charconv>

#include "base/error.h"
#include "quant/rtn.h"
#include "sb3/sb3.h"
#include "scratch/check.h"
#include "scratch/pass_unused.h"

namespace sb3lm {
namespace {

constexpr int kDefaultBits = 8;

int parse_bits(const std::string& text) {
  if (text.empty()) return kDefaultBits;
  int bits = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (code != std::errc() || end != text.data() + text.size() || bits < 1 || bits > 8) {
    fail(Fault::usage, "--bits {}: 1 to 8, or float", text);
  }
  return bits;
}

}  // namespace

Model load_model(const std::filesystem::path& checkpoint, const ImportOptions& options,
                 const std::string& bits, Progress& progress) {
  Model model = import_model(checkpoint, options, progress);
  if (bits != "float") quantise_matrices(model, parse_bits(bits));
  return model;
}

std::string pack(const Model& model, const PackRequest& request, Progress& progress) {
  progress.report("making blocks", -1);
  LowerOptions options = request.lower;
  options.bits = request.bits;
  options.shares_project = !request.project.empty();
  scratch::Program program = lower(model, options);
  scratch::drop_unused(program);
  const bool fast = request.lower.tune != Tune::scratch && request.lower.kernel != Kernel::naive;
  require_valid(program, {.compiled = fast});
  if (request.project.empty()) return write_sb3(program, request.deflate_level, progress);
  const MappedFile project(request.project);
  return add_to_sb3(request.project.string(), project.bytes(), std::move(program),
                    {.shared = request.shared_names, .level = request.deflate_level}, progress);
}

}  // namespace sb3lm
