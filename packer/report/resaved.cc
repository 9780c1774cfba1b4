#include "report/resaved.h"

#include <zlib.h>

#include <array>
#include <new>
#include <string_view>

#include "base/error.h"

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

}  // namespace

std::size_t resaved_bytes(const std::map<std::string, std::string>& files) {
  std::size_t size = kDirectoryEnd;
  for (const auto& [name, bytes] : files) {
    size += kLocalHeader + kDirectoryEntry + 2 * name.size() + deflated_size(bytes);
  }
  return size;
}

}  // namespace sb3lm
