// Bounds-checked little-endian reading of untrusted bytes. Every error names the file, the byte
// offset and the thing that was being read.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "base/error.h"
#include "base/file.h"

namespace sb3lm {

class Reader {
 public:
  Reader(std::string file, Bytes bytes) : file_(std::move(file)), bytes_(bytes) {}

  /// Names what the following reads are for; the name goes into errors.
  void reading(std::string what) { what_ = std::move(what); }

  std::size_t offset() const { return offset_; }
  std::size_t remaining() const { return bytes_.size() - offset_; }
  std::size_t size() const { return bytes_.size(); }
  const std::string& file() const { return file_; }

  void seek(std::uint64_t offset) {
    if (offset > bytes_.size())
      fail("offset {} is past the end of {} bytes", offset, bytes_.size());
    offset_ = static_cast<std::size_t>(offset);
  }

  /// The next `count` bytes, without a copy.
  Bytes take(std::uint64_t count) {
    if (count > remaining()) fail("{} bytes needed, {} left", count, remaining());
    const Bytes part = bytes_.subspan(offset_, static_cast<std::size_t>(count));
    offset_ += part.size();
    return part;
  }

  /// All that is left, which stays where it is.
  Bytes rest() const { return bytes_.subspan(offset_); }

  std::uint8_t u8() { return number<std::uint8_t>(); }
  std::uint16_t u16() { return number<std::uint16_t>(); }
  std::uint32_t u32() { return number<std::uint32_t>(); }
  std::int32_t i32() { return number<std::int32_t>(); }
  std::uint64_t u64() { return number<std::uint64_t>(); }
  float f32() { return number<float>(); }

  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    sb3lm::fail(Fault::bad_input, "{}: byte {}: {}: {}", file_, offset_, what_,
                fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  template <class T>
  T number() {
    static_assert(std::endian::native == std::endian::little);
    T value;
    const Bytes raw = take(sizeof(T));
    std::memcpy(&value, raw.data(), sizeof(T));
    return value;
  }

  std::string file_;
  Bytes bytes_;
  std::size_t offset_ = 0;
  std::string what_ = "file";
};

}  // namespace sb3lm
