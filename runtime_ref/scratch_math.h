// Scratch's values and casts, exactly as the virtual machines do them (scratch-vm's util/cast.js
// and operator blocks): what `+`, `<`, `item` or `letter of` make of numbers, texts and booleans.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "runtime_ref/scratch_text.h"
#include "scratch/ir.h"

namespace sb3lm {

/// A number, a text, or the boolean that a condition leaves in a variable. 16 bytes.
class Value {
 public:
  Value() : Value(0.0) {}
  explicit Value(double number) : bits_(std::bit_cast<std::uint64_t>(number)) {}
  explicit Value(bool boolean) : kind_(Kind::boolean), bits_(boolean) {}
  explicit Value(Text text)
      : kind_(Kind::text), bits_(reinterpret_cast<std::uintptr_t>(text.shared_)) {
    text.shared_ = nullptr;
  }
  explicit Value(const scratch::Scalar& scalar);
  Value(const Value& other) noexcept : kind_(other.kind_), bits_(other.bits_) {
    if (is_text() && shared()->uses != Text::kForever) ++shared()->uses;
  }
  Value(Value&& other) noexcept : kind_(other.kind_), bits_(other.bits_) {
    other.kind_ = Kind::number;
  }
  Value& operator=(Value other) noexcept {
    std::swap(kind_, other.kind_);
    std::swap(bits_, other.bits_);
    return *this;
  }
  ~Value() { release(); }

  bool is_number() const { return kind_ == Kind::number; }
  bool is_boolean() const { return kind_ == Kind::boolean; }
  bool is_text() const { return kind_ == Kind::text; }
  // Each only if it is one.
  double number() const { return std::bit_cast<double>(bits_); }
  bool boolean() const { return bits_ != 0; }
  const std::string& str() const { return shared()->utf8; }
  Text text() const {
    const Text held(shared());
    held.keep();
    return held;
  }

  void set(double number) {
    release();
    kind_ = Kind::number;
    bits_ = std::bit_cast<std::uint64_t>(number);
  }
  /// A boolean becomes "true" or "false".
  scratch::Scalar scalar() const;

 private:
  enum class Kind : std::uint8_t { number, boolean, text };
  Text::Shared* shared() const {
    return reinterpret_cast<Text::Shared*>(static_cast<std::uintptr_t>(bits_));
  }
  void release() {
    if (is_text() && shared()->uses != Text::kForever && --shared()->uses == 0) delete shared();
  }

  Kind kind_ = Kind::number;
  std::uint64_t bits_;  // a double, a boolean, or a pointer to a counted text
};

/// NaN counts as 0 wherever Scratch wants a number.
inline double clean(double number) {
  return number == number ? number : 0.0;
}

double text_to_number(const Text& text);
/// Whether JavaScript's Number() gives something else than NaN; so it does for blank texts.
bool text_is_number(const Text& text);
inline double to_number(const Value& value) {
  if (value.is_number()) return clean(value.number());
  return value.is_boolean() ? value.boolean() : text_to_number(value.text());
}
bool to_boolean(const Value& value);
Text to_text(const Value& value);
Text number_to_text(double number);

/// Below, equal to or above 0: numbers if both look like numbers, else texts without case.
double compare(const Value& left, const Value& right);
inline bool equal(const Value& left, const Value& right) {
  return compare(left, right) == 0;
}

/// The place of an item, from 1; 0 if there is no such item.
inline std::size_t number_to_index(double index, std::size_t length) {
  // Truncating is flooring here.
  return index >= 1 && index < static_cast<double>(length) + 1 ? static_cast<std::size_t>(index)
                                                               : 0;
}
/// The same for any value: "last" is the last item. Throws Error(unsupported) for "random" and
/// "any", whose answer differs from run to run.
std::size_t to_index(const Value& index, std::size_t length);

double round_half_up(double number);
/// The result has the divisor's sign.
double floored_mod(double number, double divisor);
/// The function of a "(...) of (...)" block by its menu name; 0 for an unknown one. Only abs,
/// floor, ceiling and sqrt are the same to the bit everywhere.
double math_function(const std::string& name, double number);
Text letter_of(double letter, const Text& text);
bool contains(const Text& whole, const Text& part);
/// Nothing but white space, or empty.
bool is_blank(const Text& text);

}  // namespace sb3lm
