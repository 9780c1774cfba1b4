// Scratch texts: immutable, shared, and addressed by UTF-16 code units as JavaScript does. Held as
// UTF-8 in which half a surrogate pair, which "letter of" can cut out, is three bytes of its own
// (WTF-8); joining two halves makes the whole letter again.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace sb3lm {

/// A counted reference; not for use by two threads at once.
class Text {
 public:
  Text() : Text(std::string()) {}
  explicit Text(std::string utf8);
  Text(const Text& other) noexcept : shared_(other.shared_) { keep(); }
  Text(Text&& other) noexcept : shared_(other.shared_) { other.shared_ = nullptr; }
  Text& operator=(Text other) noexcept {
    std::swap(shared_, other.shared_);
    return *this;
  }
  ~Text() { drop(); }

  const std::string& str() const { return shared_->utf8; }
  bool is_ascii() const { return shared_->ascii; }
  /// In UTF-16 code units.
  std::size_t length() const;
  /// The UTF-16 code unit at `index` (below length()) as a text. O(1) after the first call.
  Text letter(std::size_t index) const;
  const std::u16string& utf16() const;

 private:
  friend class Value;
  struct Shared {
    std::size_t uses;
    bool ascii;
    bool has_wide;
    std::string utf8;
    std::u16string wide;  // made when first asked for
  };
  explicit Text(Shared* shared) : shared_(shared) {}
  static Shared* one_letter(unsigned char letter);
  void keep() const {
    if (shared_->uses != kForever) ++shared_->uses;
  }
  void drop() {
    if (shared_ != nullptr && shared_->uses != kForever && --shared_->uses == 0) delete shared_;
  }

  static constexpr std::size_t kForever = ~std::size_t{0};
  Shared* shared_;  // null only after a move
};

/// The two texts in a row, halves of a surrogate pair made whole. Throws bad_input over 512 MiB.
Text join(const Text& left, const Text& right);
/// JavaScript's toLowerCase, except that a sigma at the end of a word becomes a plain one.
std::string lower_case(const Text& text);
/// Order of JavaScript's < on strings: by UTF-16 code units.
int compare_units(const std::string& left, const std::string& right);

}  // namespace sb3lm
