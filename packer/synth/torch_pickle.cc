#include "synth/torch_pickle.h"

#include <bit>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "import/json.h"

namespace sb3lm {
namespace {

static_assert(std::endian::native == std::endian::little);

template <class T>
std::string raw(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

}  // namespace

void PickleWriter::text(std::string_view text) {
  out_ += 'X' + raw(static_cast<std::uint32_t>(text.size()));
  out_ += text;
}

void PickleWriter::integer(std::int64_t value) {
  const auto small = static_cast<std::int32_t>(value);
  out_ += small == value ? 'J' + raw(small) : "\x8a\x08" + raw(value);
}

void PickleWriter::global(std::string_view module, std::string_view name) {
  out_ += fmt::format("c{}\n{}\n", module, name);
}

void PickleWriter::integers(const std::vector<std::int64_t>& values) {
  out_ += '(';
  for (const std::int64_t value : values) integer(value);
  out_ += 't';
}

void PickleWriter::begin_ordered_dict() {
  global("collections", "OrderedDict");
  out_ += ")R(";
}

void PickleWriter::begin_object(std::string_view module, std::string_view name) {
  global(module, name);
  out_ += ")\x81";
}

void PickleWriter::tensor(const PickledTensor& tensor) {
  std::vector<std::int64_t> strides(tensor.shape.size());
  std::int64_t elements = 1;
  for (std::size_t i = strides.size(); i-- > 0;) {
    strides[i] = elements;
    elements *= tensor.shape[i];
  }
  global("torch._utils", "_rebuild_tensor_v2");
  out_ += "((";
  text("storage");
  global("torch", tensor.storage_class);
  text(tensor.key);
  text("cpu");
  integer(elements);
  out_ += "tQ";
  integer(0);
  integers(tensor.shape);
  integers(strides);
  out_ += '\x89';  // needs no gradient
  begin_ordered_dict();
  out_ += "utR";  // without hooks
}

void PickleWriter::json(const nlohmann::json& value) {
  if (value.is_object()) {
    begin_dict();
    for (const auto& [key, item] : value.items()) {
      text(key);
      json(item);
    }
    end_dict();
  } else if (value.is_array()) {
    out_ += "](";
    for (const Json& item : value) json(item);
    out_ += 'e';
  } else if (value.is_string()) {
    text(value.get<std::string>());
  } else if (value.is_boolean()) {
    out_ += value.get<bool>() ? '\x88' : '\x89';
  } else if (value.is_number_integer()) {
    integer(value.get<std::int64_t>());
  } else if (value.is_number()) {
    const std::string bytes = raw(value.get<double>());
    out_ += 'G' + std::string(bytes.rbegin(), bytes.rend());
  } else {
    out_ += 'N';
  }
}

}  // namespace sb3lm
