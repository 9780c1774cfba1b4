// A deflate block that holds literals only, and bits in a row.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sb3lm {

/// Little-endian bits, as deflate packs them.
class BitString {
 public:
  /// The low `count` bits of `value`, at most 32.
  void put(std::uint32_t value, unsigned count);
  /// The first `count` bits of another string's bytes.
  void put(std::string_view bytes, std::uint64_t count);

  std::uint64_t size() const { return 8 * std::uint64_t{bytes_.size()} + count_; }
  void set(std::uint64_t bit, bool value);
  /// Whole bytes, the last one filled up with zeros.
  std::string take();

 private:
  std::string bytes_;
  std::uint64_t pending_ = 0;
  unsigned count_ = 0;  // of pending bits
};

/// Appends `text` as one block, not marked as the last: with codes made for it, or with deflate's
/// fixed ones, which need no header.
void put_literal_block(BitString& out, std::string_view text);
void put_fixed_block(BitString& out, std::string_view text);

}  // namespace sb3lm
