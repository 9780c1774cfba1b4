// The lists of merges and token texts, stored as the pairs that tokens are merged from: hex digits
// of their ids, a text for each digit, which takes a third of the lists' own bytes. Filling them is
// two stable counting sorts, by the right and by the left symbol, and a join for each token.
#include <string>
#include <utility>

#include "kernels/text.h"
#include "kernels/text_tables.h"
#include "model/project_names.h"

namespace sb3lm {
namespace {

using namespace blocks;
using scratch::Scalar;

constexpr char kHex[] = "0123456789abcdef";

// Left symbols' digits, then right ones', the most significant first.
std::vector<Scalar> digit_texts(const MergePairs& pairs, int digits) {
  std::vector<Scalar> texts;
  for (const bool right : {false, true}) {
    for (int digit = digits - 1; digit >= 0; --digit) {
      std::string text;
      for (const auto& part : pairs.parts) {
        text += kHex[(right ? part.second : part.first) >> (4 * digit) & 15];
      }
      texts.emplace_back(std::move(text));
    }
  }
  return texts;
}

class TableFiller {
 public:
  TableFiller(Sprite& engine, const MergePairs& pairs, std::size_t vocabulary, bool any_bytes)
      : engine_(engine),
        first_(pairs.first_result),
        count_(static_cast<int>(pairs.parts.size())),
        vocabulary_(static_cast<double>(vocabulary)),
        any_bytes_(any_bytes) {
    while (vocabulary > std::size_t{1} << (4 * digits_)) ++digits_;
    engine_.list<Str>(pair_digits_.name, digit_texts(pairs, digits_));
    for (const auto* list : {&parts_, &order_, &sorted_}) engine_.list<Num>(list->name);
    for (const auto* variable : {&at_, &slot_}) engine_.var<Num>(variable->name);
  }

  TokenTableBlocks emit() {
    const auto read = emit_read();
    const auto sort = emit_sort();
    const auto fill = engine_.define<>("fill token tables", {}, [&](Script& s) {
      s.when(merge_right_.length() == 0, [&](Script& s) {
        read_all(s, read);
        s.call(sort, count_);
        s.call(sort, 0);
        for_each_merge(s, [&](Script& s) {
          s.set(slot_, order_[at_] + 0);
          s.append(merge_right_, parts_[slot_ + count_]);
          s.append(merge_rank_, slot_ + (first_ - 1));
        });
        fill_texts(s);
        forget(s);
      });
    });
    const auto empty = engine_.define<>("empty token tables", {}, [&](Script& s) {
      read_all(s, read);
      s.set(at_, count_);
      s.repeat(count_, [&](Script& s) {
        s.when(same_text(text_of_result(), joined_parts()),
               [&](Script& s) { s.replace(token_text_, at_ + first_, Expr<Str>("")); });
        s.change(at_, -1);
      });
      s.clear(merge_first_);
      s.clear(merge_right_);
      s.clear(merge_rank_);
      forget(s);
    });
    return {fill, empty};
  }

 private:
  template <class Body>
  void for_each_merge(Script& s, Body body) {
    s.set(at_, 1);
    s.repeat(count_, [&](Script& s) {
      body(s);
      s.change(at_, 1);
    });
  }

  // read pairs (item): appends the ids of one side to the parts.
  Proc<Num> emit_read() {
    return engine_.define<Num>("_read pairs", {"item"}, [&](Script& s, Arg<Num> item) {
      for_each_merge(s, [&](Script& s) {
        Expr<Str> digits = "0x";
        for (int k = 0; k < digits_; ++k) {
          digits = join(std::move(digits), letter(at_ + 0, pair_digits_[item + k]));
        }
        s.append(parts_, to_num(std::move(digits)));
      });
    });
  }

  void read_all(Script& s, const Proc<Num>& read) {
    forget(s);
    s.call(read, 1);
    s.call(read, digits_ + 1);
    for_each_merge(s, [&](Script& s) { s.append(order_, at_ + 0); });
  }

