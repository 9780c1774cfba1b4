#include "import/torch/archive.h"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace sb3lm {
namespace {

constexpr std::uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50,
                        kWideLocator = 0x07064b50, kWideEnd = 0x06064b50;
constexpr std::size_t kEndSize = 22, kMaxComment = 0xffff, kLocatorSize = 20;
constexpr std::uint32_t kWide = 0xffffffff;  // the value stands in the zip64 field
constexpr std::string_view kPickle = "/data.pkl";

/// Where the end record stands: last, behind a comment that is empty in practice.
std::size_t find_end(Reader& in, Bytes bytes) {
  in.reading("end of the zip's directory");
  if (bytes.size() < kEndSize) in.fail("the file is too short to be a zip");
  const std::size_t last = bytes.size() - kEndSize;
  const std::size_t first = last > kMaxComment ? last - kMaxComment : 0;
  for (std::size_t at = last + 1; at-- > first;) {
    std::uint32_t signature;
    std::memcpy(&signature, bytes.data() + at, sizeof signature);
    if (signature == kEnd) return at;
  }
  in.fail("not found: the file is cut off");
}

struct Directory {
  std::uint64_t count = 0, offset = 0;
};

Directory read_wide_end(Reader& in, std::size_t end) {
  in.reading("zip64 end of the directory");
  in.seek(end);
  if (end < kLocatorSize) in.fail("missing, though sizes refer to it");
  in.seek(end - kLocatorSize);
  if (in.u32() != kWideLocator) in.fail("missing, though sizes refer to it");
  in.u32();
  in.seek(in.u64());
  if (in.u32() != kWideEnd) in.fail("without its signature");
  in.take(28);
  Directory directory{.count = in.u64(), .offset = 0};
  in.u64();
  directory.offset = in.u64();
  return directory;
}

Directory find_directory(Reader& in, Bytes bytes) {
  const std::size_t end = find_end(in, bytes);
  in.seek(end + 4);
  const std::uint16_t disk = in.u16(), directory_disk = in.u16();
  if (disk != 0 || directory_disk != 0) in.fail("the archive is in several parts");
  in.u16();
  Directory directory{.count = in.u16(), .offset = 0};
  const std::uint32_t size = in.u32();
  directory.offset = in.u32();
  const bool wide = directory.count == 0xffff || size == kWide || directory.offset == kWide;
  return wide ? read_wide_end(in, end) : directory;
}

std::uint32_t crc_of(Bytes bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, bytes.data(), bytes.size()));
}

}  // namespace

TorchArchive::TorchArchive(std::string file, Bytes bytes)
    : in_(std::move(file), bytes), bytes_(bytes) {
  read_directory();
  find_folder();
  const auto order = entries_.find(folder_ + "byteorder");
  if (order != entries_.end() && as_text(need("byteorder").bytes) != "little") {
    fail(Fault::unsupported, "{}: its numbers are big-endian; save it on a little-endian machine",
         in_.file());
  }
}

void TorchArchive::read_directory() {
  const Directory directory = find_directory(in_, bytes_);
  in_.reading("zip directory");
  in_.seek(directory.offset);
  for (std::uint64_t i = 0; i < directory.count; ++i) read_entry();
}

void TorchArchive::read_entry() {
  in_.reading("zip directory");
  if (in_.u32() != kCentral) in_.fail("an entry without its signature");
  in_.take(4);
  Entry entry{.flags = in_.u16(), .method = in_.u16()};
  in_.take(4);
  entry.crc = in_.u32();
  entry.packed_size = in_.u32();
  entry.size = in_.u32();
  const std::uint16_t name_size = in_.u16(), extra_size = in_.u16(), comment_size = in_.u16();
  in_.take(8);
  entry.header_at = in_.u32();
  const std::string name(as_text(in_.take(name_size)));
  read_wide(in_.take(extra_size), entry);
  in_.take(comment_size);
  if (!entries_.emplace(name, entry).second) in_.fail("the name '{}' occurs twice", name);
}

/// The zip64 field has, in this order, those values that did not fit.
void TorchArchive::read_wide(Bytes extra, Entry& entry) {
  constexpr std::uint16_t kWideField = 1;
  Reader fields(in_.file(), extra);
  fields.reading("extra field of the zip directory");
  while (fields.remaining() >= 4) {
    const std::uint16_t id = fields.u16(), size = fields.u16();
    Reader field(in_.file(), fields.take(size));
    field.reading("zip64 field of the zip directory");
    if (id != kWideField) continue;
    for (std::uint64_t* value : {&entry.size, &entry.packed_size, &entry.header_at}) {
      if (*value == kWide) *value = field.u64();
    }
  }
}

void TorchArchive::find_folder() {
  for (const auto& [name, entry] : entries_) {
    if (!name.ends_with(kPickle)) continue;
    if (!folder_.empty()) {
      fail(Fault::bad_input, "{}: both '{}data.pkl' and '{}' are there", in_.file(), folder_, name);
    }
    folder_ = name.substr(0, name.size() - kPickle.size() + 1);
  }
  if (folder_.empty()) fail(Fault::bad_input, "{}: no record '.../data.pkl'", in_.file());
  if (entries_.contains(folder_ + "constants.pkl")) {
    fail(Fault::unsupported,
         "{}: this is a TorchScript program; save the model's state_dict() with torch.save",
         in_.file());
  }
}

const TorchArchive::Record& TorchArchive::need(const std::string& name) {
  const auto known = read_.find(name);
  if (known != read_.end()) return known->second;
  const auto found = entries_.find(folder_ + name);
  if (found == entries_.end()) {
    fail(Fault::bad_input, "{}: no record '{}{}'", in_.file(), folder_, name);
  }
  return read_.emplace(name, locate(folder_ + name, found->second)).first->second;
}

TorchArchive::Record TorchArchive::locate(const std::string& name, const Entry& entry) {
  const bool encrypted = (entry.flags & 1) != 0;
  if (encrypted || entry.method != 0) {
    fail(Fault::unsupported, "{}: record '{}' is {}; torch.save stores records as they are",
         in_.file(), name, encrypted ? "encrypted" : "compressed");
  }
  in_.reading("record '" + name + "'");
  in_.seek(entry.header_at);
  if (in_.u32() != kLocal) in_.fail("no local header here");
  in_.take(22);  // the directory's values are used: these may be zero
  const std::uint16_t name_size = in_.u16(), extra_size = in_.u16();
  in_.take(name_size);
  in_.take(extra_size);
  if (entry.size != entry.packed_size) in_.fail("stored with two different sizes");
  Record record{.bytes = {}, .offset = in_.offset()};
  record.bytes = in_.take(entry.size);
  // Else a small file could ask for work without end.
  taken_ += entry.size;
  if (taken_ > bytes_.size()) in_.fail("it shares bytes with other records");
  // Zero is what is written where checksums are switched off.
  if (entry.crc != 0 && crc_of(record.bytes) != entry.crc) in_.fail("its checksum is wrong");
  return record;
}

}  // namespace sb3lm
