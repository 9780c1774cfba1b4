#include "support/repack.h"

#include <functional>
#include <vector>

#include "base/error.h"
#include "import/families/families.h"
#include "import/names.h"
#include "import/packed.h"
#include "support/checkpoint_writer.h"

namespace sb3lm::test {
namespace {

using Byte = std::function<unsigned(unsigned)>;

unsigned reversed_bits(unsigned byte) {
  unsigned reversed = 0;
  for (unsigned bit = 0; bit < 8; ++bit) reversed |= (byte >> bit & 1) << (7 - bit);
  return reversed;
}

std::optional<TensorKey> role_of_name(std::string_view stem) {
  const std::vector<NameMatch> roles = roles_of_name(ssmoelm_family(), stem);
  return roles.empty() ? std::nullopt : std::optional(roles.front().key);
}

bool is_vocabulary(const std::string& stem) {
  const auto key = role_of_name(stem);
  return key && (key->role == Role::embedding || key->role == Role::head);
}

std::string stem_of(const std::string& name) {
  return name.substr(0, name.rfind("__"));
}

void change_bytes(CheckpointEditor& file, const std::function<bool(const std::string&)>& which,
                  const Byte& change) {
  for (TensorToWrite& tensor : file.tensors) {
    if (!which(tensor.name)) continue;
    for (char& byte : tensor.bytes) {
      byte = static_cast<char>(change(static_cast<unsigned char>(byte)));
    }
  }
}

bool is_bits(const std::string& name) {
  return name.ends_with("__bin");
}
bool is_nibbles(const std::string& name) {
  return name.ends_with("__int4");
}

/// Exchanges two tensors' contents; their names stay.
void exchange(TensorToWrite& a, TensorToWrite& b) {
  std::swap(a.name, b.name);
  std::swap(a, b);
}

/// The role that changes places with this one when silu moves to the other side.
Role partner(Role role) {
  if (role == Role::gate) return Role::up;
  if (role == Role::shared_gate) return Role::shared_up;
  check(role == Role::expert_gate, "not a gate");
  return Role::expert_up;
}

void exchange_gates_and_ups(CheckpointEditor& file) {
  for (TensorToWrite& tensor : file.tensors) {
    const std::string stem = stem_of(tensor.name);
    auto key = role_of_name(stem);
    if (!key || (key->role != Role::gate && key->role != Role::shared_gate &&
                 key->role != Role::expert_gate)) {
      continue;
    }
    key->role = partner(key->role);
    const std::string suffix = tensor.name.substr(stem.size());
    bool found = false;
    for (TensorToWrite& other : file.tensors) {
      if (role_of_name(stem_of(other.name)) != key || !other.name.ends_with(suffix)) continue;
      if (suffix.empty() && stem_of(other.name) != other.name) continue;
      exchange(tensor, other);
      found = true;
    }
    check(found, "a gate without its up");
  }
}

/// Row `row` of a head in the new file is row `source(row)` of the old one, in q and k.
void permute_heads(CheckpointEditor& file, int head_size, const std::function<int(int)>& source) {
  const std::string bytes = file.bytes();
  const Container parsed = parse_safetensors("repacked", as_bytes(bytes));
  for (const PackedGroup& group : group_packed(parsed)) {
    const auto key = role_of_name(group.stem);
    if (!key || (key->role != Role::q && key->role != Role::k)) continue;
    const auto permute = [&](TensorToWrite& tensor) {
      const std::size_t size = tensor.bytes.size() / static_cast<std::size_t>(group.extent.rows);
      const std::string old = tensor.bytes;
      for (int row = 0; row < group.extent.rows; ++row) {
        const int from = row - row % head_size + source(row % head_size);
        tensor.bytes.replace(static_cast<std::size_t>(row) * size, size, old,
                             static_cast<std::size_t>(from) * size, size);
      }
    };
    permute(file.at(group.data->name));
    if (group.scale != nullptr) permute(file.at(group.scale->name));
  }
}

}  // namespace

std::string repacked(const std::string& bytes, const std::string& convention, int head_size) {
  CheckpointEditor file(bytes);
  if (convention == "bit-order") {
    change_bytes(file, is_bits, reversed_bits);
  } else if (convention == "sign") {
    change_bytes(file, is_bits, [](unsigned byte) { return byte ^ 0xFF; });
  } else if (convention == "nibble-order") {
    change_bytes(file, is_nibbles, [](unsigned byte) { return byte >> 4 | byte << 4; });
  } else if (convention == "nibble-code" || convention == "embedding-code") {
    const bool vocabulary = convention == "embedding-code";
    change_bytes(
        file,
        [&](const std::string& name) {
          return is_nibbles(name) && is_vocabulary(stem_of(name)) == vocabulary;
        },
        [](unsigned byte) { return byte ^ 0x88; });
  } else if (convention == "swiglu") {
    exchange_gates_and_ups(file);
  } else if (convention == "rope-sign") {
    permute_heads(file, head_size, [&](int row) { return (row + head_size / 2) % head_size; });
  } else if (convention == "rope") {
    permute_heads(file, head_size, [&](int row) { return row / 2 + row % 2 * (head_size / 2); });
  } else {
    throw Error(Fault::bug, "no file can be rewritten for convention '" + convention + "'");
  }
  return file.bytes();
}

}  // namespace sb3lm::test
