#include "support/checkpoint_writer.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "synth/raw_bytes.h"

namespace sb3lm {

std::string raw_safetensors(std::string_view header, std::string_view data) {
  const std::uint64_t size = header.size();
  std::string bytes(sizeof(size), '\0');
  std::memcpy(bytes.data(), &size, sizeof(size));
  return bytes + std::string(header) + std::string(data);
}

CheckpointEditor::CheckpointEditor(const std::string& bytes) {
  const Container parsed = parse_safetensors("edited", as_bytes(bytes));
  metadata = parsed.metadata;
  for (const StoredTensor& tensor : parsed.tensors) {
    tensors.push_back({tensor.name, tensor.type, tensor.shape, std::string(as_text(tensor.bytes))});
  }
}

TensorToWrite& CheckpointEditor::at(const std::string& name) {
  for (TensorToWrite& tensor : tensors) {
    if (tensor.name == name) return tensor;
  }
  fail(Fault::bug, "the test's checkpoint has no tensor '{}'", name);
}

void CheckpointEditor::remove(const std::string& name) {
  at(name);
  std::erase_if(tensors, [&name](const TensorToWrite& tensor) { return tensor.name == name; });
}

std::string raw_u16(const std::vector<std::uint16_t>& values) {
  return raw_bytes(values);
}
std::string raw_i32(const std::vector<std::int32_t>& values) {
  return raw_bytes(values);
}

}  // namespace sb3lm
