// Unicode's normal forms C and KC: letters and marks that mean the same are written alike.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace sb3lm {

enum class NormalForm {
  none,
  nfc,   // what is canonically the same
  nfkc,  // what is alike by compatibility too
};

/// What the forms are made from; Hangul's syllables follow from a rule (text_rules.h: join_jamo).
struct FormTables {
  std::map<char32_t, std::u32string> letters;               // completely decomposed
  std::map<char32_t, int> orders;                           // combining classes other than 0
  std::map<std::pair<char32_t, char32_t>, char32_t> pairs;  // what composes
};
/// Of nfc or nfkc.
const FormTables& form_tables(NormalForm form);

/// The text in a form. Bytes that are no UTF-8 become U+FFFD, each one, unless the form is `none`.
std::string normalized(NormalForm form, std::string_view text);

}  // namespace sb3lm
