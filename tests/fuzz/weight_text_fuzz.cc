// Any text as weights, in every encoding and width: codes that fit their width, or an Error.
// Bytes: encoding, bits (the top bit: a sound codebook with one letter changed), rows, columns,
// then the codebook's letters and the streams'.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "quant/encoding.h"

namespace {

using namespace sb3lm;

constexpr std::size_t kHeader = 4;

// One for tensors that hold every code.
const std::string& sound_codebook(const CodeEncoding& encoding, int bits) {
  static std::map<std::pair<std::string_view, int>, std::string> known;
  const auto [found, fresh] = known.try_emplace({encoding.name, bits});
  if (fresh) {
    CodedTensor tensor{.shape = {1 << bits, 8}, .format = CodeFormat::of_bits(bits)};
    for (int i = 0; i < 8 << bits; ++i) tensor.codes.push_back(static_cast<std::uint8_t>(i / 8));
    const std::vector<const CodedTensor*> all = {&tensor};
    found->second = encoding.codebook(bits, all);
  }
  return found->second;
}

std::string take(std::string_view& text, std::size_t count) {
  const std::string_view taken = text.substr(0, count);
  text.remove_prefix(taken.size());
  return std::string(taken);
}

void unpack_codes(const std::uint8_t* data, std::string_view text) {
  const auto encodings = code_encodings();
  const CodeEncoding& encoding = encodings[data[0] % encodings.size()];
  const int bits = 1 + data[1] % 8;
  CodedTensor tensor{.shape = {1 + data[2] % 16, 1 + data[3] % 64},
                     .format = CodeFormat::of_bits(bits)};
  const auto letters = static_cast<std::size_t>(encoding.codebook_letters(bits));
  std::string codebook;
  if ((data[1] & 0x80) != 0 && letters > 0 && text.size() >= 3) {
    codebook = sound_codebook(encoding, bits);
    const std::string change = take(text, 3);
    const auto place =
        static_cast<std::uint8_t>(change[0]) * 256u + static_cast<std::uint8_t>(change[1]);
    codebook[place % codebook.size()] = change[2];
  } else {
    codebook = take(text, letters);
  }
  std::vector<std::string_view> streams;
  const auto count = static_cast<std::size_t>(encoding.streams(bits));
  for (std::size_t i = 0; i < count; ++i) {
    streams.push_back(text.substr(i * text.size() / count, text.size() / count));
  }
  encoding.unpack(streams, codebook, tensor);
  check(tensor.codes.size() == static_cast<std::size_t>(tensor.shape.rows * tensor.shape.cols),
        "a wrong number of codes");
  check(std::all_of(tensor.codes.begin(), tensor.codes.end(),
                    [&](std::uint8_t code) { return code >> bits == 0; }),
        "a code that does not fit its width");
}

void unpack_numbers(const std::uint8_t* data, std::string_view text) {
  std::vector<std::string_view> streams;
  for (std::size_t i = 0; i < kHalfStreams; ++i) {
    streams.push_back(text.substr(i * text.size() / kHalfStreams, text.size() / kHalfStreams));
  }
  const int base = static_cast<std::int16_t>(data[2] * 256u + data[3]);
  for (const std::uint16_t half : unpack_halves(streams, base, text.size() / kHalfStreams)) {
    check(half >= base, "a number below the base");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < kHeader) return 0;
  const std::string_view text = as_text({data + kHeader, size - kHeader});
  try {
    data[0] == 255 ? unpack_numbers(data, text) : unpack_codes(data, text);
  } catch (const Error& problem) {
    check(problem.fault != Fault::bug, problem.what());
  }
  return 0;
}
