#include "kernels/letter_tables.h"

#include <algorithm>
#include <utility>

#include "model/unicode.h"

namespace sb3lm {

using scratch::Scalar;

namespace {

constexpr double kSteps[] = {1, 2, 0};

/// Entries from `first` on that one row says, if its values rise by `step`.
std::size_t row_length(const std::vector<RowEntry>& entries, std::size_t first, double step) {
  std::size_t length = 1;
  const auto [key, value] = entries[first];
  while (first + length < entries.size()) {
    const auto [next_key, next] = entries[first + length];
    if (next != value + (next_key - key) * step) break;
    ++length;
  }
  return length;
}

template <class Function>
void for_each_code(const TypedLetters& letters, Function function) {
  for (char32_t c = 0; c <= kLastTyped; ++c) {
    if (letters.has(c) || c == kReplacement) function(c);
  }
}

std::string halves() {
  std::string text;
  for (char32_t k = 0; k < kSecondHalves; ++k) {
    text += utf8(0x10000 + std::min<char32_t>(k, kFirstHalves - 1) * 1024 + k);
  }
  return text;
}

double id_of(const Tokenizer& tokenizer, char32_t letter) {
  const auto found = tokenizer.alphabet.find(utf8(letter));
  return found == tokenizer.alphabet.end() ? -1 : found->second;
}

}  // namespace

LetterTables::Table append_rows(std::vector<Scalar>& rows, const std::vector<RowEntry>& entries,
                                std::span<const double> steps) {
  const auto rows_now = [&] { return static_cast<int>(rows.size() / 3); };
  const int first = rows_now();
  for (std::size_t at = 0; at < entries.size();) {
    double step = steps[0];  // never 0 where values differ
    for (const double other : steps.subspan(1)) {
      if (row_length(entries, at, other) > row_length(entries, at, step)) step = other;
    }
    for (const double item : {entries[at].first, entries[at].second, step}) rows.emplace_back(item);
    at += row_length(entries, at, step);
  }
  return {first, rows_now() - 1};
}

LetterTables letter_tables(const TypedLetters& letters, const Tokenizer& tokenizer,
                           const std::vector<RowEntry>* classes_of_cuts) {
  LetterTables tables;
  std::vector<RowEntry> codes;
  const auto place = [&](char32_t letter) {
    codes.emplace_back(static_cast<double>(codes.size() + 1), static_cast<double>(letter));
  };
  std::string small;
  for (const char32_t letter : letters.small) {
    place(letter);
    if (!small.empty()) small += ' ';
    small += utf8(letter);
  }
  for (const char32_t letter : letters.capital) {
    place(letter);
    tables.capitals.push_back(utf8(letter));
  }
  tables.small = static_cast<int>(letters.small.size());
  tables.texts = {small, halves()};
  place(kLastTyped + 1);

  tables.places = append_rows(tables.rows, codes, kSteps);
  std::vector<RowEntry> ids, classes;
  // Rules make letters that nobody can type.
  const bool by_rules = tokenizer.rules.present || tokenizer.form != NormalForm::none;
  for (char32_t c = 0; by_rules && c <= kLastTyped; ++c) ids.emplace_back(c, id_of(tokenizer, c));
  for_each_code(letters, [&](char32_t c) {
    if (!by_rules) ids.emplace_back(c, id_of(tokenizer, c));
    classes.emplace_back(c, static_cast<int>(char_class(c)) + 1);
  });
  if (tokenizer.kind == TokenizerKind::spaced_bpe)
    tables.ids = append_rows(tables.rows, ids, kSteps);
  if (classes_of_cuts != nullptr) classes = *classes_of_cuts;
  if (tokenizer.split == WordSplit::gpt2 || classes_of_cuts != nullptr)
    tables.classes = append_rows(tables.rows, classes, kSteps);
  return tables;
}

}  // namespace sb3lm
