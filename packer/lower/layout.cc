#include "lower/layout.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "base/half.h"
#include "model/project_names.h"
#include "quant/code_widths.h"

namespace sb3lm {
namespace {

// Text items are shared by tensors of one width, so that each item has its own letter statistics.
class TextPlacer {
 public:
  TextPlacer(const Model& model, const EncodingPlan& encodings, Layout& layout) : layout_(layout) {
    for (const auto& [bits, tensors] : codes_by_width(model)) {
      const CodeEncoding& encoding = code_encoding(encodings.of(bits));
      if (encoding.streams(bits) == 0) {
        fail(Fault::unsupported, "encoding '{}' cannot hold {} bits", encoding.name, bits);
      }
      for (CodedTensors& group : text_groups(encoding, bits, tensors)) {
        for (const CodedTensor* tensor : group) group_of_[tensor] = groups_.size();
        groups_.push_back({.encoding = encoding, .bits = bits, .tensors = std::move(group)});
      }
    }
  }

  void place(const CodedTensor& tensor, TensorPlace& place) {
    Group& group = groups_[group_of_.at(&tensor)];
    if (group.first == 0) add_items(group);
    const std::size_t first = group.first - 1;
    place.encoding = group.encoding.name;
    place.text_item = static_cast<std::int64_t>(group.first);
    place.text_letter = static_cast<std::int64_t>(layout_.text[first].size()) + 1;
    std::string_view codebook;
    if (group.has_codebook()) codebook = layout_.text[first - 1];
    group.encoding.pack(tensor, codebook, std::span(layout_.text).subspan(first, group.streams()));
  }

 private:
  struct Group {
    const CodeEncoding& encoding;
    int bits = 0;
    CodedTensors tensors;
    std::size_t first = 0;  // its first stream's item, from 1; 0: not there yet

    bool has_codebook() const { return encoding.codebook_letters(bits) > 0; }
    std::size_t streams() const { return static_cast<std::size_t>(encoding.streams(bits)); }
  };

  void add_items(Group& group) {
    if (group.has_codebook()) {
      layout_.text.push_back(group.encoding.codebook(group.bits, group.tensors));
    }
    group.first = layout_.text.size() + 1;
    layout_.text.resize(layout_.text.size() + group.streams());
  }

  Layout& layout_;
  std::vector<Group> groups_;
  std::map<const CodedTensor*, std::size_t> group_of_;
};

std::vector<std::uint16_t> halves_of(const Tensor& tensor) {
  if (const auto* coded = std::get_if<CodedTensor>(&tensor)) return coded->row_scale;
  std::vector<std::uint16_t> halves;
  for (const float value : std::get<FloatTensor>(tensor).values) {
    halves.push_back(half_from_double(value));
  }
  return halves;
}

// The binary16 numbers of all tensors, a set of streams for each kind.
class HalvesPlacer {
 public:
  explicit HalvesPlacer(const Model& model) {
    std::array<std::map<Role, std::vector<std::uint16_t>>, kHalvesKinds> roles;
    for (const auto& [key, tensor] : model.tensors) {
      if (!has_halves(tensor)) continue;
      auto& all = roles[kind_of(tensor)][key.role];
      const std::vector<std::uint16_t> halves = halves_of(tensor);
      all.insert(all.end(), halves.begin(), halves.end());
    }
    for (std::size_t kind = 0; kind < roles.size(); ++kind) {
      std::vector<std::vector<std::uint16_t>> numbers;
      for (const auto& [role, halves] : roles[kind]) numbers.push_back(halves);
      const std::vector<int> bases = halves_bases(numbers);
      std::size_t next = 0;
      for (const auto& [role, halves] : roles[kind]) bases_[{kind, role}] = bases[next++];
    }
  }

  /// The first letter of the tensor's numbers.
  std::int64_t place(const Tensor& tensor, TensorPlace& place) {
    const std::size_t kind = kind_of(tensor), letter = streams_[kind][0].size();
    place.base = bases_.at({kind, place.key.role});
    pack_halves(halves_of(tensor), place.base, streams_[kind]);
    return static_cast<std::int64_t>(letter) + 1;
  }

  /// Adds the text items and tells the tensors where they are.
  void finish(Layout& layout, const Model& model) {
    std::array<std::int64_t, kHalvesKinds> items{};
    for (std::size_t kind = 0; kind < items.size(); ++kind) {
      if (streams_[kind][0].empty()) continue;
      items[kind] = static_cast<std::int64_t>(layout.text.size()) + 1;
      for (std::string& stream : streams_[kind]) layout.text.push_back(std::move(stream));
    }
    for (TensorPlace& place : layout.tensors) {
      const std::int64_t item = items[kind_of(model.at(place.key))];
      if (place.storage == Storage::codes) place.scale_item = item;
      if (place.storage == Storage::halves) place.text_item = item;
    }
  }

  static bool has_halves(const Tensor& tensor) {
    const auto* floats = std::get_if<FloatTensor>(&tensor);
    return floats == nullptr || floats->type == FloatType::f16;
  }

 private:
  static std::size_t kind_of(const Tensor& tensor) {
    return static_cast<std::size_t>(halves_kind(tensor));
  }

