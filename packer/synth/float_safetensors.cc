#include "synth/float_safetensors.h"

#include <bit>
#include <cstring>
#include <map>

#include "base/error.h"
#include "base/half.h"
#include "import/json.h"
#include "synth/raw_bytes.h"
#include "synth/weights.h"

namespace sb3lm {
namespace {

static_assert(std::endian::native == std::endian::little);

struct Part {
  TensorKey key;
  Shape shape;
};

/// A tensor of the file.
struct Stored {
  std::string name;
  Lies lies = Lies::plain;
  std::vector<Part> parts;
  bool is_vector = false;
  Shape shape;  // before it is transposed
};

class Writer {
 public:
  Writer(const SynthModel& model, const SynthOptions& options,
         std::span<const std::span<const FloatSpelling>> spellings)
      : model_(model), weights_(model, options), spellings_(spellings) {
    for (const auto& [key, shape] : expected_tensors(model.spec)) add(key, shape);
  }

  std::string write(Progress& progress) const {
    const std::string header = header_text();
    const std::uint64_t length = header.size();
    std::string out(sizeof(length), '\0');
    std::memcpy(out.data(), &length, sizeof(length));
    out.reserve(out.size() + header.size() + items() * number_bytes());
    out += header;
    std::size_t done = 0;
    for (const Stored& tensor : tensors_) {
      append(values_of(tensor), out);
      progress.report("making weights",
                      static_cast<double>(++done) / static_cast<double>(tensors_.size()));
    }
    return out;
  }

 private:
  const FloatSpelling& spelling_of(const TensorKey& key) const {
    for (const std::span<const FloatSpelling> list : spellings_) {
      for (const FloatSpelling& row : list) {
        if (row.role == key.role) return row;
      }
    }
    fail(Fault::bug, "internal error: preset {} has no name for {}", model_.name,
         tensor_key_text(key));
  }

  void add(const TensorKey& key, Shape shape) {
    const FloatSpelling& spelling = spelling_of(key);
    std::string name = fmt::format(fmt::runtime(spelling.name), key.layer, key.expert);
    const auto [at, is_new] = index_.emplace(name, tensors_.size());
    if (is_new) {
      tensors_.push_back({.name = std::move(name),
                          .lies = spelling.lies,
                          .parts = {{key, shape}},
                          .is_vector = is_vector(key.role),
                          .shape = shape});
      return;
    }
    Stored& tensor = tensors_[at->second];
    tensor.parts.push_back({key, shape});
    (tensor.is_vector ? tensor.shape.cols : tensor.shape.rows) +=
        tensor.is_vector ? shape.cols : shape.rows;
  }

  std::size_t number_bytes() const {
    return model_.float_type == FloatType::f32 ? sizeof(float) : sizeof(std::uint16_t);
  }

  static std::size_t items_of(Shape shape) {
    return static_cast<std::size_t>(shape.rows) * static_cast<std::size_t>(shape.cols);
  }

  std::size_t items() const {
    std::size_t all = 0;
    for (const Stored& tensor : tensors_) all += items_of(tensor.shape);
    return all;
  }

  std::string header_text() const {
    constexpr std::array kTypes{"F16", "BF16", "F32"};
    const FloatType type = model_.float_type;
    const char* name = kTypes[type == FloatType::f16 ? 0 : type == FloatType::bf16 ? 1 : 2];
    Json header = Json::object();
    std::size_t offset = 0;
    for (const Stored& tensor : tensors_) {
      const std::size_t bytes = number_bytes() * items_of(tensor.shape);
      const auto [rows, cols] = tensor.shape;
      Json extents = Json::array({cols});
      if (!tensor.is_vector) {
        extents =
            tensor.lies == Lies::transposed ? Json::array({cols, rows}) : Json::array({rows, cols});
      }
      header[tensor.name] = {
          {"dtype", name}, {"shape", extents}, {"data_offsets", {offset, offset + bytes}}};
      offset += bytes;
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the data starts aligned
    return text;
  }

  /// The parts one after the other, or head by head.
  std::vector<float> values_of(const Stored& tensor) const {
    std::vector<std::vector<float>> parts;
    for (const Part& part : tensor.parts) parts.push_back(weights_.plain(part.key, part.shape));
    const int layer = std::max(tensor.parts.front().key.layer, 0);
    const auto blocks = static_cast<std::size_t>(
        tensor.lies == Lies::by_head
            ? model_.spec.layers[static_cast<std::size_t>(layer)].attention.query_heads
            : 1);
    std::vector<float> values;
    values.reserve(items_of(tensor.shape));
    for (std::size_t block = 0; block < blocks; ++block) {
      for (const std::vector<float>& part : parts) {
        const std::size_t size = part.size() / blocks;
        const auto first = part.begin() + static_cast<std::ptrdiff_t>(block * size);
        values.insert(values.end(), first, first + static_cast<std::ptrdiff_t>(size));
      }
    }
    if (tensor.lies == Lies::less_one) {
      for (float& value : values) value -= 1;
    }
    return tensor.lies == Lies::transposed ? transposed(values, tensor.shape) : values;
  }

  static std::vector<float> transposed(const std::vector<float>& values, Shape shape) {
    const auto rows = static_cast<std::size_t>(shape.rows);
    const auto cols = static_cast<std::size_t>(shape.cols);
    std::vector<float> out;
    out.reserve(values.size());
    for (std::size_t col = 0; col < cols; ++col) {
      for (std::size_t row = 0; row < rows; ++row) out.push_back(values[row * cols + col]);
    }
    return out;
  }

  void append(const std::vector<float>& values, std::string& out) const {
    if (model_.float_type == FloatType::f32) {
      out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
      return;
    }
    for (const float value : values) {
      const std::uint16_t half =
          model_.float_type == FloatType::f16 ? half_from_double(value) : bfloat16_bits(value);
      out.append(reinterpret_cast<const char*>(&half), sizeof(half));
    }
  }

  const SynthModel& model_;
  WeightSource weights_;
  std::span<const std::span<const FloatSpelling>> spellings_;
  std::vector<Stored> tensors_;
  std::map<std::string, std::size_t> index_;
};

}  // namespace

std::string write_float_safetensors(const SynthModel& model, const SynthOptions& options,
                                    std::span<const std::span<const FloatSpelling>> spellings,
                                    Progress& progress) {
  return Writer(model, options, spellings).write(progress);
}

}  // namespace sb3lm
