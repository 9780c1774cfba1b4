#include "report/report.h"

#include <algorithm>

#include "base/entropy.h"
#include "base/error.h"
#include "model/kept_tokens.h"
#include "report/advice.h"
#include "report/pieces.h"
#include "sb3/deflate_cost.h"
#include "sb3/sb3.h"
#include "sb3/zip.h"

namespace sb3lm {
namespace {

constexpr std::string_view kNames[kComponents] = {
    "embedding",       "head",       "attention q",   "attention k",    "attention v",
    "attention o",     "dense",      "shared expert", "routed experts", "routers",
    "norms",           "row scales", "codebooks",     "tokenizer",      "blocks",
    "preloaded lists", "model info", "other json",    "assets",         "zip"};

constexpr const char* kProject = "project.json";
constexpr unsigned kScaleBits = 16;

int bits_of(const Tensor& tensor) {
  if (const auto* coded = std::get_if<CodedTensor>(&tensor)) return coded->format.bits;
  return std::get<FloatTensor>(tensor).type == FloatType::f32 ? 32 : 16;
}

class Reporter {
 public:
  explicit Reporter(std::string file) {
    report_.file = std::move(file);
    report_.components.resize(kComponents);
    for (int i = 0; i < kComponents; ++i) {
      report_.components[static_cast<std::size_t>(i)].component = static_cast<Component>(i);
    }
  }

  void weigh(const Model& model) {
    report_.family = model.spec.family;
    report_.rounding = model.rounding;
    if (!model.kept.all()) report_.vocabulary = kept_text(model);
    for (const auto& [key, shape] : expected_tensors(model.spec)) {
      index_[key] = report_.tensors.size();
      report_.tensors.push_back({.key = key, .shape = shape});
      weigh(model.at(key), report_.tensors.back());
    }
  }

  void measure_file(Bytes sb3, std::size_t fit) {
    const std::string& file = report_.file;
    const std::vector<ZipPlace> places = list_zip(file, sb3);
    const std::map<std::string, std::string> files = read_zip(file, sb3);
    const scratch::Program program = read_sb3(file, sb3, own_targets);
    const std::string& json = files.at(kProject);
    const Unpacked unpacked = unpack(file, program);
    weigh(unpacked.model);
    if (unpacked.letters) report_.letters = describe(*unpacked.letters);
    report_.is_sb3 = true;
    report_.measures = measure(program, sb3.size(), json.size());
    const std::vector<Piece> pieces = cut_project(map_project(file, json), unpacked);
    std::size_t rest = sb3.size();
    for (const ZipPlace& place : places) {
      if (place.packed.size() > rest) {
        fail(Fault::bad_input, "{}: its files overlap at '{}'", file, place.name);
      }
      rest -= place.packed.size();
      if (place.name == kProject) {
        share_project(place, pieces);
      } else {
        row(Component::assets).sb3_bits += bits(place.packed.size());
      }
    }
    row(Component::zip).sb3_bits += bits(rest);
    round_bytes();
    report_.resaved_bytes = resaved_bytes(files);
    report_.used = used_bytes(report_.resaved_bytes, program, unpacked);
    report_.load = estimate_load(unpacked);
    report_.fit = fit != 0 ? fit : budget_of(BuildTarget::sb3);
    if (sb3.size() > report_.fit) report_.advice = make_advice(report_, program, unpacked);
  }

  Report take() { return std::move(report_); }

 private:
  static std::uint64_t bits(std::size_t bytes) { return std::uint64_t{8} * bytes; }

  ComponentRow& row(Component component) {
    return report_.components[static_cast<std::size_t>(component)];
  }

  void weigh(const Tensor& tensor, TensorRow& weights) {
    const auto count = std::int64_t{weights.shape.rows} * weights.shape.cols;
    weights.bits = bits_of(tensor);
    report_.parameters += count;
    ComponentRow& component = row(component_of(weights.key.role));
    if (const auto* coded = std::get_if<CodedTensor>(&tensor)) {
      add(component, weights, count, weights.bits, entropy_bits_of_bytes(coded->codes));
      add(row(Component::row_scales), weights, weights.shape.rows, kScaleBits,
          entropy_bits_of_halves(coded->row_scale));
    } else {
      const auto& floats = std::get<FloatTensor>(tensor);
      add(component, weights, count, weights.bits, entropy_bits_of_floats(floats.values));
    }
  }

  static void add(ComponentRow& component, TensorRow& tensor, std::int64_t values, int width,
                  double entropy) {
    const std::uint64_t packed = static_cast<std::uint64_t>(values) * width;
    component.values += values;
    component.packed_bits += packed;
    component.entropy_bits += entropy;
    tensor.packed_bits += packed;
    tensor.entropy_bits += entropy;
  }

  void share_project(const ZipPlace& place, const std::vector<Piece>& pieces) {
    const std::vector<std::uint64_t> costs = piece_bits(place, pieces);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      row(pieces[i].component).sb3_bits += costs[i];
      if (pieces[i].tensor) {
        report_.tensors[index_.at(*pieces[i].tensor)].sb3_bits += costs[i];
      }
    }
  }

  std::vector<std::uint64_t> piece_bits(const ZipPlace& place,
                                        const std::vector<Piece>& pieces) const {
    if (place.deflated) {
      std::vector<std::size_t> ends;
      ends.reserve(pieces.size());
      for (const Piece& piece : pieces) ends.push_back(piece.span.end);
      return deflate_cost(report_.file + ": " + kProject, place.packed, ends);
    }
    std::vector<std::uint64_t> costs;
    costs.reserve(pieces.size());
    for (const Piece& piece : pieces) costs.push_back(bits(piece.span.size()));
    return costs;
  }

  // Running sums are rounded, so that the rows add up to the file, which is whole bytes.
  void round_bytes() {
    std::uint64_t sum = 0, given = 0;
    for (ComponentRow& component : report_.components) {
      sum += component.sb3_bits;
      const std::uint64_t due = (sum + 4) / 8;
      component.sb3_bytes = static_cast<std::size_t>(due - given);
      given = due;
    }
    check(given == report_.measures.sb3_bytes, "the report does not add up to the file");
  }

  Report report_;
  std::map<TensorKey, std::size_t> index_;
};

}  // namespace

std::string_view component_name(Component component) {
  return kNames[static_cast<int>(component)];
}

Component component_of(Role role) {
  switch (role) {
#define ROLE(number, name, home, kind, outlet, component, ...) \
  case Role::name:                                             \
    return Component::component;
#include "model/roles.def"
#undef ROLE
  }
  return Component::other_json;
}

Report make_report(const std::string& file, Bytes sb3, std::size_t fit) {
  Reporter reporter(file);
  reporter.measure_file(sb3, fit);
  return reporter.take();
}

Report make_report(const std::string& file, const Model& model) {
  Reporter reporter(file);
  reporter.weigh(model);
  return reporter.take();
}

}  // namespace sb3lm