  std::array<std::array<std::string, kHalfStreams>, kHalvesKinds> streams_;
  std::map<std::pair<std::size_t, Role>, int> bases_;
};

void place_codes(Layout& layout, const CodedTensor& tensor, std::int64_t most_codes,
                 TensorPlace& place) {
  place.storage = Storage::codes;
  place.shape = tensor.shape;
  place.format = tensor.format;
  const std::int64_t items = std::int64_t{place.groups()} * tensor.format.bits * tensor.shape.rows;
  if (items > most_codes) {
    fail(Fault::unsupported, "{}: {} codes of {} bits take {} items, more than the {} of a list",
         tensor_key_text(place.key), std::int64_t{tensor.shape.rows} * tensor.shape.cols,
         tensor.format.bits, items, most_codes);
  }
  const std::int64_t left = most_codes - layout.codes % most_codes;
  if (items > left) layout.codes += left;
  place.codes_at = layout.codes + 1;
  layout.codes += items;
  place.scales_at = layout.scales + 1;  // made absolute once the preloaded floats are counted
  layout.scales += tensor.shape.rows;
}

void place_halves(Layout& layout, const FloatTensor& tensor, TensorPlace& place) {
  place.storage = Storage::halves;
  place.scales_at = layout.scales + 1;
  layout.scales += std::int64_t{place.stride} * tensor.shape.rows;
}

void place_floats(Layout& layout, const FloatTensor& tensor, TensorPlace& place) {
  place.storage = Storage::floats;
  place.scales_at = static_cast<std::int64_t>(layout.floats.size()) + 1;
  for (int row = 0; row < tensor.shape.rows; ++row) {
    for (int col = 0; col < place.stride; ++col) {
      layout.floats.emplace_back(
          col < tensor.shape.cols
              ? static_cast<double>(
                    tensor.values[static_cast<std::size_t>(row) * tensor.shape.cols + col])
              : 0.0);
    }
  }
}

void place_tensors(const Model& model, const EncodingPlan& encodings, std::int64_t most_codes,
                   Layout& layout) {
  TextPlacer placer(model, encodings, layout);
  HalvesPlacer halves(model);
  for (const auto& [key, shape] : expected_tensors(model.spec)) {
    TensorPlace place{.key = key, .shape = shape};
    const Tensor& tensor = model.at(key);
    if (const auto* coded = std::get_if<CodedTensor>(&tensor)) {
      place_codes(layout, *coded, most_codes, place);
      place.scale_letter = halves.place(tensor, place);
      placer.place(*coded, place);
    } else {
      const auto& floats = std::get<FloatTensor>(tensor);
      place.type = floats.type;
      place.stride = is_vector(key.role) ? shape.cols : dot_shape(key.role, shape.cols).stride();
      if (HalvesPlacer::has_halves(tensor)) {
        place_halves(layout, floats, place);
        place.text_letter = halves.place(tensor, place);
      } else {
        place_floats(layout, floats, place);
      }
    }
    layout.index[key] = layout.tensors.size();
    layout.tensors.push_back(place);
  }
  if (layout.codes > most_codes) layout.codes_apart = most_codes;
  halves.finish(layout, model);
  for (TensorPlace& place : layout.tensors) {
    if (place.storage != Storage::floats) {
      place.scales_at += static_cast<std::int64_t>(layout.floats.size());
    }
  }
}

void place_states(int context, Layout& layout) {
  const auto whole_blocks = [](int positions) {
    return (positions + kValueBlock - 1) / kValueBlock * kValueBlock;
  };
  for (const State& state : layout.forward.states) {
    const bool wraps = state.window > 0 && whole_blocks(state.window) < context;
    const int span = whole_blocks(wraps ? state.window : context);
    layout.states.push_back(
        {.at = layout.cache + 1, .width = state.width, .span = span, .wraps = wraps});
    layout.cache += std::int64_t{span} * state.width;
  }
}

int longest_span(const Layout& layout) {
  int span = 0;
  for (const StatePlace& state : layout.states) span = std::max(span, state.span);
  return span;
}

}  // namespace

int Layout::last_return() const {
  int last = context;
  for (const StatePlace& state : states) {
    if (state.wraps) last = std::min(last, state.span);
  }
  return last;
}

void place_context(const ModelSpec& spec, int context, Layout& layout) {
  layout.context = context;
  layout.forward = steps_of(spec);
  place_states(context, layout);
  layout.act = place_slots(layout.forward, kHeadsAtOnce * (longest_span(layout) + kValueBlock));
}

std::vector<blocks::List<blocks::Num>> Layout::code_lists() const {
  std::vector<blocks::List<blocks::Num>> lists = {blocks::List<blocks::Num>(names::kCodes)};
  const std::int64_t count = in_lists() ? (codes + codes_apart - 1) / codes_apart : 1;
  for (std::int64_t i = 2; i <= count; ++i) {
    lists.emplace_back(fmt::format("{} {}", names::kMoreCodes, i));
  }
  return lists;
}

Layout make_layout(const Model& model, int context, const EncodingPlan& encodings,
                   std::int64_t most_codes) {
  Layout layout;
  place_tensors(model, encodings, most_codes, layout);
  place_context(model.spec, context, layout);
  return layout;
}

void place_numbers(Layout& layout) {
  layout.kernel = Kernel::naive;
  layout.codes = 0;
  for (TensorPlace& place : layout.tensors) {
    if (place.storage != Storage::codes) continue;
    place.storage = Storage::numbers;
    place.codes_at = layout.codes + 1;
    layout.codes += std::int64_t{place.shape.rows} * place.shape.cols;
  }
  layout.codes_apart = 0;
  if (layout.codes > kMostCodes) {
    fail(Fault::unsupported, "the naive kernel takes {} items of one list, which holds {}",
         layout.codes, kMostCodes);
  }
}

}  // namespace sb3lm
