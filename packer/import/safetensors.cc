// 1. u64 little-endian: length of the header. 2. the header, JSON: {"name": {"dtype", "shape",
// "data_offsets": [from, to]}, ..., "__metadata__": {text: text}}. 3. the data; offsets count from
// its first byte and cover it without gaps.
#include "import/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/error.h"
#include "base/reader.h"
#include "import/json.h"

namespace sb3lm {
namespace {

// The format allows 100 MB; a model that fits a Scratch project needs well under one.
constexpr std::uint64_t kMaxHeader = 16u << 20;
constexpr std::size_t kMaxRank = 8;

/// One entry of the header, with the file and the tensor in front of every error.
class Entry {
 public:
  Entry(const std::string& file, const std::string& name, const Json& json)
      : file_(file), name_(name), json_(json) {
    if (!json.is_object()) fail("its header entry is not an object");
    for (const auto& [key, value] : json.items()) {
      if (key != "dtype" && key != "shape" && key != "data_offsets") {
        fail("unknown header field '{}'", key);
      }
    }
  }

  StoredTensor read(std::uint64_t data_start, Bytes data) const {
    StoredTensor tensor{.name = name_, .type = type(), .shape = shape(), .bytes = {}, .offset = 0};
    const auto [from, to] = offsets();
    if (from > to) fail("data_offsets [{}, {}] run backwards", from, to);
    if (to > data.size()) {
      fail("data_offsets [{}, {}] end past the {} bytes of data", from, to, data.size());
    }
    const std::uint64_t needed = size_of(tensor);
    if (to - from != needed) {
      fail("data_offsets [{}, {}] hold {} bytes, {} of this shape takes {}", from, to, to - from,
           tensor.type, needed);
    }
    tensor.offset = data_start + from;
    tensor.bytes = data.subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(needed));
    return tensor;
  }

 private:
  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    sb3lm::fail(Fault::bad_input, "{}: tensor '{}': {}", file_, name_,
                fmt::format(format, std::forward<Args>(args)...));
  }

  const Json& field(const char* key) const {
    const auto found = json_.find(key);
    if (found == json_.end()) fail("header field '{}' is missing", key);
    return *found;
  }

  std::string type() const {
    const Json& json = field("dtype");
    if (!json.is_string()) fail("dtype is not a string");
    const auto text = json.get<std::string>();
    if (type_bytes(text) == 0) fail("unknown dtype '{}'", text);
    return text;
  }

  std::uint64_t count(const Json& json, const char* what) const {
    const auto count = json_as<std::uint64_t>(json);
    if (!count) fail("{} holds something other than a count", what);
    return *count;
  }

  std::vector<std::int64_t> shape() const {
    const Json& json = field("shape");
    if (!json.is_array() || json.size() > kMaxRank) {
      fail("shape is not a list of at most {} extents", kMaxRank);
    }
    std::vector<std::int64_t> extents;
    for (const Json& extent : json) {
      const std::uint64_t value = count(extent, "shape");
      if (value > (1ull << 40)) fail("extent {} is too large", value);
      extents.push_back(static_cast<std::int64_t>(value));
    }
    return extents;
  }

  std::pair<std::uint64_t, std::uint64_t> offsets() const {
    const Json& json = field("data_offsets");
    if (!json.is_array() || json.size() != 2) fail("data_offsets is not a pair");
    return {count(json[0], "data_offsets"), count(json[1], "data_offsets")};
  }

  std::uint64_t size_of(const StoredTensor& tensor) const {
    std::uint64_t size = type_bytes(tensor.type);
    for (const std::int64_t extent : tensor.shape) {
      if (__builtin_mul_overflow(size, static_cast<std::uint64_t>(extent), &size)) {
        fail("its shape multiplies to more than 64 bits");
      }
    }
    return size;
  }

  const std::string& file_;
  const std::string& name_;
  const Json& json_;
};

