#include "synth/torch_zip.h"

#include <zlib.h>

#include "base/error.h"

namespace sb3lm {
namespace {

template <int kBytes>
std::string number(std::size_t value) {
  std::string bytes;
  for (int i = 0; i < kBytes; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

/// What both kinds of header say, from the version on to the length of the name.
std::string header(const std::string& path, std::string_view bytes) {
  constexpr std::size_t kFirstDay = 0x21;  // of 1980
  const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  return number<2>(0) + number<2>(0) + number<2>(0) + number<2>(0) + number<2>(kFirstDay) +
         number<4>(crc) + number<4>(bytes.size()) + number<4>(bytes.size()) +
         number<2>(path.size());
}

/// An extra field that fills the local header up.
std::string padding(std::size_t header_end) {
  constexpr std::size_t kField = 4, kAlign = 64;
  const std::size_t size = (kAlign - (header_end + kField) % kAlign) % kAlign;
  return "FB" + number<2>(size) + std::string(size, 'Z');
}

}  // namespace

std::string zip_records(const std::string& folder, const std::vector<TorchRecord>& records) {
  std::string out, directory;
  for (const TorchRecord& record : records) {
    constexpr std::size_t kHeader = 30;
    const std::string path = folder + "/" + record.name;
    const std::string fields = header(path, record.bytes);
    const std::string extra = padding(out.size() + kHeader + path.size());
    directory +=
        "PK\1\2" + number<2>(0) + fields + std::string(12, '\0') + number<4>(out.size()) + path;
    out += "PK\3\4" + fields + number<2>(extra.size()) + path + extra;
    out += record.bytes;
    check(out.size() < 0xffff0000u, "a torch file of more than 4 GiB");
  }
  const std::size_t at = out.size();
  return out + directory + "PK\5\6" + number<4>(0) + number<2>(records.size()) +
         number<2>(records.size()) + number<4>(directory.size()) + number<4>(at) + number<2>(0);
}

}  // namespace sb3lm
