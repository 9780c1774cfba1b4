#include "synth/compress.h"

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "base/error.h"
#include "base/file.h"

namespace sb3lm {
namespace {

// Quick ones, for random weights hardly shrink.
constexpr int kZlibLevel = 6, kZstdLevel = 9;
constexpr std::uint32_t kXzPreset = 1;

std::string compress_zlib(Bytes bytes) {
  uLongf size = compressBound(bytes.size());
  std::string out(size, '\0');
  const int result = compress2(reinterpret_cast<Bytef*>(out.data()), &size, bytes.data(),
                               bytes.size(), kZlibLevel);
  check(result == Z_OK, "zlib");
  out.resize(size);
  return out;
}

std::string compress_zstd(Bytes bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size =
      ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), kZstdLevel);
  check(ZSTD_isError(size) == 0, "zstd");
  out.resize(size);
  return out;
}

std::string compress_xz(Bytes bytes) {
  std::string out(lzma_stream_buffer_bound(bytes.size()), '\0');
  std::size_t size = 0;
  const lzma_ret result =
      lzma_easy_buffer_encode(kXzPreset, LZMA_CHECK_CRC64, nullptr, bytes.data(), bytes.size(),
                              reinterpret_cast<std::uint8_t*>(out.data()), &size, out.size());
  check(result == LZMA_OK, "xz");
  out.resize(size);
  return out;
}

}  // namespace

std::string compress(std::string_view bytes, Compression how) {
  switch (how) {
    case Compression::zlib:
      return compress_zlib(as_bytes(bytes));
    case Compression::zstd:
      return compress_zstd(as_bytes(bytes));
    case Compression::xz:
      return compress_xz(as_bytes(bytes));
    case Compression::none:
      break;
  }
  return std::string(bytes);
}

}  // namespace sb3lm