std::map<std::string, std::string> read_metadata(const std::string& file, const Json& json) {
  if (!json.is_object()) fail(Fault::bad_input, "{}: __metadata__ is not an object", file);
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) {
      fail(Fault::bad_input, "{}: __metadata__ '{}' is not a string", file, key);
    }
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

void check_cover(const Container& result, std::uint64_t data_start, std::uint64_t data_size) {
  std::uint64_t covered = data_start;
  for (const StoredTensor& tensor : result.tensors) {
    if (tensor.offset < covered) {
      fail(Fault::bad_input, "{}: tensor '{}': its bytes from {} overlap the tensor before it",
           result.file, tensor.name, tensor.offset);
    }
    if (tensor.offset > covered) {
      fail(Fault::bad_input, "{}: tensor '{}': {} unused bytes lie in front of it at byte {}",
           result.file, tensor.name, tensor.offset - covered, covered);
    }
    covered += tensor.bytes.size();
  }
  if (covered != data_start + data_size) {
    fail(Fault::bad_input, "{}: byte {}: {} bytes after the last tensor belong to none",
         result.file, covered, data_start + data_size - covered);
  }
}

}  // namespace

bool looks_like_safetensors(Bytes bytes) {
  if (bytes.size() < 10 || bytes[8] != '{') return false;
  // In a llama2.c header byte 8 is the layer count and the upper half of the length a hidden width.
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  return length >= 2 && (length >> 32 == 0 || bytes[9] == '"' || bytes[9] == '}');
}

Container parse_safetensors(const std::string& file, Bytes bytes) {
  Reader in(file, bytes);
  in.reading("header length");
  const std::uint64_t length = in.u64();
  if (length > kMaxHeader) in.fail("{} is more than {} bytes", length, kMaxHeader);
  in.reading("header");
  const Json header = parse_json(file, as_text(in.take(length)));
  if (!header.is_object()) fail(Fault::bad_input, "{}: the header is not a JSON object", file);
  const std::uint64_t data_start = in.offset();
  const Bytes data = in.take(in.remaining());

  Container result{.file = file, .format = "safetensors", .tensors = {}, .metadata = {}};
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__") {
      result.metadata = read_metadata(file, value);
    } else {
      result.tensors.push_back(Entry(file, name, value).read(data_start, data));
    }
  }
  std::stable_sort(result.tensors.begin(), result.tensors.end(),
                   [](const StoredTensor& a, const StoredTensor& b) {
                     return a.offset != b.offset ? a.offset < b.offset
                                                 : a.bytes.size() < b.bytes.size();
                   });
  check_cover(result, data_start, data.size());
  return result;
}

Container read_safetensors(const CheckpointFiles& files) {
  Container container = parse_safetensors(files.checkpoint.file, files.checkpoint.bytes);
  container.spec = spec_in(container.file, container.metadata);
  return container;
}

std::string write_safetensors(const std::vector<TensorToWrite>& tensors,
                              const std::map<std::string, std::string>& metadata) {
  std::vector<const TensorToWrite*> order;
  order.reserve(tensors.size());
  for (const TensorToWrite& tensor : tensors) order.push_back(&tensor);
  std::stable_sort(order.begin(), order.end(), [](const TensorToWrite* a, const TensorToWrite* b) {
    return type_bytes(a->type) > type_bytes(b->type);
  });
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t offset = 0;
  for (const TensorToWrite* tensor : order) {
    header[tensor->name] = {{"dtype", tensor->type},
                            {"shape", tensor->shape},
                            {"data_offsets", {offset, offset + tensor->bytes.size()}}};
    offset += tensor->bytes.size();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the data starts aligned
  const std::uint64_t length = text.size();
  std::string out(sizeof(length), '\0');
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(out.data(), &length, sizeof(length));
  out.reserve(out.size() + text.size() + offset);
  out += text;
  for (const TensorToWrite* tensor : order) out += tensor->bytes;
  return out;
}

}  // namespace sb3lm
