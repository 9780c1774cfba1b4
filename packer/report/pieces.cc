#include "report/pieces.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "model/project_names.h"
#include "quant/encoding.h"

namespace sb3lm {
namespace {

// The lists that the engine keeps its working numbers in (kernels/workspace.h).
constexpr std::string_view kPreloaded[] = {names::kCodes, names::kScales, names::kAct,
                                           names::kTable, names::kKeys,   names::kValues};
// What names of the text blocks' lists begin with (kernels/text.h).
constexpr std::string_view kTokenizer[] = {"_letter", "_merge", "_pair", "_piece", "_token"};

bool is_preloaded(std::string_view list) {
  return std::find(std::begin(kPreloaded), std::end(kPreloaded), list) != std::end(kPreloaded);
}

bool is_tokenizer(std::string_view list) {
  return std::any_of(std::begin(kTokenizer), std::end(kTokenizer),
                     [&](std::string_view prefix) { return list.starts_with(prefix); });
}

/// A float tensor's place in the list `_scales`: items [first, last), from 0.
struct FloatPlace {
  TensorKey key;
  std::int64_t first = 0, last = 0;
};

std::vector<FloatPlace> float_places(const Unpacked& unpacked) {
  std::vector<FloatPlace> places;
  for (const UnpackedTensor& tensor : unpacked.tensors) {
    if (tensor.stride == 0) continue;
    const std::int64_t first = tensor.scales_at - 1;
    places.push_back({.key = tensor.key,
                      .first = first,
                      .last = first + (tensor.shape.rows - 1) * tensor.stride + tensor.shape.cols});
  }
  return places;
}

class Cutter {
 public:
  explicit Cutter(const ProjectMap& map) : map_(map) {}

  std::vector<Piece> cut(const Unpacked& unpacked) {
    for (const TargetSpans& target : map_.targets) cut_target(target);
    if (const ListSpan* text = map_.find_list(names::kText)) cut_text(*text, unpacked);
    if (const ListSpan* scales = map_.find_list(names::kScales)) {
      cut_scales(*scales, float_places(unpacked));
    }
    return fill();
  }

 private:
  [[noreturn]] void broken(const std::string& what) const {
    fail(Fault::bad_input, "{}: {}", map_.file, what);
  }

  void add(Span span, Component component, std::optional<TensorKey> tensor = std::nullopt) {
    if (span.size() != 0) pieces_.push_back({span, component, tensor});
  }

  void cut_target(const TargetSpans& target) {
    bool has_letters = false;
    for (const ListSpan& list : target.lists) {
      has_letters = has_letters || list.name == names::kLetters;
      cut_list(list);
    }
    add(target.blocks, Component::blocks);
    if (has_letters) add(target.costumes, Component::tokenizer);
  }

  void cut_list(const ListSpan& list) {
    if (list.name == names::kText || list.name == names::kScales) return;
    if (list.name == names::kModelInfo) {
      add(list.items, Component::model_info);
    } else if (is_tokenizer(list.name)) {
      add(list.items, Component::tokenizer);
    } else if (is_preloaded(list.name)) {
      add(list.items, Component::preloaded);
    } else {
      add(trailing_zeros(map_.text, list.items), Component::preloaded);
    }
  }

  // Letters are bytes of the file only where none needs an escape, as in all encodings.
  void cut_text(const ListSpan& list, const Unpacked& unpacked) {
    for_each_item(map_, list.items, [&](Span item) {
      const std::string_view letters = map_.text.substr(item.begin, item.size());
      const bool plain = std::all_of(letters.begin(), letters.end(), [](char letter) {
        return static_cast<unsigned char>(letter - ' ') < 96 && letter != '\\';
      });
      if (!plain) broken(fmt::format("weight text {}: letters with escapes", items_.size() + 1));
      items_.push_back({item.begin + 1, item.end - 1});
      return true;
    });
    for (const UnpackedTensor& tensor : unpacked.tensors) cut_tensor(tensor);
  }

