// Protocol buffers' wire format, as far as messages of numbers, texts and messages need it.
#pragma once

#include <cstring>

#include "base/reader.h"

namespace sb3lm {

/// One field of a message: its number, and its value by the kind that it was written as.
struct WireField {
  std::uint32_t number = 0;
  enum class Kind { count, eight_bytes, bytes, four_bytes } kind = Kind::count;
  std::uint64_t count = 0;  // count; the bits of the two fixed kinds
  Bytes bytes;
};

/// The fields of a message in the order in which they lie there. Throws bad_input where one does
/// not fit, and for groups, which nobody writes any more.
class WireReader {
 public:
  /// `file` and `what` name the message in errors; `first_off` is where in the file it begins.
  WireReader(const std::string& file, Bytes message, std::string what, std::size_t first_off = 0)
      : file_(file), message_(message), what_(std::move(what)), first_off_(first_off) {}

  bool done() const { return at_ == message_.size(); }
  const std::string& what() const { return what_; }
  /// Where in the file the next field begins.
  std::size_t offset() const { return first_off_ + at_; }

  WireField next() {
    WireField field;
    const std::uint64_t tag = varint();
    if (tag >> 3 == 0 || tag >> 3 > 0x1FFFFFFF) fail("field number {}", tag >> 3);
    field.number = static_cast<std::uint32_t>(tag >> 3);
    switch (tag & 7) {
      case 0:
        field.kind = WireField::Kind::count;
        field.count = varint();
        break;
      case 1:
        field.kind = WireField::Kind::eight_bytes;
        field.count = fixed(8);
        break;
      case 2:
        field.kind = WireField::Kind::bytes;
        field.bytes = take(varint());
        break;
      case 5:
        field.kind = WireField::Kind::four_bytes;
        field.count = fixed(4);
        break;
      default:
        fail("field {} has wire type {}", field.number, tag & 7);
    }
    return field;
  }

  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    sb3lm::fail(Fault::bad_input, "{}: byte {}: {}: {}", file_, offset(), what_,
                fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  Bytes take(std::uint64_t size) {
    const std::size_t left = message_.size() - at_;
    if (size > left) fail("{} bytes needed, {} left", size, left);
    const Bytes part = message_.subspan(at_, static_cast<std::size_t>(size));
    at_ += part.size();
    return part;
  }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t byte = take(1)[0];
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    fail("a number of more than ten bytes");
  }

  std::uint64_t fixed(std::size_t size) {
    std::uint64_t value = 0;
    const Bytes raw = take(size);
    std::memcpy(&value, raw.data(), size);  // little-endian, as Reader relies on too
    return value;
  }

  const std::string& file_;
  Bytes message_;
  std::string what_;
  std::size_t first_off_ = 0, at_ = 0;
};

}  // namespace sb3lm
