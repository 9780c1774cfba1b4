#include "import/token_shard.h"

#include <algorithm>
#include <array>

#include "base/reader.h"

namespace sb3lm {
namespace {

constexpr std::int32_t kMagic = 20240520, kVersion = 1;
constexpr std::array<std::uint8_t, 4> kFirstBytes{0x88, 0xd8, 0x34, 0x01};
constexpr std::size_t kHeaderBytes = 1024;

}  // namespace

bool is_token_shard(Bytes bytes) {
  return bytes.size() >= kFirstBytes.size() &&
         std::equal(kFirstBytes.begin(), kFirstBytes.end(), bytes.begin());
}

std::vector<int> read_token_shard(const std::string& file, Bytes bytes) {
  Reader in(file, bytes);
  in.reading("header of a token shard");
  const std::int32_t magic = in.i32(), version = in.i32(), count = in.i32();
  if (magic != kMagic) in.fail("it begins with {} and not {}", magic, kMagic);
  if (version != kVersion) in.fail("version {} is not supported, only {}", version, kVersion);
  in.seek(kHeaderBytes);
  in.reading("ids of a token shard");
  if (count < 0 || in.remaining() != static_cast<std::size_t>(count) * 2) {
    in.fail("{} ids of 2 bytes do not fit {} bytes", count, in.remaining());
  }
  std::vector<int> ids;
  ids.reserve(static_cast<std::size_t>(count));
  for (std::int32_t i = 0; i < count; ++i) ids.push_back(in.u16());
  return ids;
}

}  // namespace sb3lm
