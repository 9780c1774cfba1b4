#include "import/packed.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <optional>

#include "base/half.h"

namespace sb3lm {
namespace {

constexpr std::int64_t kMaxExtent = 1 << 20;

template <class T>
T load(Bytes bytes, std::size_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

struct Part {
  std::string_view suffix;
  const StoredTensor* PackedGroup::*slot;
  PackedForm form;
  std::string_view type;
};
constexpr std::array<Part, 6> kParts{{
    {"__bin", &PackedGroup::data, PackedForm::bits, "U8"},
    {"__int4", &PackedGroup::data, PackedForm::nibbles, "U8"},
    {"__int8", &PackedGroup::data, PackedForm::bytes, "U8"},
    {"__scale", &PackedGroup::scale, PackedForm::plain, "F16"},
    {"__shape", &PackedGroup::shape, PackedForm::plain, "I32"},
    {"__cols", &PackedGroup::cols, PackedForm::plain, "I32"},
}};

void place(PackedGroup& group, const StoredTensor& tensor, const Part* part) {
  const StoredTensor* PackedGroup::*slot = part != nullptr ? part->slot : &PackedGroup::data;
  if (part != nullptr && tensor.type != part->type) {
    group.fail("{} is {}, not {}", part->suffix, tensor.type, part->type);
  }
  if (group.*slot != nullptr) {
    group.fail("'{}' and '{}' hold the same thing", (group.*slot)->name, tensor.name);
  }
  group.*slot = &tensor;
  if (!tensor.row_scales.empty()) group.form = PackedForm::codes;
  if (part != nullptr && part->form != PackedForm::plain) group.form = part->form;
}

std::vector<std::int64_t> read_extents(const PackedGroup& group, const StoredTensor& tensor) {
  std::vector<std::int64_t> extents;
  if (tensor.elements() > 4) group.fail("'{}' holds more than 4 numbers", tensor.name);
  for (std::size_t i = 0; i < tensor.elements(); ++i) {
    extents.push_back(load<std::int32_t>(tensor.bytes, i));
  }
  return extents;
}

/// Sets stack and extent from a list of at most 3 extents; none is a single number.
void take_shape(PackedGroup& group, std::vector<std::int64_t> extents) {
  if (extents.size() > 3) {
    group.fail("rank {} is outside 0..3; if it is no weight, \"ignore\" it with --map",
               extents.size());
  }
  if (extents.empty()) extents = {1};
  for (const std::int64_t extent : extents) {
    if (extent < 1 || extent > kMaxExtent) {
      group.fail("extent {} is outside 1..{}", extent, kMaxExtent);
    }
  }
  group.stacked = extents.size() == 3;
  group.stack = group.stacked ? static_cast<int>(extents.front()) : 1;
  group.extent.cols = static_cast<int>(extents.back());
  group.extent.rows = extents.size() == 1 ? 1 : static_cast<int>(extents[extents.size() - 2]);
}

std::int64_t per_byte(PackedForm form) {
  return form == PackedForm::bits ? 8 : form == PackedForm::nibbles ? 2 : 1;
}

std::size_t row_bytes(const PackedGroup& group) {
  const auto per = static_cast<std::size_t>(per_byte(group.form));
  return (static_cast<std::size_t>(group.extent.cols) + per - 1) / per;
}

std::size_t all_rows(const PackedGroup& group) {
  return static_cast<std::size_t>(group.stack) * static_cast<std::size_t>(group.extent.rows);
}

/// Weights per row: __cols, or as many as the bytes hold.
std::int64_t packed_cols(const PackedGroup& group) {
  if (group.cols != nullptr) {
    const std::vector<std::int64_t> cols = read_extents(group, *group.cols);
    if (cols.size() != 1) group.fail("'{}' holds {} numbers, not 1", group.cols->name, cols.size());
    return cols[0];
  }
  const std::uint64_t rows = group.scale->elements();
  if (rows == 0) group.fail("it has no row scales");
  return static_cast<std::int64_t>(group.data->elements() / rows) * per_byte(group.form);
}

void size_packed(PackedGroup& group) {
  if (group.scale == nullptr) group.fail("'{}__scale' is missing", group.stem);
  if (group.shape != nullptr) {
    take_shape(group, read_extents(group, *group.shape));
    if (group.cols != nullptr && packed_cols(group) != group.extent.cols) {
      group.fail("'{}__cols' says {}, '{}__shape' says {}", group.stem, packed_cols(group),
                 group.stem, group.extent.cols);
    }
  } else {
    std::vector<std::int64_t> extents = group.data->shape;
    if (extents.size() < 2) extents = {static_cast<std::int64_t>(group.scale->elements()), 0};
    extents.back() = packed_cols(group);
    take_shape(group, extents);
  }
  if (group.scale->elements() != all_rows(group)) {
    group.fail("{} rows have {} scales", all_rows(group), group.scale->elements());
  }
  if (group.data->bytes.size() != all_rows(group) * row_bytes(group)) {
    group.fail("{} rows of {} weights take {} bytes, '{}' has {}", all_rows(group),
               group.extent.cols, all_rows(group) * row_bytes(group), group.data->name,
               group.data->bytes.size());
  }
}

void size_codes(PackedGroup& group) {
  take_shape(group, group.data->shape);
  const bool fits = group.data->type == "I8" && group.data->shape.size() == 2 &&
                    group.data->row_scales.size() == all_rows(group) * sizeof(std::uint16_t);
  check(fits, "codes that are no matrix with row scales");
}

void size_group(PackedGroup& group) {
  if (group.data == nullptr) {
    group.fail("its scale, shape or cols is there without '{}__bin', '__int4' or '__int8'",
               group.stem);
  }
  const bool alone = group.form == PackedForm::plain || group.form == PackedForm::codes;
  if (!alone) {
    size_packed(group);
    return;
  }
  if (group.scale != nullptr || group.shape != nullptr || group.cols != nullptr) {
    group.fail("a plain tensor has a packed tensor's scale, shape or cols");
  }
  group.form == PackedForm::codes ? size_codes(group) : take_shape(group, group.data->shape);
}

/// Which nibble of a byte holds an even column.
int even_shift(const Conventions& conventions) {
  return conventions.is("nibble-order", "low") ? 0 : 4;
}

/// One stacked tensor's bytes.
Bytes part_bytes(const PackedGroup& group, int part) {
  const std::size_t size = static_cast<std::size_t>(group.extent.rows) * row_bytes(group);
  return group.data->bytes.subspan(static_cast<std::size_t>(part) * size, size);
}

/// The binary16 row scales of one stacked tensor, checked.
Bytes part_scales(const PackedGroup& group, int part) {
  const auto rows = static_cast<std::size_t>(group.extent.rows);
  const std::size_t first = static_cast<std::size_t>(part) * rows;
  const Bytes all = group.form == PackedForm::codes ? group.data->row_scales : group.scale->bytes;
  for (std::size_t row = first; row < first + rows; ++row) {
    constexpr int kExponent = 0x7c00;  // all ones: infinite or not a number
    if ((load<std::uint16_t>(all, row) & kExponent) == kExponent) {
      group.fail("the scale of row {} is not finite", row);
    }
  }
  return all.subspan(first * sizeof(std::uint16_t), rows * sizeof(std::uint16_t));
}

CodedTensor empty_coded(const PackedGroup& group, int part, int bits) {
  CodedTensor tensor{group.extent, CodeFormat::of_bits(bits), {}, {}};
  const auto rows = static_cast<std::size_t>(group.extent.rows);
  const Bytes scales = part_scales(group, part);
  for (std::size_t row = 0; row < rows; ++row) {
    tensor.row_scale.push_back(load<std::uint16_t>(scales, row));
  }
  tensor.codes.reserve(rows * static_cast<std::size_t>(group.extent.cols));
  return tensor;
}

/// A level for each byte, in the least width from `bits` on that holds all of them.
template <class Level>
Tensor unpack_levels(const PackedGroup& group, int part, int bits, Level level_of) {
  const Bytes bytes = part_bytes(group, part);
  for (const std::uint8_t byte : bytes) {
    const int level = level_of(byte);
    while (level < -(1 << (bits - 1)) || level >= 1 << (bits - 1)) ++bits;
  }
  CodedTensor tensor = empty_coded(group, part, bits);
  for (const std::uint8_t byte : bytes) {
    tensor.codes.push_back(static_cast<std::uint8_t>(level_of(byte) - tensor.format.offset));
  }
  return tensor;
}

/// Nibble value to weight + 8; -1 where the code has no such value.
std::array<int, 16> nibble_levels(const std::string& code) {
  std::array<int, 16> levels{};
  for (int nibble = 0; nibble < 16; ++nibble) {
    int& level = levels[static_cast<std::size_t>(nibble)];
    if (code == "twos") {
      level = nibble ^ 8;
    } else if (code == "offset4") {
      level = nibble < 8 ? nibble + 4 : -1;
    } else {
      level = nibble;
    }
  }
  return levels;
}

float plain_value(FloatType type, bool is_double, Bytes bytes, std::size_t index) {
  if (is_double) return static_cast<float>(load<double>(bytes, index));
  if (type == FloatType::f32) return load<float>(bytes, index);
  const auto bits = load<std::uint16_t>(bytes, index);
  return type == FloatType::f16 ? static_cast<float>(half_to_double(bits))
                                : bfloat16_to_float(bits);
}

std::uint64_t sum_of(const NibbleCounts& counts, std::initializer_list<std::size_t> values) {
  std::uint64_t sum = 0;
  for (const std::size_t value : values) sum += counts[value];
  return sum;
}

}  // namespace

bool is_packed_name(std::string_view name) {
  return std::any_of(kParts.begin(), kParts.end(), [name](const Part& part) {
    return part.form != PackedForm::plain && name.ends_with(part.suffix);
  });
}

std::vector<PackedGroup> group_packed(
    const Container& container, const std::function<bool(const StoredTensor&)>& is_no_weight) {
  std::vector<PackedGroup> groups;
  std::map<std::string, std::size_t, std::less<>> index;
  for (const StoredTensor& tensor : container.tensors) {
    if (is_no_weight && is_no_weight(tensor)) continue;
    std::string stem = tensor.name;
    const Part* found = nullptr;
    for (const Part& part : kParts) {
      if (stem.ends_with(part.suffix)) found = &part;
    }
    if (found != nullptr) stem.resize(stem.size() - found->suffix.size());
    const auto [at, is_new] = index.emplace(stem, groups.size());
    if (is_new) groups.push_back({.file = container.file, .stem = stem});
    place(groups[at->second], tensor, found);
  }
  for (PackedGroup& group : groups) size_group(group);
  return groups;
}

void count_nibbles(const PackedGroup& group, const Conventions& conventions, NibbleCounts& counts) {
  const Bytes bytes = group.data->bytes;
  // Four tables, so that a byte need not wait for the count of the one before it.
  std::array<std::array<std::uint32_t, 256>, 4> tables{};
  for (std::size_t i = 0; i < bytes.size(); ++i) ++tables[i % 4][bytes[i]];
  for (const auto& table : tables) {
    for (std::size_t byte = 0; byte < table.size(); ++byte) {
      counts[byte & 15] += table[byte];
      counts[byte >> 4] += table[byte];
    }
  }
  if (group.extent.cols % 2 == 0) return;
  const int padding = 4 - even_shift(conventions);
  const std::size_t stride = row_bytes(group);
  for (std::size_t row = 1; row <= all_rows(group); ++row) {
    --counts[(bytes[row * stride - 1] >> padding) & 15];
  }
}

std::string guess_nibble_code(const NibbleCounts& counts) {
  // Weights crowd around zero: nibble 8 with an offset, 0 and 15 in two's complement.
  return sum_of(counts, {15, 0, 1}) > sum_of(counts, {7, 8, 9}) ? "twos" : "offset8";
}

std::string guess_narrow_code(const NibbleCounts& counts, const std::string& likely) {
  const std::uint64_t all =
      sum_of(counts, {0, 1, 2, 3, 4, 5, 6, 7}) + sum_of(counts, {8, 9, 10, 11, 12, 13, 14, 15});
  std::vector<std::string> fitting;
  if (sum_of(counts, {4, 5, 6, 7, 8, 9, 10, 11}) == all) fitting.emplace_back("offset8");
  if (sum_of(counts, {12, 13, 14, 15, 0, 1, 2, 3}) == all) fitting.emplace_back("twos");
  if (sum_of(counts, {0, 1, 2, 3, 4, 5, 6, 7}) == all) fitting.emplace_back("offset4");
  if (fitting.empty()) return guess_nibble_code(counts);
  const bool has_likely = std::find(fitting.begin(), fitting.end(), likely) != fitting.end();
  return has_likely ? likely : fitting.front();
}

Tensor unpack_plain(const PackedGroup& group, int part) {
  const std::string& type = group.data->type;
  FloatTensor tensor{.shape = group.extent, .type = FloatType::f32, .values = {}};
  if (type == "F16") {
    tensor.type = FloatType::f16;
  } else if (type == "BF16") {
    tensor.type = FloatType::bf16;
  } else if (type != "F32" && type != "F64") {
    fail(Fault::unsupported, "{}: tensor '{}': weights of type {} are not supported", group.file,
         group.stem, type);
  }
  const std::size_t size =
      static_cast<std::size_t>(group.extent.rows) * static_cast<std::size_t>(group.extent.cols);
  tensor.values.reserve(size);
  const std::size_t first = static_cast<std::size_t>(part) * size;
  for (std::size_t i = 0; i < size; ++i) {
    const float value = plain_value(tensor.type, type == "F64", group.data->bytes, first + i);
    if (!std::isfinite(value)) group.fail("element {} is not finite", i);
    tensor.values.push_back(value);
  }
  return tensor;
}

Tensor unpack_bits(const PackedGroup& group, int part, const Conventions& conventions) {
  CodedTensor tensor = empty_coded(group, part, 1);
  const bool msb_first = conventions.is("bit-order", "msb");
  const int flip = conventions.is("sign", "plus") ? 0 : 1;
  const Bytes bytes = part_bytes(group, part);
  const std::size_t stride = row_bytes(group);
  for (int row = 0; row < group.extent.rows; ++row) {
    const std::uint8_t* from = bytes.data() + static_cast<std::size_t>(row) * stride;
    for (int col = 0; col < group.extent.cols; ++col) {
      const int shift = msb_first ? 7 - col % 8 : col % 8;
      tensor.codes.push_back(static_cast<std::uint8_t>(((from[col / 8] >> shift) & 1) ^ flip));
    }
  }
  return tensor;
}

Tensor unpack_bytes(const PackedGroup& group, int part) {
  // Narrower ones would be nibbles.
  return unpack_levels(group, part, 5, [](std::uint8_t byte) { return byte - 128; });
}

Tensor unpack_codes(const PackedGroup& group, int part) {
  return unpack_levels(group, part, 2,
                       [](std::uint8_t byte) { return static_cast<std::int8_t>(byte); });
}

Tensor unpack_nibbles(const PackedGroup& group, int part, const Conventions& conventions,
                      const std::string& nibble_code, bool allow_narrow) {
  CodedTensor tensor = empty_coded(group, part, 4);
  const std::array<int, 16> levels = nibble_levels(nibble_code);
  const int even = even_shift(conventions);
  const Bytes bytes = part_bytes(group, part);
  const std::size_t stride = row_bytes(group);
  bool narrow = allow_narrow;
  for (int row = 0; row < group.extent.rows; ++row) {
    const std::uint8_t* from = bytes.data() + static_cast<std::size_t>(row) * stride;
    for (int col = 0; col < group.extent.cols; ++col) {
      const int shift = col % 2 == 0 ? even : 4 - even;
      const int level = levels[(from[col / 2] >> shift) & 15];
      if (level < 0) {
        group.fail("row {} holds a nibble above 7, which code {} does not have", row, nibble_code);
      }
      narrow = narrow && level >= 4 && level < 12;
      tensor.codes.push_back(static_cast<std::uint8_t>(level));
    }
  }
  if (narrow) {
    tensor.format = CodeFormat::of_bits(3);
    for (std::uint8_t& code : tensor.codes) code = static_cast<std::uint8_t>(code - 4);
  }
  return tensor;
}

PackedMatrix view_bits(const PackedGroup& group, int part, const Conventions& conventions) {
  const bool plus = conventions.is("sign", "plus");
  return {.shape = group.extent,
          .storage = PackedStorage::bits,
          .high_first = conventions.is("bit-order", "msb"),
          .step = plus ? 2 : -2,
          .offset = plus ? -1 : 1,
          .data = part_bytes(group, part),
          .scales = part_scales(group, part)};
}

PackedMatrix view_bytes(const PackedGroup& group, int part) {
  return {.shape = group.extent,
          .storage = PackedStorage::bytes,
          .offset = CodeFormat::of_bits(8).offset,
          .data = part_bytes(group, part),
          .scales = part_scales(group, part)};
}

PackedMatrix view_codes(const PackedGroup& group, int part) {
  PackedMatrix matrix = view_bytes(group, part);
  matrix.flip = 128;  // two's complement to offset 128
  return matrix;
}

PackedMatrix view_nibbles(const PackedGroup& group, int part, const Conventions& conventions,
                          const std::string& nibble_code) {
  if (nibble_code == "offset4") {
    NibbleCounts counts{};
    count_nibbles(group, conventions, counts);
    // Unpacking says where they are.
    const bool wrong = std::any_of(counts.begin() + 8, counts.end(), [](auto n) { return n > 0; });
    if (wrong) unpack_nibbles(group, part, conventions, nibble_code, false);
  }
  return {.shape = group.extent,
          .storage = PackedStorage::nibbles,
          .high_first = !conventions.is("nibble-order", "low"),
          .flip = static_cast<std::uint8_t>(nibble_code == "twos" ? 8 : 0),
          .offset = nibble_code == "offset4" ? -4 : -8,
          .data = part_bytes(group, part),
          .scales = part_scales(group, part)};
}

}  // namespace sb3lm
