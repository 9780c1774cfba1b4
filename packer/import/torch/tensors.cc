#include "import/torch/tensors.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/half.h"

namespace sb3lm {
namespace {

using Kind = PickleValue::Kind;

constexpr std::size_t kMaxRank = 8;
constexpr std::int64_t kMaxExtent = std::int64_t{1} << 40;
// Tied weights share a storage. Names beyond that multiply what must be held for nothing.
constexpr std::uint64_t kMostShared = 8;

bool is_row_major(const std::vector<std::int64_t>& shape,
                  const std::vector<std::int64_t>& strides) {
  std::int64_t expected = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] != 1 && strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

template <class T>
T load(Bytes bytes, std::size_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

/// The scales as floats, and as binary16 where all of them are.
struct Scales {
  std::vector<float> values;
  std::string halves;
};

Scales read_scales(const StoredTensor& tensor) {
  Scales scales;
  bool exact = true;
  for (std::size_t i = 0; i < tensor.elements(); ++i) {
    const bool is_half = tensor.type == "F16";
    const auto value =
        is_half ? static_cast<float>(half_to_double(load<std::uint16_t>(tensor.bytes, i)))
                : load<float>(tensor.bytes, i);
    const std::uint16_t half = half_from_double(value);
    exact = exact && half_to_double(half) == value;
    scales.values.push_back(value);
    scales.halves.append(reinterpret_cast<const char*>(&half), sizeof half);
  }
  if (!exact) scales.halves.clear();
  return scales;
}

std::string repeated(const std::string& text, std::uint64_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (std::uint64_t i = 0; i < times; ++i) all += text;
  return all;
}

/// Code times scale as floats, as the programs that write such files do it.
std::string dequantised(Bytes codes, const std::vector<float>& scales) {
  std::string out(codes.size() * sizeof(float), '\0');
  const std::size_t run = std::max<std::size_t>(codes.size() / scales.size(), 1);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const float value = static_cast<float>(static_cast<std::int8_t>(codes[i])) * scales[i / run];
    std::memcpy(out.data() + i * sizeof(float), &value, sizeof value);
  }
  return out;
}

}  // namespace

struct TorchTensors::View {
  TorchArchive::Record record;
  std::string_view type;
  std::vector<std::int64_t> shape, strides;
  std::uint64_t first = 0, elements = 0, width = 0;
};

std::vector<std::int64_t> TorchTensors::extents(const std::string& name, PickleId tuple) const {
  std::vector<std::int64_t> all;
  if (pickle_[tuple].items.size() > kMaxRank) {
    fail(name, "rank {} is more than {}", pickle_[tuple].items.size(), kMaxRank);
  }
  for (const PickleId item : pickle_[tuple].items) {
    const PickleValue& value = pickle_[item];
    if (value.kind != Kind::integer || value.integer < 0 || value.integer > kMaxExtent) {
      fail(name, "an extent or stride is outside 0..{}", kMaxExtent);
    }
    all.push_back(value.integer);
  }
  return all;
}

TorchTensors::View TorchTensors::view_of(const std::string& name, PickleId id) {
  const PickleValue& tensor = pickle_[id];
  if (tensor.kind != Kind::tensor) fail(name, "it is {} and not a tensor", kind_name(tensor.kind));
  const PickleValue& storage = pickle_[tensor.items[0]];
  View view{.record = archive_.need(fmt::format("data/{}", storage.text)),
            .type = storage.type,
            .shape = extents(name, tensor.items[1]),
            .strides = extents(name, tensor.items[2]),
            .elements = 1,
            .width = type_bytes(storage.type)};
  if (view.shape.size() != view.strides.size())
    fail(name, "its extents and strides differ in rank");
  const std::uint64_t held = view.record.bytes.size() / view.width;
  if (storage.integer < 0 || static_cast<std::uint64_t>(storage.integer) != held ||
      held * view.width != view.record.bytes.size()) {
    fail(name, "its storage '{}' has {} bytes, not {} elements of {}", storage.text,
         view.record.bytes.size(), storage.integer, view.type);
  }
  std::uint64_t last = static_cast<std::uint64_t>(tensor.integer);
  bool fits = tensor.integer >= 0;
  for (std::size_t i = 0; i < view.shape.size(); ++i) {
    const auto extent = static_cast<std::uint64_t>(view.shape[i]);
    std::uint64_t reach = 0;
    fits = fits && !__builtin_mul_overflow(view.elements, extent, &view.elements) &&
           !__builtin_mul_overflow(extent == 0 ? 0 : extent - 1, view.strides[i], &reach) &&
           !__builtin_add_overflow(last, reach, &last);
  }
  if (std::ranges::find(view.shape, 0) != view.shape.end()) {
    view.elements = 0;  // however far the other extents would have reached
    return view;
  }
  // More elements than the storage has would be the same ones several times.
  if (!fits || last >= held || view.elements > held) {
    fail(name, "it reaches past the {} elements of its storage '{}'", held, storage.text);
  }
  view.first = static_cast<std::uint64_t>(tensor.integer);
  return view;
}

void TorchTensors::spend(const std::string& name, std::uint64_t bytes) {
  spent_ += bytes;
  if (spent_ > kMostShared * archive_.size()) {
    fail(name, "with it the tensors take more than {} times the file", kMostShared);
  }
}

/// What is not row-major, row by row.
Bytes TorchTensors::gather(const View& view) {
  std::string out(view.elements * view.width, '\0');
  std::vector<std::int64_t> at(view.shape.size());
  auto from = static_cast<std::int64_t>(view.first);
  for (std::uint64_t i = 0; i < view.elements; ++i) {
    std::memcpy(out.data() + i * view.width,
                view.record.bytes.data() + static_cast<std::uint64_t>(from) * view.width,
                view.width);
    for (std::size_t axis = at.size(); axis-- > 0;) {
      from += view.strides[axis];
      if (++at[axis] < view.shape[axis]) break;
      from -= view.strides[axis] * view.shape[axis];
      at[axis] = 0;
    }
  }
  return container_.keep(std::move(out));
}

StoredTensor TorchTensors::read(const std::string& name, PickleId id) {
  const View view = view_of(name, id);
  const std::uint64_t size = view.elements * view.width;
  spend(name, size);
  StoredTensor tensor{.name = name, .type = std::string(view.type), .shape = view.shape};
  tensor.offset = view.record.offset + view.first * view.width;
  tensor.bytes = view.elements == 0 || is_row_major(view.shape, view.strides)
                     ? view.record.bytes.subspan(view.first * view.width, size)
                     : gather(view);
  return tensor;
}

StoredTensor TorchTensors::read_coded(const std::string& name, PickleId codes, PickleId scale) {
  StoredTensor tensor = read(name, codes);
  const StoredTensor by = read(name + ".scale", scale);
  if (tensor.type != "I8") fail(name, "its codes are {}, not I8", tensor.type);
  if (by.type != "F16" && by.type != "F32") {
    fail(name, "its scale is {}, neither F16 nor F32", by.type);
  }
  const bool one = by.shape.empty();
  if (!one && (tensor.shape.empty() || by.shape != std::vector{tensor.shape.front()})) {
    fail(name, "its scales are neither one number nor one for each row");
  }
  if (tensor.bytes.empty()) fail(name, "it is empty");
  const Scales scales = read_scales(by);
  if (tensor.shape.size() == 2 && !scales.halves.empty()) {
    const std::uint64_t times = one ? static_cast<std::uint64_t>(tensor.shape.front()) : 1;
    spend(name, times * sizeof(std::uint16_t));
    tensor.row_scales = container_.keep(repeated(scales.halves, times));
    return tensor;
  }
  spend(name, tensor.bytes.size() * sizeof(float));
  tensor.type = "F32";
  tensor.bytes = container_.keep(dequantised(tensor.bytes, scales.values));
  return tensor;
}

}  // namespace sb3lm
