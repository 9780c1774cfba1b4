// Reads the central directory and never trusts a size: everything is checked against the file
// before it is allocated or copied.
#include <libdeflate.h>

#include <memory>
#include <new>

#include "base/error.h"
#include "base/reader.h"
#include "sb3/zip.h"

namespace sb3lm {
namespace {

constexpr std::uint32_t kLocalSignature = 0x04034b50, kCentralSignature = 0x02014b50,
                        kEndSignature = 0x06054b50;
constexpr std::uint16_t kEncryptedFlag = 1;
constexpr std::uint32_t kZip64 = 0xffffffff;
constexpr std::size_t kEndSize = 22, kMaxComment = 0xffff;
constexpr std::uint64_t kMaxTotal = std::uint64_t{512} << 20;
// Deflate cannot shrink more than this (258 bytes in two bits, about 1032 to 1).
constexpr std::uint64_t kMaxRatio = 1040;

using Decompressor =
    std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)>;

struct Entry {
  std::string name;
  std::uint16_t flags, method;
  std::uint32_t crc, packed_size, size, offset;
};

// The end record stands last, behind a comment that is empty in practice.
std::size_t find_end(Reader& in, Bytes bytes) {
  in.reading("end of the zip's directory");
  if (bytes.size() < kEndSize) in.fail("the file is too short to be a zip");
  const std::size_t last = bytes.size() - kEndSize;
  const std::size_t first = last > kMaxComment ? last - kMaxComment : 0;
  for (std::size_t at = last + 1; at-- > first;) {
    std::uint32_t signature;
    std::memcpy(&signature, bytes.data() + at, sizeof signature);
    if (signature == kEndSignature) return at;
  }
  in.fail("not found: this is not a zip, or it is cut off");
}

Entry read_entry(Reader& in) {
  if (in.u32() != kCentralSignature) in.fail("a directory entry without its signature");
  in.take(4);
  Entry entry;
  entry.flags = in.u16();
  entry.method = in.u16();
  in.take(4);
  entry.crc = in.u32();
  entry.packed_size = in.u32();
  entry.size = in.u32();
  const std::uint16_t name_size = in.u16(), extra_size = in.u16(), comment_size = in.u16();
  in.take(8);
  entry.offset = in.u32();
  entry.name = std::string(as_text(in.take(name_size)));
  in.take(extra_size);
  in.take(comment_size);
  return entry;
}

void check_supported(const std::string& file, const Entry& entry) {
  const auto refuse = [&](const char* what) {
    fail(Fault::unsupported, "{}: entry '{}': {}", file, entry.name, what);
  };
  if ((entry.flags & kEncryptedFlag) != 0) refuse("encrypted entries cannot be read");
  if (entry.method != 0 && entry.method != 8) refuse("compressed with something else than deflate");
  if (entry.size == kZip64 || entry.packed_size == kZip64 || entry.offset == kZip64) {
    refuse("zip64 entries cannot be read");
  }
}

std::vector<Entry> read_directory(const std::string& file, Reader& in, Bytes bytes) {
  in.seek(find_end(in, bytes) + 4);
  const std::uint16_t disk = in.u16(), directory_disk = in.u16();
  if (disk != 0 || directory_disk != 0) in.fail("the archive is in several parts");
  in.take(2);
  const std::uint16_t count = in.u16();
  in.take(4);
  const std::uint32_t offset = in.u32();
  in.reading("zip directory");
  in.seek(offset);
  std::vector<Entry> entries;
  std::uint64_t total = 0;
  for (int i = 0; i < count; ++i) {
    entries.push_back(read_entry(in));
    check_supported(file, entries.back());
    total += entries.back().size;
    if (total > kMaxTotal) in.fail("the files unpack to more than {} bytes", kMaxTotal);
  }
  return entries;
}

Bytes packed_bytes(Reader& in, const Entry& entry) {
  in.reading("zip entry '" + entry.name + "'");
  in.seek(entry.offset);
  if (in.u32() != kLocalSignature) in.fail("no local header here");
  in.take(22);  // the directory's values are used
  const std::uint16_t name_size = in.u16(), extra_size = in.u16();
  in.take(name_size);
  in.take(extra_size);
  const Bytes body = in.take(entry.packed_size);
  if (entry.method == 0 && entry.size != entry.packed_size) {
    in.fail("stored with two different sizes");
  }
  return body;
}

std::string unpack(Reader& in, const Entry& entry, libdeflate_decompressor* decompressor) {
  const Bytes body = packed_bytes(in, entry);
  if (entry.method == 0) return std::string(as_text(body));
  if (entry.size / kMaxRatio > entry.packed_size) in.fail("claims more than deflate can hold");
  std::string out(entry.size, '\0');
  std::size_t got = 0;
  const auto result = libdeflate_deflate_decompress(decompressor, body.data(), body.size(),
                                                    out.data(), out.size(), &got);
  if (result != LIBDEFLATE_SUCCESS || got != out.size()) in.fail("broken compressed data");
  return out;
}

}  // namespace

std::map<std::string, std::string> read_zip(const std::string& file, Bytes bytes) {
  Reader in(file, bytes);
  const Decompressor decompressor(libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  if (decompressor == nullptr) throw std::bad_alloc();
  std::map<std::string, std::string> files;
  for (const Entry& entry : read_directory(file, in, bytes)) {
    std::string contents = unpack(in, entry, decompressor.get());
    const std::uint32_t crc = libdeflate_crc32(0, contents.data(), contents.size());
    if (crc != entry.crc) in.fail("its checksum is wrong");
    if (!files.emplace(entry.name, std::move(contents)).second) in.fail("the name occurs twice");
  }
  return files;
}

std::vector<ZipPlace> list_zip(const std::string& file, Bytes bytes) {
  Reader in(file, bytes);
  std::vector<ZipPlace> places;
  for (const Entry& entry : read_directory(file, in, bytes)) {
    places.push_back({entry.name, entry.method != 0, packed_bytes(in, entry), entry.size});
  }
  return places;
}

}  // namespace sb3lm
