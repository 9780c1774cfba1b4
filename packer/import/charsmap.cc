// A table like nmt_nfkc has 225,000 entries: every spelling of every syllable and letter with
// marks. They follow from 5,000 letters and 12,000 pairs, most of them Hangul: an entry of several
// letters is what its last letter makes of what the others have become. That this says the same as
// the table, no more and no less, is checked: each entry is found so, and their number is right.
#include "import/charsmap.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/reader.h"
#include "model/unicode.h"

namespace sb3lm {
namespace {

constexpr std::size_t kMaxTable = 1 << 24, kMaxEntries = 1 << 20, kMaxSteps = 1 << 20;
constexpr std::size_t kMaxEntryBytes = 64;

using Text = std::u32string;

std::string shown(const Text& text) {
  std::string list;
  for (const char32_t c : text) list += fmt::format(" U+{:04X}", static_cast<unsigned>(c));
  return list.empty() ? " nothing" : list;
}

class TrieReader {
 public:
  TrieReader(const std::string& file, Bytes table) : in_(file, table) {
    in_.reading("normaliser table: size of its trie");
    if (table.size() > kMaxTable) in_.fail("{} bytes, at most {}", table.size(), kMaxTable);
    const std::uint32_t size = in_.u32();
    in_.reading("normaliser table");
    if (size == 0 || size % 4 != 0) in_.fail("a trie of {} bytes", size);
    units_ = in_.take(size);
    texts_ = as_text(in_.take(in_.remaining()));
    if (texts_.empty() || texts_.back() != '\0') in_.fail("its last text does not end");
  }

  std::map<Text, Text> read() {
    collect({}, offset_of(unit(0)));
    return std::move(entries_);
  }

 private:
  std::uint32_t unit(std::size_t at) const {
    std::uint32_t value = 0;
    std::memcpy(&value, units_.data() + at * 4, 4);
    return value;
  }
  std::size_t unit_count() const { return units_.size() / 4; }
  static std::size_t offset_of(std::uint32_t unit) {
    return static_cast<std::size_t>(unit >> 10) << ((unit & (1U << 9)) >> 6);
  }

  /// All entries that begin with `key`, whose children lie around `place`.
  void collect(const std::string& key, std::size_t place) {
    if (key.size() > kMaxEntryBytes) in_.fail("an entry of more than {} bytes", kMaxEntryBytes);
    for (std::uint32_t byte = 1; byte < 256; ++byte) {
      const std::size_t at = place ^ byte;
      if (at >= unit_count()) continue;
      const std::uint32_t found = unit(at);
      if ((found & 0x800000FFU) != byte) continue;
      if (++steps_ > kMaxSteps) in_.fail("its trie has no end");
      const std::size_t next = at ^ offset_of(found);
      const std::string longer = key + static_cast<char>(byte);
      if ((found >> 8 & 1) != 0) add(longer, next);
      collect(longer, next);
    }
  }

  void add(const std::string& key, std::size_t at) {
    if (at >= unit_count()) in_.fail("an entry's value lies outside the trie");
    const std::size_t place = unit(at) & 0x7FFFFFFFU;
    if (place >= texts_.size()) in_.fail("an entry's text lies outside the table");
    const std::string_view value = texts_.substr(place, texts_.find('\0', place) - place);
    std::vector<char32_t> from, to;
    if (!decode_utf8(key, from) || !decode_utf8(value, to)) in_.fail("an entry is not UTF-8");
    if (to.size() > kMaxEntryBytes) in_.fail("an entry becomes {} letters", to.size());
    if (entries_.size() == kMaxEntries) in_.fail("more than {} entries", kMaxEntries);
    entries_[Text(from.begin(), from.end())] = Text(to.begin(), to.end());
  }

  Reader in_;
  Bytes units_;
  std::string_view texts_;
  std::size_t steps_ = 0;
  std::map<Text, Text> entries_;
};

/// Finds the letters and pairs that a table's entries follow from.
class RuleFinder {
 public:
  RuleFinder(const std::string& file, const std::string& name, std::map<Text, Text> entries)
      : file_(file), name_(name), entries_(std::move(entries)) {}

