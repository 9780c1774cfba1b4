// Pickles as PyTorch writes them, protocol 2, read into values. Runs nothing: of what a pickle can
// call, only PyTorch's own tensors and OrderedDict are known; one class more may stand in it, whose
// objects are kept as records of their fields.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace sb3lm {

using PickleId = std::uint32_t;  // index into Pickle::values

struct PickleValue {
  enum class Kind : std::uint8_t {
    none,
    boolean,   // integer: 0 or 1
    integer,   // integer
    real,      // real
    text,      // text
    tuple,     // items
    list,      // items
    dict,      // items: key, value, key, value, ...; a key may be there twice
    global,    // text: "module name", which is not ours to know
    record,    // text: its class; items: nothing, or the dict of its fields
    storage,   // text: the record's key; type; integer: how many elements
    tensor,    // items: storage, tuple of extents, tuple of strides; integer: the first element
    function,  // integer: its row in the table of known globals
  };
  Kind kind = Kind::none;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view text;  // points into the pickle
  std::string_view type;  // "F32", "I8", ...
  std::vector<PickleId> items;
};

struct Pickle {
  std::vector<PickleValue> values;  // may refer to each other in circles
  PickleId root = 0;

  const PickleValue& operator[](PickleId id) const { return values[id]; }
  /// The value of a text key of a dict, the last if there are several.
  std::optional<PickleId> find(PickleId dict, std::string_view key) const;
};

/// "a number", "a dict", ... for errors.
std::string_view kind_name(PickleValue::Kind kind);

/// `file` stands in front of errors, which name the byte of the pickle. Throws bad_input for what
/// is no pickle and unsupported, with its name, for an opcode or a global that checkpoints do not
/// need. `bytes` must outlive the result.
Pickle read_pickle(const std::string& file, Bytes bytes);

}  // namespace sb3lm
