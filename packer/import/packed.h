// Tensors as SSMoELM packs them: up to four stored tensors share a stem,
//   STEM__bin    U8   one bit per weight, rows padded to bytes        } one
//   STEM__int4   U8   one nibble per weight, rows padded to bytes     } of
//   STEM__int8   U8   one byte per weight, its value + 128            } these
//   STEM__scale  F16  one factor per row
//   STEM__shape  I32  [rows, cols] or [experts, rows, cols]             optional
//   STEM__cols   I32  weights per row                                   optional
// or STEM alone is a plain F16, BF16, F32 or F64 tensor, or I8 codes whose row scales the container
// has.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "import/container.h"
#include "import/conventions.h"
#include "model/packed.h"
#include "model/tensor.h"

namespace sb3lm {

enum class PackedForm { plain, bits, nibbles, bytes, codes };

/// One logical tensor of the file.
struct PackedGroup {
  std::string file;
  std::string stem;
  PackedForm form = PackedForm::plain;
  const StoredTensor* data = nullptr;
  const StoredTensor* scale = nullptr;
  const StoredTensor* shape = nullptr;
  const StoredTensor* cols = nullptr;
  int stack = 1;  // experts stacked in it
  bool stacked = false;
  Shape extent;  // of one tensor of the stack

  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    sb3lm::fail(Fault::bad_input, "{}: tensor '{}': {}", file, stem,
                fmt::format(format, std::forward<Args>(args)...));
  }
};

/// True for the name of a packed tensor's codes.
bool is_packed_name(std::string_view name);

/// Groups the stored tensors by stem, in file order, and checks that the parts of each fit
/// together. What is no weight is left out.
std::vector<PackedGroup> group_packed(
    const Container& container, const std::function<bool(const StoredTensor&)>& is_no_weight = {});

/// How often each nibble value occurs (padding left out).
using NibbleCounts = std::array<std::uint64_t, 16>;
void count_nibbles(const PackedGroup& group, const Conventions& conventions, NibbleCounts& counts);

/// "offset8" or "twos": whichever has its zero where the counts peak.
std::string guess_nibble_code(const NibbleCounts& counts);
/// The code of a matrix that may hold only -4..3: the one that explains why the others are missing
/// (`likely` where several do), else as guess_nibble_code.
std::string guess_narrow_code(const NibbleCounts& counts, const std::string& likely);

/// Tensor `part` of the group's stack, unpacked and checked (finite scales and values). Of F64 the
/// nearest floats are taken.
Tensor unpack_plain(const PackedGroup& group, int part);
Tensor unpack_bits(const PackedGroup& group, int part, const Conventions& conventions);
/// In the least width from 5 bits on whose values hold all codes.
Tensor unpack_bytes(const PackedGroup& group, int part);
/// In the least width whose values, -2^(b-1) to 2^(b-1) - 1, hold all codes.
Tensor unpack_codes(const PackedGroup& group, int part);
/// `allow_narrow`: a matrix whose values all lie in -4..3 becomes 3-bit.
Tensor unpack_nibbles(const PackedGroup& group, int part, const Conventions& conventions,
                      const std::string& nibble_code, bool allow_narrow);

/// The same, checked but left where they are; owner is not set.
PackedMatrix view_bits(const PackedGroup& group, int part, const Conventions& conventions);
PackedMatrix view_bytes(const PackedGroup& group, int part);
PackedMatrix view_codes(const PackedGroup& group, int part);
PackedMatrix view_nibbles(const PackedGroup& group, int part, const Conventions& conventions,
                          const std::string& nibble_code);

}  // namespace sb3lm
