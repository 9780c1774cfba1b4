#include "lower/column_layout.h"

#include "base/error.h"
#include "base/half.h"
#include "kernels/columns.h"
#include "quant/range.h"
#include "scratch/player_limits.h"

namespace sb3lm {
namespace {

constexpr const char* kEncoding = "range";

class ColumnPlacer {
 public:
  ColumnPlacer(const Model& model, Layout& layout) : model_(model), layout_(layout) {}

  void place() {
    declare();
    layout_.runs = text_runs(tensors_);
    choose();
    for (const TextRun& run : layout_.runs) {
      run.bits > 0 ? place_codes(run) : place_numbers(run);
    }
    for (TensorPlace& place : layout_.tensors) {
      if (place.storage != Storage::floats) {
        place.scales_at += static_cast<std::int64_t>(layout_.floats.size());
      }
    }
    for (const auto& [what, items] :
         {std::pair("codes", layout_.codes),
          std::pair("numbers", layout_.scales + static_cast<std::int64_t>(layout_.floats.size())),
          std::pair("keys", layout_.cache),
          std::pair("activations", std::int64_t{layout_.act.size})}) {
      if (items > kMostListItems) {
        fail(Fault::unsupported, "{} {} in a list that is filled when loading, which holds {}",
             items, what, kMostListItems);
      }
    }
  }

 private:
  // Tensors without their places; floats are preloaded.
  void declare() {
    for (const auto& [key, shape] : expected_tensors(model_.spec)) {
      const Tensor& tensor = model_.at(key);
      TensorPlace place{.key = key, .shape = shape, .stride = shape.cols};
      if (const auto* coded = std::get_if<CodedTensor>(&tensor)) {
        place.format = coded->format;
        place.encoding = kEncoding;
        add_to_runs(key, shape, coded->format.bits);
      } else {
        const auto& floats = std::get<FloatTensor>(tensor);
        place.type = floats.type;
        if (floats.type == FloatType::f16) {
          place.storage = Storage::halves;
          add_to_runs(key, shape, 0);
        } else {
          place.storage = Storage::floats;
          place.scales_at = static_cast<std::int64_t>(layout_.floats.size()) + 1;
          layout_.floats.insert(layout_.floats.end(), floats.values.begin(), floats.values.end());
        }
      }
      layout_.index[key] = layout_.tensors.size();
      layout_.tensors.push_back(std::move(place));
    }
  }

  void add_to_runs(const TensorKey& key, Shape shape, int bits) {
    tensors_.push_back({key, shape, bits});
    if (code_encoding(kEncoding).streams(bits) == 0 && bits > 0) {
      fail(Fault::unsupported,
           "{}: {} bits: without preloaded lists, codes have at most 6 (--bits 4)",
           tensor_key_text(key), bits);
    }
  }

  void choose() {
    std::vector<ColumnDemand> demands;
    for (const RunTensor& tensor : tensors_) {
      if (tensor.bits == 0) continue;
      demands.push_back(
          {std::int64_t{tensor.shape.rows} * tensor.bits, group_count(tensor.shape.cols)});
    }
    if (demands.empty()) return;
    layout_.columns = choose_columns(demands, kMostListItems);
    if (layout_.columns == 0) {
      fail(Fault::unsupported, "too many weights for lists that are filled when loading");
    }
  }

  TensorPlace& place_of(std::size_t tensor) {
    return layout_.tensors[layout_.index.at(tensors_[tensor].key)];
  }

  void place_codes(const TextRun& run) {
    CodedTensor all{.shape = {0, run.cols}, .format = CodeFormat::of_bits(run.bits)};
    const int turns = column_turns(group_count(run.cols), layout_.columns);
    for (const std::size_t i : run.tensors) {
      const auto& coded = std::get<CodedTensor>(model_.at(tensors_[i].key));
      TensorPlace& place = place_of(i);
      place.codes_at = layout_.codes + 1;
      place.scales_at = layout_.scales + 1;
      layout_.codes += std::int64_t{coded.shape.rows} * run.bits * turns;
      layout_.scales += coded.shape.rows;
      all.shape.rows += coded.shape.rows;
      all.codes.insert(all.codes.end(), coded.codes.begin(), coded.codes.end());
      all.row_scale.insert(all.row_scale.end(), coded.row_scale.begin(), coded.row_scale.end());
    }
    const CodedTensor* const tensors[] = {&all};
    std::string codebook = range_codebook_of(run.bits, tensors), letters;
    range_pack(all, codebook, std::span(&letters, 1));
    add_text({std::move(codebook), std::move(letters)});
    add_text(range_pack_halves(all.row_scale));
  }

  void place_numbers(const TextRun& run) {
    std::vector<std::uint16_t> halves;
    for (const std::size_t i : run.tensors) {
      TensorPlace& place = place_of(i);
      place.scales_at = layout_.scales + 1;
      const auto& values = std::get<FloatTensor>(model_.at(place.key)).values;
      layout_.scales += static_cast<std::int64_t>(values.size());
      for (const float value : values) halves.push_back(half_from_double(value));
    }
    add_text(range_pack_halves(halves));
  }

  void add_text(std::pair<std::string, std::string> text) {
    layout_.text.push_back(std::move(text.first));
    layout_.text.push_back(std::move(text.second));
  }

  const Model& model_;
  Layout& layout_;
  std::vector<RunTensor> tensors_;
};

std::int64_t kv_items(const ModelSpec& spec) {
  std::int64_t items = 0;
  for (const int layer : spec.passes) items += spec.kv_width(layer);
  return items;
}

}  // namespace

int column_context(const ModelSpec& spec, int wanted) {
  const std::int64_t blocks = kMostListItems / (kv_items(spec) * kValueBlock);
  return static_cast<int>(std::min<std::int64_t>(wanted, blocks * kValueBlock));
}

Layout make_column_layout(const Model& model, int context) {
  Layout layout;
  layout.kernel = Kernel::columns;
  place_context(model.spec, context, layout);
  ColumnPlacer(model, layout).place();
  return layout;
}

}  // namespace sb3lm
