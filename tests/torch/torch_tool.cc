// For tests that have PyTorch itself on the other side.
//   torch_tool read FILE                        its tensors and configuration as JSON, bytes in hex
//   torch_tool write LAYOUT COMPRESSION FILE    a small file in one of our writer's forms
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "import/formats.h"
#include "synth/torch_out.h"

using namespace sb3lm;
using Json = nlohmann::ordered_json;

namespace {

std::string hex(Bytes bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

int read(const char* path) {
  const MappedFile file(path);
  const Container container = read_torch({.checkpoint = {path, file.bytes()}});
  Json json = {{"config", nullptr}, {"tensors", Json::object()}};
  if (container.config) json["config"] = Json::parse(*container.config);
  for (const StoredTensor& tensor : container.tensors) {
    json["tensors"][tensor.name] = {{"type", tensor.type},
                                    {"shape", tensor.shape},
                                    {"bytes", hex(tensor.bytes)},
                                    {"row_scales", hex(tensor.row_scales)}};
  }
  std::cout << json.dump(1) << "\n";
  return 0;
}

int write(std::string_view layout, std::string_view compression, const char* path) {
  const std::vector<TorchTensor> floats = {
      {"embed.weight", "BF16", {2, 3}, std::string("\x80\x3f\0\x40\x40\x40\x80\xbf\0\xc0\0\0", 12)},
      {"one", "F16", {}, std::string("\0\x3c", 2)},
      {"norm", "F32", {2}, std::string("\0\0\x80\x3f\0\0\0\x40", 8)}};
  const TorchTensor codes = {"q", "I8", {2, 2}, "\x01\xff\x02\xfe", std::string("\0\x3c\0\x38", 4)};
  std::vector<TorchTensor> tensors = floats;
  TorchForm form;
  if (layout == "model") {
    form.config = R"({"dim": 3, "cap": 30.0, "names": ["a", null, true], "big": 8589934592})";
    tensors.push_back(
        {.name = "head.weight", .type = "BF16", .shape = {2, 3}, .shares = "embed.weight"});
  }
  if (layout == "records" || layout == "clean") tensors.push_back(codes);
  form.layout = layout == "state"     ? TorchLayout::state
                : layout == "model"   ? TorchLayout::model
                : layout == "records" ? TorchLayout::records
                                      : TorchLayout::clean;
  form.compression = compression == "none"   ? Compression::none
                     : compression == "zlib" ? Compression::zlib
                     : compression == "zstd" ? Compression::zstd
                                             : Compression::xz;
  std::ofstream(path, std::ios::binary) << write_torch(tensors, form);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    const std::string_view command = count > 1 ? arguments[1] : "";
    if (command == "read" && count == 3) return read(arguments[2]);
    if (command == "write" && count == 5) return write(arguments[2], arguments[3], arguments[4]);
    std::cerr << "usage: torch_tool read FILE | write LAYOUT COMPRESSION FILE\n";
    return 2;
  } catch (const Error& error) {
    std::cerr << error.what() << "\n";
    return static_cast<int>(error.fault);
  }
}
