#include "report/advice.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/entropy.h"
#include "base/error.h"
#include "base/half.h"
#include "model/project_names.h"
#include "quant/code_widths.h"
#include "quant/recipe.h"
#include "quant/rtn.h"

namespace sb3lm {
namespace {

constexpr int kScaleBits = 6;
constexpr int kRouterBits = 8;
constexpr int kShorterContext = 512;
constexpr std::string_view kSmallest = "letters";  // what --level smallest writes
constexpr double kSmallestBlocks = 1800;           // what its decoder takes more than others
constexpr double kMostlyVocabulary = 0.5;          // share of the file
constexpr double kLeastSaving = 256;               // bytes; less is not worth a line

double component_bytes(const Report& report, Component component) {
  return static_cast<double>(report.components[static_cast<std::size_t>(component)].sb3_bytes);
}

/// One bit less for a component's widest matrices.
void advise_widths(const Model& model, std::vector<Advice>& all) {
  std::map<Component, CodedTensors> groups;
  for (const auto& [key, tensor] : model.tensors) {
    const auto* coded = std::get_if<CodedTensor>(&tensor);
    if (coded != nullptr) groups[component_of(key.role)].push_back(coded);
  }
  for (const auto& [component, tensors] : groups) {
    int widest = 0;
    for (const CodedTensor* tensor : tensors) widest = std::max(widest, tensor->format.bits);
    if (widest < 2) continue;
    double saved = 0;
    for (const CodedTensor* tensor : tensors) {
      if (tensor->format.bits != widest) continue;
      saved += entropy_bits_of_bytes(tensor->codes) / 8 -
               entropy_bits_of_bytes(requantise_rows(*tensor, widest - 1).codes) / 8;
    }
    all.push_back(
        {.what = fmt::format("{} {} to {} bits", component_name(component), widest, widest - 1),
         .how = "sb3lm plan",
         .bytes = saved});
  }
}

/// A quarter of the tokens, where they are most of the file.
void advise_vocabulary(const Report& report, const Model& model, std::vector<Advice>& all) {
  const double rows =
      component_bytes(report, Component::embedding) + component_bytes(report, Component::head);
  if (!model.tokenizer.present() || !model.kept.all() || model.spec.bigram_buckets > 0) return;
  if (rows < kMostlyVocabulary * static_cast<double>(report.measures.sb3_bytes)) return;
  const int kept = model.spec.vocabulary / 4;
  all.push_back({.what = fmt::format("{} of {} tokens", kept, model.spec.vocabulary),
                 .how = fmt::format("--keep-tokens {}", kept),
                 .bytes = rows * (1.0 - static_cast<double>(kept) / model.spec.vocabulary)});
}

/// All binary16 numbers of the model as they are written, at the entropy of their streams.
double halves_bytes(const Model& model, int scale_bits) {
  std::array<std::map<Role, std::vector<std::uint16_t>>, kHalvesKinds> kinds;
  const auto add = [&](const TensorKey& key, const Tensor& tensor, std::uint16_t half) {
    const bool rounds = scale_bits != 0 && !is_router(key.role);
    kinds[static_cast<std::size_t>(halves_kind(tensor))][key.role].push_back(
        rounds ? round_mantissa(half, scale_bits) : half);
  };
  for (const auto& [key, tensor] : model.tensors) {
    if (const auto* coded = std::get_if<CodedTensor>(&tensor)) {
      for (const std::uint16_t half : coded->row_scale) add(key, tensor, half);
    } else if (const auto& floats = std::get<FloatTensor>(tensor); floats.type == FloatType::f16) {
      for (const float value : floats.values) add(key, tensor, half_from_double(value));
    }
  }
  double bytes = 0;
  for (const auto& roles : kinds) {
    std::vector<std::vector<std::uint16_t>> numbers;
    for (const auto& [role, halves] : roles) numbers.push_back(halves);
    if (numbers.empty()) continue;
    const std::vector<int> bases = halves_bases(numbers);
    std::vector<std::string> streams(kHalfStreams);
    for (std::size_t i = 0; i < numbers.size(); ++i) pack_halves(numbers[i], bases[i], streams);
    for (const std::string& stream : streams) {
      bytes += entropy_bits_of_bytes(as_bytes(stream)) / 8;
    }
  }
  return bytes;
}

void advise_rounding(const Model& model, std::vector<Advice>& all) {
  const int kept = model.rounding.scale_bits;
  if (kept == 0 || kept > kScaleBits) {
    all.push_back({.what = fmt::format("scales and norms rounded to {} mantissa bits", kScaleBits),
                   .how = fmt::format("--round-scales {}", kScaleBits),
                   .bytes = halves_bytes(model, 0) - halves_bytes(model, kScaleBits)});
  }
  Model without = model, routers;
  double coded = 0;
  for (const auto& [key, tensor] : model.tensors) {
    const auto* floats = std::get_if<FloatTensor>(&tensor);
    if (!is_router(key.role) || floats == nullptr || floats->type != FloatType::f16) continue;
    const CodedTensor codes = quantise_rows(*floats, kRouterBits);
    coded += entropy_bits_of_bytes(codes.codes) / 8 + 2.0 * codes.shape.rows;
    without.tensors.erase(key);
  }
  if (coded == 0) return;
  all.push_back({.what = fmt::format("routers as {}-bit codes", kRouterBits),
                 .how = fmt::format("--router-bits {}", kRouterBits),
                 .bytes = halves_bytes(model, 0) - halves_bytes(without, 0) - coded});
}

/// All codes in another encoding, at the entropy of its streams and codebooks.
double encoded_bytes(const Model& model, const CodeEncoding& encoding) {
  double bytes = 0;
  for (const auto& [bits, tensors] : codes_by_width(model)) {
    for (const GroupText& text : encode_width(encoding, bits, tensors)) {
      bytes += entropy_bits_of_bytes(as_bytes(text.codebook)) / 8;
      for (const std::string& stream : text.streams) {
        bytes += entropy_bits_of_bytes(as_bytes(stream)) / 8;
      }
    }
  }
  return bytes;
}

/// What the matrices' codes take here; estimated where a component holds floats as well.
double code_bytes(const Report& report, const Model& model) {
  double bytes = component_bytes(report, Component::codebooks);
  for (const ComponentRow& row : report.components) {
    if (row.component >= Component::routers || row.values == 0) continue;
    bytes += static_cast<double>(row.sb3_bytes);
  }
  for (const auto& [key, tensor] : model.tensors) {
    const auto* floats = std::get_if<FloatTensor>(&tensor);
    if (floats == nullptr || is_vector(key.role) || is_router(key.role)) continue;
    bytes -= entropy_bits_of_floats(floats->values) / 8;
  }
  return bytes;
}

void advise_level(const Report& report, const Unpacked& unpacked, std::vector<Advice>& all) {
  for (const UnpackedTensor& tensor : unpacked.tensors) {
    if (tensor.bits == 0) continue;
    if (tensor.encoding == kSmallest || unpacked.kernel == Kernel::naive) return;
  }
  all.push_back({.what = "the densest text",
                 .how = "--level smallest",
                 .bytes = code_bytes(report, unpacked.model) -
                          encoded_bytes(unpacked.model, code_encoding(kSmallest)) - kSmallestBlocks,
                 .changes_numbers = false});
}

void advise_context(const Report& report, const scratch::Program& program, const Unpacked& unpacked,
                    std::vector<Advice>& all) {
  const int shorter = std::min(kShorterContext, unpacked.context / 2);
  if (shorter < 1) return;
  double cache = 0, preloaded = 0;
  for (const scratch::Target& target : program.targets) {
    for (const scratch::List& list : target.lists) {
      if (!list.name.starts_with("_")) continue;
      if (list.items.empty()) preloaded += static_cast<double>(list.size());
      if (list.name == names::kKeys || list.name == names::kValues) {
        cache += static_cast<double>(list.size());
      }
    }
  }
  if (preloaded == 0) return;
  const double share = cache / preloaded * (1.0 - static_cast<double>(shorter) / unpacked.context);
  all.push_back({.what = fmt::format("context {} to {}", unpacked.context, shorter),
                 .how = fmt::format("--context {}", shorter),
                 .bytes = share * component_bytes(report, Component::preloaded),
                 .changes_numbers = false});
}

std::size_t blocks_of(const scratch::Procedure& procedure) {
  std::size_t count = 2 + procedure.parameters.size();
  for (const scratch::NodePtr& block : procedure.body) count += scratch::count_blocks(*block);
  return count;
}

void advise_tune(const Report& report, const scratch::Program& program, std::vector<Advice>& all) {
  std::size_t interpreted = 0;
  for (const scratch::Target& target : program.targets) {
    for (const scratch::Procedure& procedure : target.procedures) {
      if (procedure.code.find(" interpreted") != std::string::npos)
        interpreted += blocks_of(procedure);
    }
  }
  if (interpreted == 0 || report.measures.blocks == 0) return;
  all.push_back(
      {.what = "no blocks for players that interpret",
       .how = "--tune turbowarp",
       .bytes = component_bytes(report, Component::blocks) * static_cast<double>(interpreted) /
                static_cast<double>(report.measures.blocks),
       .changes_numbers = false});
}

}  // namespace

std::vector<Advice> make_advice(const Report& report, const scratch::Program& program,
                                const Unpacked& unpacked) {
  std::vector<Advice> all;
  advise_widths(unpacked.model, all);
  advise_vocabulary(report, unpacked.model, all);
  advise_rounding(unpacked.model, all);
  advise_level(report, unpacked, all);
  advise_context(report, program, unpacked, all);
  advise_tune(report, program, all);
  std::erase_if(all, [](const Advice& advice) { return advice.bytes < kLeastSaving; });
  std::stable_sort(all.begin(), all.end(),
                   [](const Advice& a, const Advice& b) { return a.bytes > b.bytes; });
  return all;
}

}  // namespace sb3lm