  void cut_tensor(const UnpackedTensor& tensor) {
    const Component component = component_of(tensor.key.role);
    const std::int64_t rows = tensor.shape.rows;
    if (tensor.shares_texts) return cut_shared(tensor, component);
    if (tensor.bits == 0) {
      if (tensor.item != 0) {
        add_halves(tensor.item, tensor.letter, rows * tensor.shape.cols, component, tensor.key);
      }
      return;
    }
    const CodeEncoding& encoding = code_encoding(tensor.encoding);
    const std::int64_t codebook = encoding.codebook_letters(tensor.bits);
    if (codebook > 0 && codebooks_.insert(tensor.item).second) {
      add(letters_at(tensor.item - 1, 1, codebook), Component::codebooks);
    }
    for (int stream = 0; stream < encoding.streams(tensor.bits); ++stream) {
      add(letters_at(tensor.item + stream, tensor.letter, tensor.letters), component, tensor.key);
    }
    add_halves(tensor.scale_item, tensor.scale_letter, rows, Component::row_scales, tensor.key);
  }

  // A tensor that shares its texts with others, each text after its codebook.
  void cut_shared(const UnpackedTensor& tensor, Component component) {
    add_codebook(tensor.item);
    add(letters_at(tensor.item, tensor.letter, tensor.letters), component, tensor.key);
    if (tensor.bits == 0) return;
    add_codebook(tensor.scale_item);
    add(letters_at(tensor.scale_item, tensor.scale_letter, tensor.scale_letters),
        Component::row_scales, tensor.key);
  }

  // All of the item before a text.
  void add_codebook(std::int64_t item) {
    if (!codebooks_.insert(item).second) return;
    if (item < 2 || item > static_cast<std::int64_t>(items_.size())) {
      broken(fmt::format("weight text: no codebook before item {}", item));
    }
    add(items_[static_cast<std::size_t>(item - 2)], Component::codebooks);
  }

  void add_halves(std::int64_t item, std::int64_t letter, std::int64_t count, Component component,
                  const TensorKey& key) {
    for (int k = 0; k < kHalfStreams; ++k) add(letters_at(item + k, letter, count), component, key);
  }

  Span letters_at(std::int64_t item, std::int64_t letter, std::int64_t count) const {
    if (item < 1 || item > static_cast<std::int64_t>(items_.size())) {
      broken(fmt::format("weight text: it has no item {}", item));
    }
    const Span text = items_[static_cast<std::size_t>(item - 1)];
    const auto size = static_cast<std::int64_t>(text.size());
    if (letter < 1 || count < 0 || letter - 1 > size || count > size - (letter - 1)) {
      broken(fmt::format("weight text {}: {} letters from {} are not there", item, count, letter));
    }
    const std::size_t begin = text.begin + static_cast<std::size_t>(letter - 1);
    return {begin, begin + static_cast<std::size_t>(count)};
  }

  // Float weights first, in general; everything else is made by the loader.
  void cut_scales(const ListSpan& list, const std::vector<FloatPlace>& places) {
    std::size_t done = list.items.begin;
    std::int64_t index = 0;
    auto place = places.begin();
    Span weights;
    for_each_item(map_, list.items, [&](Span item) {
      if (place == places.end()) return false;
      if (index == place->first) weights.begin = item.begin;
      if (++index == place->last) {
        weights.end = item.end;
        add({done, weights.begin}, Component::preloaded);
        add(weights, component_of(place->key.role), place->key);
        done = item.end;
        ++place;
        if (place != places.end() && place->first < index) return false;
      }
      return true;
    });
    if (place != places.end()) {
      broken(tensor_key_text(place->key) + ": not in the list '_scales' by itself");
    }
    add({done, list.items.end}, Component::preloaded);
  }

  // Sorts, refuses overlaps, and gives the gaps to other_json.
  std::vector<Piece> fill() {
    std::sort(pieces_.begin(), pieces_.end(),
              [](const Piece& a, const Piece& b) { return a.span.begin < b.span.begin; });
    std::vector<Piece> all;
    std::size_t at = 0;
    for (const Piece& piece : pieces_) {
      if (piece.span.begin < at) {
        broken(
            fmt::format("model info: two tensors share byte {} of project.json", piece.span.begin));
      }
      if (piece.span.begin > at) all.push_back({{at, piece.span.begin}, Component::other_json, {}});
      all.push_back(piece);
      at = piece.span.end;
    }
    if (at < map_.text.size()) all.push_back({{at, map_.text.size()}, Component::other_json, {}});
    return all;
  }

  const ProjectMap& map_;
  std::vector<Span> items_;           // of the weight text, without quotes
  std::set<std::int64_t> codebooks_;  // done, by the item after them
  std::vector<Piece> pieces_;
};

}  // namespace

std::vector<Piece> cut_project(const ProjectMap& map, const Unpacked& unpacked) {
  return Cutter(map).cut(unpacked);
}

}  // namespace sb3lm
