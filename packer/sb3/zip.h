// Zip archives as .sb3 files use them: byte-reproducible writing, and reading of untrusted bytes.
// No encryption, no zip64, no archives of several parts.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/progress.h"

namespace sb3lm {

struct ZipEntry {
  std::string name;
  std::string_view bytes;
};

/// An archive with a fixed date, each entry deflated at `level` (sb3/deflate.h) or stored
/// where that is smaller. Same entries and same libdeflate, same bytes. Throws Error(unsupported)
/// over 4 GiB.
std::string write_zip(const std::vector<ZipEntry>& entries, int level, Progress& progress);

/// Every file of the archive by name. Throws bad_input with `file` and the entry at fault: not a
/// zip, truncated, wrong checksum, a name twice, or larger than an honest project can be;
/// unsupported for encryption, zip64 and other methods than store and deflate.
std::map<std::string, std::string> read_zip(const std::string& file, Bytes bytes);

/// Where a file lies in its archive.
struct ZipPlace {
  std::string name;
  bool deflated = false;  // else stored
  Bytes packed;
  std::size_t size = 0;  // unpacked, as the directory claims
};

/// The archive's directory, in its order, without unpacking anything. Throws as read_zip does.
std::vector<ZipPlace> list_zip(const std::string& file, Bytes bytes);

}  // namespace sb3lm
