// The way back: tensors as SSMoELM's files hold them (see packed.h), under given conventions.
#pragma once

#include <string>
#include <vector>

#include "import/conventions.h"
#include "import/packed.h"
#include "import/safetensors.h"

namespace sb3lm {

/// Matrices of one shape and width that share a stem.
struct GroupToPack {
  std::string stem;
  std::vector<const CodedTensor*> matrices;
  bool stacked = false;     // a third extent, also if there is only one
  std::string nibble_code;  // "offset8", "twos" or "offset4"; for nibbles
};

/// What a width is packed as: bits, nibbles up to 4, else bytes.
PackedForm packed_form(int bits);

/// The data of a group, matrix after matrix, padding zero. Throws unsupported if the nibble code
/// has no such value.
std::string pack_codes(const GroupToPack& group, const Conventions& conventions);
/// Its row scales.
std::string pack_scales(const GroupToPack& group);
/// All stored tensors of a group: scale, data, shape, cols.
std::vector<TensorToWrite> pack_group(const GroupToPack& group, const Conventions& conventions);

/// The bytes of a plain tensor in its own type.
std::string plain_bytes(const FloatTensor& tensor);

}  // namespace sb3lm