  // sort pairs (offset): reorders `order` by the parts at that offset, and leaves in `merge first`
  // where each symbol's merges begin.
  Proc<Num> emit_sort() {
    return engine_.define<Num>("_sort pairs", {"offset"}, [&](Script& s, Arg<Num> offset) {
      s.clear(merge_first_);
      s.clear(sorted_);
      s.append(merge_first_, 1);
      s.repeat(vocabulary_, [&](Script& s) { s.append(merge_first_, 0); });
      for_each_merge(s, [&](Script& s) {
        s.append(sorted_, 0);
        s.set(slot_, parts_[at_ + offset] + 2);
        s.replace(merge_first_, slot_ + 0, merge_first_[slot_ + 0] + 1);
      });
      s.set(at_, 1);
      s.repeat(vocabulary_, [&](Script& s) {
        s.change(at_, 1);
        s.replace(merge_first_, at_ + 0, merge_first_[at_ + 0] + merge_first_[at_ - 1]);
      });
      // Each merge takes its symbol's next place, so that places end up one symbol too far.
      for_each_merge(s, [&](Script& s) {
        s.set(slot_, parts_[order_[at_] + offset] + 1);
        s.replace(sorted_, merge_first_[slot_ + 0] + 0, order_[at_ + 0]);
        s.replace(merge_first_, slot_ + 0, merge_first_[slot_ + 0] + 1);
      });
      s.insert(merge_first_, 1, 1);
      s.erase(merge_first_, vocabulary_ + 2);
      for_each_merge(s, [&](Script& s) { s.replace(order_, at_ + 0, sorted_[at_ + 0]); });
    });
  }

  void fill_texts(Script& s) {
    for_each_merge(s, [&](Script& s) {
      auto wanted = same_text(text_of_result(), "");
      if (any_bytes_) wanted = std::move(wanted) && bytes_at_[at_ + first_] == 0;
      s.when(std::move(wanted),
             [&](Script& s) { s.replace(token_text_, at_ + first_, joined_parts()); });
    });
  }

  Expr<Str> text_of_result() { return token_text_[at_ + first_]; }
  Expr<Str> joined_parts() {
    return join(token_text_[parts_[at_ + 0] + 1], token_text_[parts_[at_ + count_] + 1]);
  }

  void forget(Script& s) {
    for (const auto* list : {&parts_, &order_, &sorted_}) s.clear(*list);
  }

  Sprite& engine_;
  int first_, count_, digits_ = 1;
  double vocabulary_;
  bool any_bytes_;
  List<Str> pair_digits_{names::kMergePairs}, token_text_{names::kTokenText};
  List<Num> bytes_at_{names::kTokenBytesAt};
  List<Num> merge_first_{names::kMergeFirst}, merge_right_{names::kMergeRight},
      merge_rank_{names::kMergeRank};
  List<Num> parts_{"_pair parts"}, order_{"_pair order"}, sorted_{"_pair sorted"};
  Var<Num> at_{"_pair at"}, slot_{"_pair slot"};
};

}  // namespace

std::optional<TokenTableBlocks> emit_token_tables(Sprite& engine, const Tokenizer& tokenizer) {
  const std::optional<MergePairs> pairs = merge_pairs(tokenizer);
  MergeLists merges = pairs ? MergeLists{} : merge_lists(tokenizer);
  TokenTexts texts = token_texts(tokenizer);
  if (pairs) {
    for (std::size_t k = 0; k < pairs->parts.size(); ++k) {
      const auto& [left, right] = pairs->parts[k];
      const auto text = [&](int id) -> Scalar& { return texts.text[static_cast<std::size_t>(id)]; };
      if (!stands_in_bytes(tokenizer.tokens[static_cast<std::size_t>(left)])) {
        text(pairs->first_result + static_cast<int>(k)) = std::string();
      }
    }
  }
  const bool any_bytes = texts.any_bytes();
  engine.list<Str>(names::kTokenText, std::move(texts.text));
  if (any_bytes) {
    engine.list<Num>(names::kTokenBytesAt, std::move(texts.bytes_at));
    engine.list<Num>(names::kTokenBytes, std::move(texts.bytes));
  }
  engine.list<Num>(names::kMergeFirst, std::move(merges.first));
  engine.list<Num>(names::kMergeRight, std::move(merges.right));
  engine.list<Num>(names::kMergeRank, std::move(merges.rank));
  if (!merges.result.empty()) engine.list<Num>(names::kMergeResult, std::move(merges.result));
  if (!pairs) return std::nullopt;
  return TableFiller(engine, *pairs, tokenizer.tokens.size(), any_bytes).emit();
}

}  // namespace sb3lm
