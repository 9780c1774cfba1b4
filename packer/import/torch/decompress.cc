#include "import/torch/decompress.h"

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>

#include "base/error.h"

namespace sb3lm {
namespace {

// Weights shrink to a twentieth at most, but small files of zeros must pass too.
constexpr std::uint64_t kMaxRatio = 32, kAlwaysAllowed = std::uint64_t{64} << 20,
                        kMaxSize = std::uint64_t{2} << 30;
constexpr std::size_t kChunk = std::size_t{1} << 20;
constexpr std::uint64_t kXzMemory = std::uint64_t{160} << 20;  // xz -9 takes 65 MiB
constexpr int kZstdWindow = 27;                                // 128 MiB, zstd's --ultra -22

/// What a decompressor has read and written so far, over the whole file.
struct Stretch {
  Bytes in;  // what is left
  std::uint8_t* out;
  std::size_t room;
};
enum class Step { more, end, broken };

class Zlib {
 public:
  Zlib() {
    constexpr int kZlibOrGzip = 15 + 32;
    if (inflateInit2(&stream_, kZlibOrGzip) != Z_OK) throw std::bad_alloc();
  }
  ~Zlib() { inflateEnd(&stream_); }
  Zlib(const Zlib&) = delete;
  Zlib& operator=(const Zlib&) = delete;

  Step step(Stretch& stretch) {
    stream_.next_in = const_cast<std::uint8_t*>(stretch.in.data());
    stream_.avail_in = static_cast<uInt>(std::min(stretch.in.size(), kChunk));
    stream_.next_out = stretch.out;
    stream_.avail_out = static_cast<uInt>(stretch.room);
    const int result = inflate(&stream_, Z_NO_FLUSH);
    stretch.in = stretch.in.subspan(static_cast<std::size_t>(stream_.next_in - stretch.in.data()));
    stretch.room = stream_.avail_out;
    if (result == Z_STREAM_END) return Step::end;
    return result == Z_OK || result == Z_BUF_ERROR ? Step::more : Step::broken;
  }

 private:
  z_stream stream_{};
};

class Zstd {
 public:
  Zstd() : stream_(ZSTD_createDStream()) {
    if (stream_ == nullptr) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kZstdWindow);
  }

  Step step(Stretch& stretch) {
    ZSTD_inBuffer in{stretch.in.data(), std::min(stretch.in.size(), kChunk), 0};
    ZSTD_outBuffer out{stretch.out, stretch.room, 0};
    const std::size_t result = ZSTD_decompressStream(stream_.get(), &out, &in);
    stretch.in = stretch.in.subspan(in.pos);
    stretch.room -= out.pos;
    if (ZSTD_isError(result) != 0) return Step::broken;
    return result == 0 ? Step::end : Step::more;
  }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
  };
  std::unique_ptr<ZSTD_DStream, Free> stream_;
};

class Xz {
 public:
  Xz() {
    if (lzma_stream_decoder(&stream_, kXzMemory, 0) != LZMA_OK) throw std::bad_alloc();
  }
  ~Xz() { lzma_end(&stream_); }
  Xz(const Xz&) = delete;
  Xz& operator=(const Xz&) = delete;

  Step step(Stretch& stretch) {
    stream_.next_in = stretch.in.data();
    stream_.avail_in = std::min(stretch.in.size(), kChunk);
    stream_.next_out = stretch.out;
    stream_.avail_out = stretch.room;
    const lzma_ret result = lzma_code(&stream_, LZMA_RUN);
    stretch.in = stretch.in.subspan(static_cast<std::size_t>(stream_.next_in - stretch.in.data()));
    stretch.room = stream_.avail_out;
    if (result == LZMA_STREAM_END) return Step::end;
    return result == LZMA_OK || result == LZMA_BUF_ERROR ? Step::more : Step::broken;
  }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
};

template <class Decompressor>
std::string unpack(const NamedBytes& file, std::string_view name) {
  const auto refuse = [&](const auto& what) {
    fail(Fault::bad_input, "{}: compressed with {}: {}", file.file, name, what);
  };
  Decompressor decompressor;
  std::string out;
  std::array<std::uint8_t, kChunk / 4> chunk;
  Stretch stretch{.in = file.bytes, .out = chunk.data(), .room = 0};
  for (Step step = Step::more; step != Step::end;) {
    const std::size_t left = stretch.in.size();
    stretch.room = chunk.size();
    step = decompressor.step(stretch);
    const std::size_t made = chunk.size() - stretch.room;
    out.append(reinterpret_cast<const char*>(chunk.data()), made);
    const std::uint64_t consumed = file.bytes.size() - stretch.in.size();
    if (step == Step::broken) refuse(fmt::format("broken at byte {}", consumed));
    if (step == Step::more && made == 0 && stretch.in.size() == left) refuse("cut off");
    if (out.size() > kMaxSize || out.size() > kAlwaysAllowed + kMaxRatio * consumed) {
      refuse(fmt::format("its first {} bytes unpack to more than {}; weights do not", consumed,
                         out.size() - 1));
    }
  }
  if (!stretch.in.empty()) {
    refuse(fmt::format("{} bytes lie behind what is compressed", stretch.in.size()));
  }
  return out;
}

struct Method {
  std::string_view magic, name;
  std::string (*unpack)(const NamedBytes&, std::string_view);
};
using namespace std::string_view_literals;
constexpr std::array<Method, 7> kMethods{{
    {"\x28\xb5\x2f\xfd"sv, "zstd", unpack<Zstd>},
    {"\xfd\x37zXZ\0"sv, "xz", unpack<Xz>},
    {"\x1f\x8b\x08"sv, "gzip", unpack<Zlib>},
    {"\x78\x01"sv, "zlib", unpack<Zlib>},
    {"\x78\x5e"sv, "zlib", unpack<Zlib>},
    {"\x78\x9c"sv, "zlib", unpack<Zlib>},
    {"\x78\xda"sv, "zlib", unpack<Zlib>},
}};

const Method* method_of(Bytes bytes) {
  const auto* found = std::ranges::find_if(
      kMethods, [&](const Method& row) { return as_text(bytes).starts_with(row.magic); });
  return found == kMethods.end() ? nullptr : &*found;
}

}  // namespace

bool is_compressed(Bytes bytes) {
  return method_of(bytes) != nullptr;
}

std::string decompress(const NamedBytes& file) {
  const Method* method = method_of(file.bytes);
  check(method != nullptr, "a file that is not compressed");
  return method->unpack(file, method->name);
}

}  // namespace sb3lm
