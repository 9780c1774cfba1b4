#include "sb3/json_out.h"

#include <charconv>
#include <cmath>

#include "base/error.h"

namespace sb3lm {
namespace {

// Bytes of the well-formed UTF-8 sequence at `at` (RFC 3629: no overlong forms, no surrogates), or
// 0 if there is none.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const unsigned lead = byte(at);
  const auto tail = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(at + i) >= low && byte(at + i) <= high;
  };
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : 0xBF;
    return tail(1, low, high) && tail(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned low = lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;
    return tail(1, low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

void append_escape(std::string& out, unsigned char letter) {
  switch (letter) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", letter);
  }
}

bool is_plain(unsigned char letter) {
  return letter >= 0x20 && letter < 0x80 && letter != '"' && letter != '\\';
}

// "1.25e-07" as an integer times a power of ten: "125e-9".
std::string integer_mantissa_text(std::string_view scientific) {
  const std::size_t e = scientific.find('e');
  int power = 0;
  const bool signed_up = scientific[e + 1] == '+';
  std::from_chars(scientific.data() + e + (signed_up ? 2 : 1),
                  scientific.data() + scientific.size(), power);
  std::string digits;
  for (const char c : scientific.substr(0, e)) {
    if (c != '.') digits += c;
  }
  const std::size_t point = scientific.find('.');
  if (point != std::string_view::npos) power -= static_cast<int>(e - point - 1);
  return power == 0 ? digits : digits + "e" + std::to_string(power);
}

}  // namespace

std::string json_number_text(double value) {
  check(std::isfinite(value), "a number in the project is not finite");
  // "-0" would do for JavaScript, but integer readers drop its sign.
  if (value == 0) return std::signbit(value) ? "-0.0" : "0";
  char plain[400], scientific[40];
  const auto plain_end = std::to_chars(plain, plain + sizeof plain, value);
  const auto end = std::to_chars(scientific, scientific + sizeof scientific, value,
                                 std::chars_format::scientific);
  const std::string_view plain_text(plain, static_cast<std::size_t>(plain_end.ptr - plain));
  std::string other =
      integer_mantissa_text({scientific, static_cast<std::size_t>(end.ptr - scientific)});
  const bool plain_is_json = plain_text.find('e') == std::string_view::npos;
  if (plain_is_json && plain_text.size() <= other.size()) return std::string(plain_text);
  return other;
}

JsonOut& JsonOut::open(char begin, char end) {
  separate();
  out_ += begin;
  closers_ += end;
  need_comma_ = false;
  return *this;
}

JsonOut& JsonOut::end() {
  check(!closers_.empty(), "more ends than begins in the JSON writer");
  out_ += closers_.back();
  closers_.pop_back();
  need_comma_ = true;
  return *this;
}

JsonOut& JsonOut::key(std::string_view name) {
  separate();
  quoted(name);
  out_ += ':';
  need_comma_ = false;
  return *this;
}

JsonOut& JsonOut::string(std::string_view text) {
  separate();
  quoted(text);
  need_comma_ = true;
  return *this;
}

JsonOut& JsonOut::number(double value) {
  return word(json_number_text(value));
}

JsonOut& JsonOut::zeros(std::size_t count) {
  if (count == 0) return *this;
  word("0");
  const std::size_t begin = out_.size();
  out_.resize(begin + 2 * (count - 1));
  for (std::size_t i = begin; i < out_.size(); i += 2) out_[i] = ',', out_[i + 1] = '0';
  return *this;
}

std::string JsonOut::take() {
  check(closers_.empty(), "JSON is not finished");
  need_comma_ = false;
  return std::move(out_);
}

JsonOut& JsonOut::word(std::string_view text) {
  separate();
  out_ += text;
  need_comma_ = true;
  return *this;
}

void JsonOut::separate() {
  if (need_comma_) out_ += ',';
}

void JsonOut::quoted(std::string_view text) {
  out_ += '"';
  for (std::size_t at = 0; at < text.size();) {
    std::size_t run = at;
    while (run < text.size() && is_plain(static_cast<unsigned char>(text[run]))) ++run;
    out_.append(text, at, run - at);
    at = run;
    if (at == text.size()) break;
    const auto letter = static_cast<unsigned char>(text[at]);
    const std::size_t length = sequence_length(text, at);
    check(length != 0, "a text in the project is not UTF-8");
    if (length == 1) {
      append_escape(out_, letter);
    } else {
      out_.append(text, at, length);
    }
    at += length;
  }
  out_ += '"';
}

}  // namespace sb3lm
