#include "report/resaved.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <new>
#include <string_view>

#include "base/error.h"
#include "base/half.h"
#include "base/number_text.h"
#include "model/project_names.h"

namespace sb3lm {
namespace {

constexpr int kLevel = 6;
constexpr int kMemory = 8;               // zlib's default
constexpr int kRawDeflate = -MAX_WBITS;  // no header: the zip has its own
constexpr std::size_t kLocalHeader = 30, kDirectoryEntry = 46, kDirectoryEnd = 22;

std::size_t deflated_size(std::string_view bytes) {
  z_stream stream{};
  const int started =
      deflateInit2(&stream, kLevel, Z_DEFLATED, kRawDeflate, kMemory, Z_DEFAULT_STRATEGY);
  if (started == Z_MEM_ERROR) throw std::bad_alloc();
  check(started == Z_OK, "zlib does not start");
  std::array<unsigned char, 1 << 16> out{};
  constexpr std::size_t kStep = 1u << 30;  // zlib counts in 32 bits
  std::size_t size = 0;
  int status = Z_OK;
  for (std::size_t at = 0; status != Z_STREAM_END;) {
    const std::string_view part = bytes.substr(at, kStep);
    at += part.size();
    stream.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(part.data()));
    stream.avail_in = static_cast<unsigned>(part.size());
    do {
      stream.next_out = out.data();
      stream.avail_out = out.size();
      status = deflate(&stream, at == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
      size += out.size() - stream.avail_out;
    } while (stream.avail_out == 0);
  }
  deflateEnd(&stream);
  return size;
}

// Numbers as an editor writes them.
void add_number(std::string& text, double number) {
  text += js_number_text(number);
  text += ',';
}

// What the indices of a matrix take, from some of its rows.
double index_bytes(const CodedTensor& tensor) {
  constexpr int kRows = 64, kGroup = 8, kSums = 256;
  const int step = std::max(1, tensor.shape.rows / kRows);
  std::string text;
  int sampled = 0;
  for (int row = 0; row < tensor.shape.rows; row += step, ++sampled) {
    const std::uint8_t* codes = tensor.codes.data() + std::size_t(row) * tensor.shape.cols;
    for (int plane = tensor.format.bits - 1; plane >= 0; --plane) {
      for (int first = 0; first < tensor.shape.cols; first += kGroup) {
        int byte = 0;
        for (int col = first; col < std::min(first + kGroup, tensor.shape.cols); ++col) {
          byte |= (codes[col] >> plane & 1) << (col - first);
        }
        add_number(text, byte + kSums * (first / kGroup) + 1);
      }
    }
  }
  return static_cast<double>(deflated_size(text)) * tensor.shape.rows / sampled;
}

double scale_bytes(const std::vector<std::uint16_t>& scales) {
  std::string text;
  for (const std::uint16_t scale : scales) add_number(text, half_to_double(scale));
  return static_cast<double>(deflated_size(text));
}

// One of the numbers that a forward pass leaves behind, which have all their digits.
double activation_bytes() {
  constexpr int kCount = 4096;
  constexpr double kFactor = 16807, kModulus = 2147483647;
  std::string text;
  double state = 1;
  for (int i = 0; i < kCount; ++i) {
    state = std::fmod(state * kFactor, kModulus);
    add_number(text, state / kModulus - 0.5);
  }
  return static_cast<double>(deflated_size(text)) / kCount;
}

double items_of(const scratch::Program& program, std::string_view name) {
  for (const scratch::Target& target : program.targets) {
    for (const scratch::List& list : target.lists) {
      if (list.name == name) return static_cast<double>(list.size());
    }
  }
  return 0;
}

}  // namespace

std::optional<UsedSize> used_bytes(std::size_t resaved, const scratch::Program& program,
                                   const Unpacked& unpacked) {
  if (unpacked.kernel != Kernel::tables) return std::nullopt;
  constexpr double kSumsOfAColumn = 256.0 / 8;
  double filled = 0;
  int widest = 0;
  for (const auto& [key, tensor] : unpacked.model.tensors) {
    if (const auto* coded = std::get_if<CodedTensor>(&tensor)) {
      filled += index_bytes(*coded) + scale_bytes(coded->row_scale);
      widest = std::max(widest, coded->shape.cols);
    }
  }
  const double numbers = items_of(program, names::kAct) + kSumsOfAColumn * widest;
  const double caches = items_of(program, names::kKeys) + items_of(program, names::kValues);
  const double each = activation_bytes();
  const double least = static_cast<double>(resaved) + filled + numbers * each;
  return UsedSize{static_cast<std::size_t>(least), static_cast<std::size_t>(least + caches * each)};
}

std::size_t resaved_bytes(const std::map<std::string, std::string>& files) {
  std::size_t size = kDirectoryEnd;
  for (const auto& [name, bytes] : files) {
    size += kLocalHeader + kDirectoryEntry + 2 * name.size() + deflated_size(bytes);
  }
  return size;
}

}  // namespace sb3lm
