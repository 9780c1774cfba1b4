#include "import/pack_tensors.h"

#include <bit>
#include <cstring>

#include "base/error.h"
#include "base/half.h"

namespace sb3lm {
namespace {

static_assert(std::endian::native == std::endian::little);

template <class T>
std::string raw(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// Calls put(row's codes, columns) for every row of every matrix.
template <class Put>
void each_row(const GroupToPack& group, Put put) {
  for (const CodedTensor* matrix : group.matrices) {
    const auto cols = static_cast<std::size_t>(matrix->shape.cols);
    for (std::size_t at = 0; at < matrix->codes.size(); at += cols) {
      put(matrix->codes.data() + at, cols);
    }
  }
}

std::string pack_bits(const GroupToPack& group, const Conventions& conventions) {
  const bool msb_first = conventions.is("bit-order", "msb");
  const unsigned flip = conventions.is("sign", "plus") ? 0 : 1;
  std::string out;
  each_row(group, [&](const std::uint8_t* codes, std::size_t cols) {
    for (std::size_t from = 0; from < cols; from += 8) {
      unsigned byte = 0;
      for (std::size_t col = from; col < std::min(from + 8, cols); ++col) {
        const std::size_t at = col - from;
        byte |= (codes[col] ^ flip) << (msb_first ? 7 - at : at);
      }
      out += static_cast<char>(byte);
    }
  });
  return out;
}

unsigned nibble_of(const GroupToPack& group, int level) {
  if (group.nibble_code == "twos") return static_cast<unsigned>(level) & 15u;
  const int nibble = level + (group.nibble_code == "offset4" ? 4 : 8);
  const int most = group.nibble_code == "offset4" ? 7 : 15;
  if (nibble < 0 || nibble > most) {
    fail(Fault::unsupported, "tensor '{}': nibble code {} has no value {}", group.stem,
         group.nibble_code, level);
  }
  return static_cast<unsigned>(nibble);
}

std::string pack_nibbles(const GroupToPack& group, const Conventions& conventions) {
  const bool low_first = conventions.is("nibble-order", "low");
  const CodeFormat format = group.matrices.front()->format;
  std::string out;
  each_row(group, [&](const std::uint8_t* codes, std::size_t cols) {
    for (std::size_t col = 0; col < cols; col += 2) {
      const unsigned even = nibble_of(group, format.level(codes[col]));
      const unsigned odd = col + 1 < cols ? nibble_of(group, format.level(codes[col + 1])) : 0;
      out += static_cast<char>(low_first ? odd << 4 | even : even << 4 | odd);
    }
  });
  return out;
}

std::string pack_bytes(const GroupToPack& group) {
  const CodeFormat format = group.matrices.front()->format;
  std::string out;
  each_row(group, [&](const std::uint8_t* codes, std::size_t cols) {
    for (std::size_t col = 0; col < cols; ++col) {
      out += static_cast<char>(format.level(codes[col]) + 128);
    }
  });
  return out;
}

const char* suffix_of(PackedForm form) {
  return form == PackedForm::bits ? "__bin" : form == PackedForm::nibbles ? "__int4" : "__int8";
}

}  // namespace

PackedForm packed_form(int bits) {
  return bits == 1 ? PackedForm::bits : bits <= 4 ? PackedForm::nibbles : PackedForm::bytes;
}

std::string pack_codes(const GroupToPack& group, const Conventions& conventions) {
  switch (packed_form(group.matrices.front()->format.bits)) {
    case PackedForm::bits:
      return pack_bits(group, conventions);
    case PackedForm::nibbles:
      return pack_nibbles(group, conventions);
    default:
      return pack_bytes(group);
  }
}

std::string pack_scales(const GroupToPack& group) {
  std::string out;
  for (const CodedTensor* matrix : group.matrices) out += raw(matrix->row_scale);
  return out;
}

std::vector<TensorToWrite> pack_group(const GroupToPack& group, const Conventions& conventions) {
  const CodedTensor& first = *group.matrices.front();
  std::string data = pack_codes(group, conventions);
  std::vector<std::int64_t> extents = {first.shape.rows};
  if (group.stacked) {
    extents.insert(extents.begin(), static_cast<std::int64_t>(group.matrices.size()));
  }
  const std::vector<std::int64_t> scale_shape = extents;
  std::vector<std::int32_t> full(extents.begin(), extents.end());
  full.push_back(first.shape.cols);
  const auto rows = static_cast<std::int64_t>(group.matrices.size()) * first.shape.rows;
  extents.push_back(static_cast<std::int64_t>(data.size()) / rows);
  return {{group.stem + "__scale", "F16", scale_shape, pack_scales(group)},
          {group.stem + suffix_of(packed_form(first.format.bits)), "U8", extents, std::move(data)},
          {group.stem + "__shape", "I32", {static_cast<std::int64_t>(full.size())}, raw(full)},
          {group.stem + "__cols", "I32", {1}, raw(std::vector<std::int32_t>{first.shape.cols})}};
}

std::string plain_bytes(const FloatTensor& tensor) {
  if (tensor.type == FloatType::f32) return raw(tensor.values);
  std::vector<std::uint16_t> halves;
  for (const float value : tensor.values) {
    halves.push_back(tensor.type == FloatType::f16
                         ? half_from_double(value)
                         : static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16));
  }
  return raw(halves);
}

}  // namespace sb3lm
