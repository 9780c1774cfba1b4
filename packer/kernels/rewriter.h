// A text's letters after the tokenizer's rules (model/text_rules.h), in blocks: letters that become
// others, letters with marks that join, spaces that go. And the tokens that stand for their letters
// as they are.
#pragma once

#include "kernels/letter_reader.h"
#include "model/rule_names.h"
#include "model/tokenizer.h"
#include "scratch/script.h"

namespace sb3lm {

/// find(place): sets size() to how many letters from there on are a whole token, and id() to which.
class WholeFinder {
 public:
  /// `typed`: in letters before the rules. Nothing is emitted for a tokenizer without such tokens.
  WholeFinder(blocks::Sprite& engine, const Tokenizer& tokenizer,
              const blocks::List<blocks::Num>& letters, bool typed);

  bool any() const { return any_; }
  const blocks::Proc<blocks::Num>& find() const { return find_; }
  const blocks::Var<blocks::Num>& size() const { return size_; }
  const blocks::Var<blocks::Num>& id() const { return id_; }

 private:
  void emit(blocks::Sprite& engine, const blocks::List<blocks::Num>& letters, const char* name);

  bool any_;
  blocks::List<blocks::Num> starts_, places_, texts_;
  blocks::Var<blocks::Num> size_, id_;
  blocks::Proc<blocks::Num> find_;
};

class LetterRewriter {
 public:
  LetterRewriter(blocks::Sprite& engine, const Tokenizer& tokenizer, const LetterReader& reader);

  /// read by rules: fills codes() from the reader's.
  blocks::Proc<> emit();
  const blocks::List<blocks::Num>& codes() const { return codes_; }

 private:
  void declare();
  void emit_put();
  void emit_join();
  void join_hangul(blocks::Script& s, const blocks::Arg<blocks::Num>& left,
                   const blocks::Arg<blocks::Num>& right);
  void look_up_pair(blocks::Script& s, const blocks::Arg<blocks::Num>& left,
                    const blocks::Arg<blocks::Num>& right);
  void read_rule(blocks::Script& s);
  void take(blocks::Script& s, const WholeFinder& whole);
  void take_letter(blocks::Script& s);
  void release(blocks::Script& s);
  bool joins() const;

  blocks::Sprite& engine_;
  const Tokenizer& tokenizer_;
  const blocks::List<blocks::Num>& typed_;
  LetterTables::Table letters_, marks_;
  int mark_count_ = 0;
  blocks::List<blocks::Num> codes_{"_letter rewritten"}, rows_{names::kRuleRows},
      texts_{names::kRuleTexts}, pairs_{names::kRulePairs}, results_{names::kRuleResults};
  blocks::Var<blocks::Num> at_{"_rule at"}, value_{"_rule value"}, count_{"_rule count"},
      held_{"_rule held"}, joined_{"_rule joined"}, result_{"_rule result"}, row_{"_rule row"},
      end_{"_rule end"}, middle_{"_rule middle"}, after_space_{"_rule after space"};
  blocks::Proc<blocks::Num, blocks::Num, blocks::Num> find_;
  blocks::Proc<blocks::Num> put_;
  blocks::Proc<blocks::Num, blocks::Num> join_;
};

}  // namespace sb3lm
