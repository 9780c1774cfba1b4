// Format: PKWARE's APPNOTE.TXT. Local headers carry the sizes, so there are no data descriptors.
#include "sb3/zip.h"

#include <libdeflate.h>

#include <cstdint>
#include <limits>

#include "base/error.h"
#include "sb3/deflate.h"

namespace sb3lm {
namespace {

constexpr std::uint32_t kLocalSignature = 0x04034b50, kCentralSignature = 0x02014b50,
                        kEndSignature = 0x06054b50;
constexpr std::uint16_t kVersion = 20, kUtf8Flag = 0x0800, kStore = 0, kDeflate = 8;
constexpr std::uint16_t kDate = (1980 - 1980) << 9 | 1 << 5 | 1;  // 1 January 1980, 00:00

void put16(std::string& out, std::uint32_t value) {
  out += static_cast<char>(value & 255);
  out += static_cast<char>(value >> 8 & 255);
}

void put32(std::string& out, std::uint32_t value) {
  put16(out, value & 0xffff);
  put16(out, value >> 16);
}

std::uint32_t fits32(std::size_t value, const std::string& name) {
  if (value >= std::numeric_limits<std::uint32_t>::max()) {
    fail(Fault::unsupported, "{}: an archive over 4 GiB would need zip64", name);
  }
  return static_cast<std::uint32_t>(value);
}

struct Packed {
  std::uint16_t method = kStore;
  std::uint32_t crc = 0, packed_size = 0, size = 0, offset = 0;
};

Packed append_entry(std::string& out, const ZipEntry& entry, int level) {
  Packed packed;
  const std::string deflated = deflate(entry.bytes, level);
  packed.method = deflated.empty() ? kStore : kDeflate;
  const std::string_view body = deflated.empty() ? entry.bytes : std::string_view(deflated);
  packed.crc = libdeflate_crc32(0, entry.bytes.data(), entry.bytes.size());
  packed.packed_size = fits32(body.size(), entry.name);
  packed.size = fits32(entry.bytes.size(), entry.name);
  packed.offset = fits32(out.size(), entry.name);
  put32(out, kLocalSignature);
  put16(out, kVersion), put16(out, kUtf8Flag), put16(out, packed.method);
  put16(out, 0), put16(out, kDate);
  put32(out, packed.crc), put32(out, packed.packed_size), put32(out, packed.size);
  put16(out, static_cast<std::uint32_t>(entry.name.size())), put16(out, 0);
  out += entry.name;
  out += body;
  return packed;
}

void append_directory_entry(std::string& out, const ZipEntry& entry, const Packed& packed) {
  put32(out, kCentralSignature);
  put16(out, kVersion), put16(out, kVersion), put16(out, kUtf8Flag), put16(out, packed.method);
  put16(out, 0), put16(out, kDate);
  put32(out, packed.crc), put32(out, packed.packed_size), put32(out, packed.size);
  put16(out, static_cast<std::uint32_t>(entry.name.size()));
  put16(out, 0), put16(out, 0), put16(out, 0), put16(out, 0), put32(out, 0);
  put32(out, packed.offset);
  out += entry.name;
}

}  // namespace

std::string write_zip(const std::vector<ZipEntry>& entries, int level, Progress& progress) {
  check(level >= 1 && level <= 12, "compression level outside 1..12");
  check(entries.size() < 0xffff, "too many files for an archive");
  std::string out;
  std::vector<Packed> packed;
  for (const ZipEntry& entry : entries) {
    progress.report("compressing " + entry.name, -1);
    packed.push_back(append_entry(out, entry, level));
  }
  const std::size_t directory = out.size();
  for (std::size_t i = 0; i < entries.size(); ++i)
    append_directory_entry(out, entries[i], packed[i]);
  const std::size_t directory_size = out.size() - directory;
  put32(out, kEndSignature);
  put16(out, 0), put16(out, 0);
  put16(out, static_cast<std::uint32_t>(entries.size()));
  put16(out, static_cast<std::uint32_t>(entries.size()));
  put32(out, static_cast<std::uint32_t>(directory_size)), put32(out, fits32(directory, "archive"));
  put16(out, 0);
  return out;
}

}  // namespace sb3lm
