#include "import/gguf/file.h"

#include <algorithm>
#include <bit>
#include <set>

#include "base/reader.h"

namespace sb3lm {
namespace {

constexpr std::uint64_t kMostEntries = 1 << 16, kMostTensors = 1 << 20, kLongestName = 1000;
constexpr std::uint32_t kMaxRank = 4, kLargestAlignment = 1 << 16;
constexpr std::uint64_t kMaxExtent = std::uint64_t{1} << 40;
constexpr std::string_view kAlignmentKey = "general.alignment";

enum class Type : std::uint32_t {
  u8,
  i8,
  u16,
  i16,
  u32,
  i32,
  f32,
  boolean,
  text,
  list,
  u64,
  i64,
  f64
};

/// The least bytes that a value of this type takes, 0 for no type.
std::uint64_t least_bytes(Type type) {
  constexpr std::uint64_t kBytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8};
  const auto index = static_cast<std::size_t>(type);
  return index < std::size(kBytes) ? kBytes[index] : 0;
}

class FileReader {
 public:
  FileReader(const std::string& file, Bytes bytes) : in_(file, bytes) {}

  void read(std::map<std::string, GgufValue, std::less<>>& entries,
            std::vector<GgufTensor>& tensors) {
    in_.reading("GGUF header");
    in_.take(4);
    check_version(in_.u32());
    const std::uint64_t tensor_count = count(kMostTensors, "tensors");
    const std::uint64_t entry_count = count(kMostEntries, "entries");
    for (std::uint64_t i = 0; i < entry_count; ++i) read_entry(i, entries);
    for (std::uint64_t i = 0; i < tensor_count; ++i) tensors.push_back(read_tensor(i));
    place_tensors(alignment_of(entries), tensors);
  }

 private:
  void check_version(std::uint32_t version) const {
    if (version == 2 || version == 3) return;
    const bool is_swapped = version == 2u << 24 || version == 3u << 24;
    sb3lm::fail(Fault::unsupported, "{}: GGUF {}: only versions 2 and 3, little-endian, are read",
                in_.file(),
                is_swapped ? "of a big-endian machine" : fmt::format("version {}", version));
  }

  std::uint64_t count(std::uint64_t most, const char* of_what) {
    const std::uint64_t value = in_.u64();
    if (value > most) in_.fail("{} {} are more than {}", value, of_what, most);
    return value;
  }

  std::string_view text() { return as_text(in_.take(in_.u64())); }

  std::string name(const char* of_what, std::uint64_t number) {
    in_.reading(fmt::format("name of {} {}", of_what, number));
    const std::string_view name = text();
    if (name.empty() || name.size() > kLongestName) {
      in_.fail("{} bytes are outside 1..{}", name.size(), kLongestName);
    }
    return std::string(name);
  }

  void read_entry(std::uint64_t number, std::map<std::string, GgufValue, std::less<>>& entries) {
    const std::string key = name("entry", number);
    in_.reading(fmt::format("'{}'", key));
    const auto type = static_cast<Type>(in_.u32());
    if (!entries.emplace(key, type == Type::list ? read_list() : read_value(type)).second) {
      in_.fail("there is another entry of this name");
    }
  }

  double number(Type type) {
    switch (type) {
      case Type::u8:
        return in_.u8();
      case Type::i8:
        return static_cast<std::int8_t>(in_.u8());
      case Type::u16:
        return in_.u16();
      case Type::i16:
        return static_cast<std::int16_t>(in_.u16());
      case Type::u32:
        return in_.u32();
      case Type::i32:
        return in_.i32();
      case Type::f32:
        return in_.f32();
      case Type::boolean:
        return boolean() ? 1 : 0;
      case Type::u64:
        return static_cast<double>(in_.u64());
      case Type::i64:
        return static_cast<double>(static_cast<std::int64_t>(in_.u64()));
      case Type::f64:
        return std::bit_cast<double>(in_.u64());
      default:
        in_.fail("type {} is none that is read here", static_cast<std::uint32_t>(type));
    }
  }

  bool boolean() {
    const std::uint8_t value = in_.u8();
    if (value > 1) in_.fail("{} is neither true nor false", value);
    return value != 0;
  }

  GgufValue read_value(Type type) {
    if (type == Type::text) return text();
    if (type == Type::boolean) return boolean();
    if (type == Type::f32) return in_.f32();
    return number(type);
  }