  void find(TextRules& rules) {
    for (const auto& [from, to] : entries_) {
      if (from.size() == 1) rules.letters[from[0]] = to;
      if (to.find(U"  ") != to.npos) refuse(from, "becomes two spaces in a row");
    }
    letters_ = &rules.letters;
    std::size_t several = 0;
    for (const auto& [from, to] : entries_) {
      if (from.size() == 1) continue;
      ++several;
      add_pair(from, to);
    }
    if (count_spellings() != several) {
      fail(Fault::unsupported,
           "{}: normaliser '{}', whose table lacks spellings of letters that others join to, is "
           "not supported",
           file_, name_);
    }
    settle_hangul(rules);
    for (const auto& [key, result] : pairs_) {
      const auto& [joined, right, left] = key;
      rules.pairs.push_back({left, right, joined, result});
    }
  }

 private:
  using Key = std::tuple<bool, char32_t, char32_t>;  // joined, right, left: LetterPair::key

  [[noreturn]] void refuse(const Text& from, const char* why) const {
    fail(Fault::unsupported, "{}: normaliser '{}', whose entry{} {}, is not supported", file_,
         name_, shown(from), why);
  }

  /// What one letter becomes, if that is one letter; else 0.
  char32_t letter(char32_t c) const {
    const auto found = letters_->find(c);
    if (found == letters_->end()) return c;
    return found->second.size() == 1 ? found->second[0] : 0;
  }

  void add_pair(const Text& from, const Text& to) {
    const Text before = from.substr(0, from.size() - 1);
    char32_t left = 0;
    if (before.size() == 1) {
      left = letter(before[0]);
    } else if (const auto found = entries_.find(before);
               found != entries_.end() && found->second.size() == 1) {
      left = found->second[0];
    }
    const char32_t right = letter(from.back());
    if (left == 0 || right == 0 || to.size() != 1) refuse(from, "is no letter and its marks");
    const auto [place, fresh] = pairs_.emplace(Key{before.size() > 1, right, left}, to[0]);
    if (!fresh && place->second != to[0]) refuse(from, "joins otherwise than its like");
  }

  /// How many texts of several letters the pairs join.
  std::size_t count_spellings() const {
    std::map<char32_t, std::size_t> typed;  // letters that become one, without those that stay
    for (const auto& [from, to] : *letters_) {
      if (to.size() == 1) ++typed[to[0]];
    }
    const auto spellings = [&](char32_t c) {
      const auto found = typed.find(c);
      return (found == typed.end() ? 0 : found->second) + (letters_->contains(c) ? 0 : 1);
    };
    std::map<char32_t, std::size_t> now, next;
    std::size_t total = 0;
    for (std::size_t length = 2; length <= kMaxEntryBytes; ++length) {
      next.clear();
      for (const auto& [key, result] : pairs_) {
        const auto& [joined, right, left] = key;
        if (joined != (length > 2)) continue;
        const auto before = now.find(left);
        const std::size_t lefts = length == 2           ? spellings(left)
                                  : before == now.end() ? 0
                                                        : before->second;
        const std::size_t count = lefts * spellings(right);
        if (count > 0) next[result] += count;
        total += count;
        if (total > kMaxEntries) return total;
      }
      if (next.empty()) break;
      std::swap(now, next);
    }
    return total;
  }

  /// The rule for Hangul instead of its 11,172 pairs, if they are all there.
  void settle_hangul(TextRules& rules) {
    std::size_t found = 0;
    for (const auto& [key, result] : pairs_) {
      found += join_jamo(std::get<2>(key), std::get<1>(key), std::get<0>(key)) == result;
    }
    constexpr std::size_t kSyllables = 11172;
    if (found != kSyllables) return;
    rules.hangul = true;
    std::erase_if(pairs_, [](const auto& pair) {
      const auto& [joined, right, left] = pair.first;
      return join_jamo(left, right, joined) == pair.second;
    });
  }

  const std::string& file_;
  const std::string& name_;
  std::map<Text, Text> entries_;
  const std::map<char32_t, Text>* letters_ = nullptr;
  std::map<Key, char32_t> pairs_;
};

}  // namespace

void read_charsmap(const std::string& file, const std::string& name, Bytes table,
                   TextRules& rules) {
  if (table.empty()) return;
  RuleFinder(file, name, TrieReader(file, table).read()).find(rules);
}

}  // namespace sb3lm
