// The zip that PyTorch keeps a checkpoint in: records FOLDER/data.pkl, FOLDER/data/KEY and some
// small ones, all stored as they are. Reads the central directory, for sizes stand nowhere else.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/reader.h"

namespace sb3lm {

class TorchArchive {
 public:
  struct Record {
    Bytes bytes;
    std::uint64_t offset = 0;  // in the file
  };

  /// Throws bad_input (a broken zip, no data.pkl) or unsupported (big-endian, a TorchScript
  /// program). `bytes` must outlive the object.
  TorchArchive(std::string file, Bytes bytes);

  /// By the name inside the folder. Throws bad_input if there is none, its checksum is wrong or it
  /// shares bytes with others, unsupported if it is compressed or encrypted.
  const Record& need(const std::string& name);

  std::uint64_t size() const { return in_.size(); }

 private:
  struct Entry {
    std::uint16_t flags = 0, method = 0;
    std::uint32_t crc = 0;
    std::uint64_t packed_size = 0, size = 0, header_at = 0;
  };

  void read_directory();
  void read_entry();
  void read_wide(Bytes extra, Entry& entry);
  void find_folder();
  Record locate(const std::string& name, const Entry& entry);

  Reader in_;
  Bytes bytes_;
  std::string folder_;  // with its slash
  std::map<std::string, Entry> entries_;
  std::map<std::string, Record> read_;
  std::uint64_t taken_ = 0;  // bytes of the records read
};

}  // namespace sb3lm