  GgufValue read_list() {
    const auto type = static_cast<Type>(in_.u32());
    const std::uint64_t items = in_.u64();
    if (least_bytes(type) == 0) {
      in_.fail("a list of type {}, which there is not", static_cast<std::uint32_t>(type));
    }
    if (items > in_.remaining() / least_bytes(type)) {
      in_.fail("a list of {} items does not fit in the {} bytes left", items, in_.remaining());
    }
    if (type == Type::text) {
      GgufTexts texts;
      texts.reserve(items);
      for (std::uint64_t i = 0; i < items; ++i) texts.push_back(text());
      return texts;
    }
    GgufNumbers numbers;
    numbers.reserve(items);
    for (std::uint64_t i = 0; i < items; ++i) numbers.push_back(number(type));
    return numbers;
  }

  GgufTensor read_tensor(std::uint64_t number) {
    GgufTensor tensor{.name = name("tensor", number)};
    in_.reading(fmt::format("tensor '{}'", tensor.name));
    if (!names_.insert(tensor.name).second) in_.fail("there is another tensor of this name");
    const std::uint32_t rank = in_.u32();
    if (rank > kMaxRank) in_.fail("rank {} is outside 0..{}", rank, kMaxRank);
    for (std::uint32_t axis = 0; axis < rank; ++axis) {
      const std::uint64_t extent = in_.u64();
      if (extent > kMaxExtent) in_.fail("extent {} is too large", extent);
      tensor.shape.push_back(static_cast<std::int64_t>(extent));
    }
    const std::uint32_t type = in_.u32();
    tensor.type = gguf_type(type);
    if (tensor.type == nullptr) {
      sb3lm::fail(Fault::unsupported, "{}: tensor '{}': type {} is not read, only {}", in_.file(),
                  tensor.name, type, gguf_type_names());
    }
    tensor.offset = in_.u64();
    check_rows(tensor);
    std::ranges::reverse(tensor.shape);
    return tensor;
  }

  void check_rows(const GgufTensor& tensor) const {
    const std::int64_t columns = tensor.shape.empty() ? 1 : tensor.shape.front();
    if (columns % tensor.type->weights != 0) {
      in_.fail("rows of {} weights are no whole blocks of {}", columns, tensor.type->weights);
    }
  }

  std::uint64_t alignment_of(const std::map<std::string, GgufValue, std::less<>>& entries) const {
    const auto found = entries.find(kAlignmentKey);
    if (found == entries.end()) return 32;
    const auto* value = std::get_if<double>(&found->second);
    const auto alignment = value != nullptr && *value >= 1 && *value <= kLargestAlignment
                               ? static_cast<std::uint64_t>(*value)
                               : 0;
    if (!std::has_single_bit(alignment)) {
      sb3lm::fail(Fault::bad_input, "{}: '{}' is no power of 2 up to {}", in_.file(), kAlignmentKey,
                  kLargestAlignment);
    }
    return alignment;
  }

  void place_tensors(std::uint64_t alignment, std::vector<GgufTensor>& tensors) {
    const std::uint64_t start = (in_.offset() + alignment - 1) / alignment * alignment;
    for (GgufTensor& tensor : tensors) {
      in_.reading(fmt::format("tensor '{}'", tensor.name));
      if (tensor.offset % alignment != 0) {
        in_.fail("its offset {} is no multiple of {}", tensor.offset, alignment);
      }
      if (__builtin_add_overflow(tensor.offset, start, &tensor.offset)) {
        in_.fail("its offset is beyond 64 bits");
      }
      in_.seek(tensor.offset);
      tensor.bytes = in_.take(size_of(tensor));
    }
    std::ranges::stable_sort(tensors, {}, &GgufTensor::offset);
    for (std::size_t i = 0; i + 1 < tensors.size(); ++i) {
      if (tensors[i].offset + tensors[i].bytes.size() <= tensors[i + 1].offset) continue;
      sb3lm::fail(Fault::bad_input, "{}: tensor '{}': its bytes from {} on overlap those of '{}'",
                  in_.file(), tensors[i + 1].name, tensors[i + 1].offset, tensors[i].name);
    }
  }

  std::uint64_t size_of(const GgufTensor& tensor) const {
    std::uint64_t weights = 1;
    for (const std::int64_t extent : tensor.shape) {
      if (__builtin_mul_overflow(weights, static_cast<std::uint64_t>(extent), &weights)) {
        in_.fail("its shape multiplies to more than 64 bits");
      }
    }
    std::uint64_t bytes = 0;
    if (__builtin_mul_overflow(weights / tensor.type->weights, tensor.type->bytes, &bytes)) {
      in_.fail("its shape takes more than 2^64 bytes");
    }
    return bytes;
  }

  Reader in_;
  std::set<std::string> names_;
};

}  // namespace

GgufFile::GgufFile(std::string file, Bytes bytes) : file_(std::move(file)) {
  FileReader(file_, bytes).read(entries_, tensors_);
}

}  // namespace sb3lm
