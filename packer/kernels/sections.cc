#include "kernels/sections.h"

#include <algorithm>
#include <string>
#include <utility>

#include "model/unicode.h"

namespace sb3lm {

using namespace blocks;

namespace {

WholeFlags flags_of(const Tokenizer& tokenizer, int id) {
  const auto found = tokenizer.whole_flags.find(id);
  return found == tokenizer.whole_flags.end() ? WholeFlags{} : found->second;
}

bool has_whole(const Tokenizer& tokenizer, bool normalized) {
  return std::any_of(tokenizer.whole.begin(), tokenizer.whole.end(), [&](const auto& entry) {
    return flags_of(tokenizer, entry.second).normalized == normalized;
  });
}

}  // namespace

std::string lacks_in_sections(const Tokenizer& tokenizer) {
  if (!in_sections(tokenizer)) return {};
  for (const auto& [id, flags] : tokenizer.whole_flags) {
    if (flags.strip_left || flags.strip_right) return "an added token with lstrip or rstrip";
    if (flags.single_word) return "an added token with single_word";
  }
  if (has_whole(tokenizer, true) && has_whole(tokenizer, false)) {
    return "added tokens of which only some are found in normalized text";
  }
  if (has_whole(tokenizer, true) && tokenizer.prefix_unless_space) {
    return "a space in front of what stands between added tokens";
  }
  return lacks_in_cuts(tokenizer);
}

SectionCutter::SectionCutter(Sprite& engine, const Tokenizer& tokenizer, const LetterReader& reader,
                             const CutTables& cuts, LetterTables::Table classes)
    : engine_(engine),
      tokenizer_(tokenizer),
      reader_(reader),
      cuts_(cuts),
      class_rows_(classes),
      wholes_are_normal_(has_whole(tokenizer, true)) {
  engine.list<Num>(codes_.name);
  if (!cuts.steps.empty()) engine.list<Num>(classes_.name);
  engine.var<Num>(at_.name);
  if (tokenizer.form != NormalForm::none) {
    former_.emplace(engine, tokenizer.form, reader.codes(), codes_);
  }
}

Proc<> SectionCutter::emit(const Proc<Num, Num>& merge_piece, const List<Num>& ids) {
  const WholeFinder whole(engine_, tokenizer_, wholes_are_normal_ ? codes_ : reader_.codes(),
                          false);
  const Part cut = StepCutter(engine_, cuts_, classes_, !wholes_are_normal_).emit(merge_piece);
  const Part read = emit_read(ids);
  const Part section = engine_.define<Num, Num>(
      "_merge section", {"from", "to"}, [&](Script& s, Arg<Num> from, Arg<Num> to) {
        s.call(read, from, to);
        if (wholes_are_normal_) {
          between_wholes(s, whole, codes_, "part", cut, ids);
        } else {
          s.call(cut, 1, codes_.length());
        }
      });
  return engine_.define<>("_merge pieces", {}, [&](Script& s) {
    if (whole.any() && !wholes_are_normal_) {
      between_wholes(s, whole, reader_.codes(), "section", section, ids);
    } else {
      s.when(reader_.codes().length() > 0,
             [&](Script& s) { s.call(section, 1, reader_.codes().length()); });
    }
  });
}

// Calls `part` with what stands between whole tokens.
void SectionCutter::between_wholes(Script& s, const WholeFinder& whole, const List<Num>& letters,
                                   const char* name, const Part& part, const List<Num>& ids) {
  const auto at = engine_.var<Num>(std::string("_between at ") + name);
  const auto start = engine_.var<Num>(std::string("_between start ") + name);
  const auto end_part = [&](Script& s) {
    s.when(start < at, [&](Script& s) { s.call(part, start, at - 1); });
  };
  for (const auto* variable : {&at, &start}) s.set(*variable, 1);
  s.repeat_until(at > letters.length(), [&](Script& s) {
    s.call(whole.find(), at);
    s.when_else(
        whole.size() > 0,
        [&](Script& s) {
          const auto id = engine_.var<Num>("_between token"),
                     size = engine_.var<Num>("_between size");
          s.set(id, whole.id());
          s.set(size, whole.size());
          end_part(s);
          s.append(ids, id);
          s.change(at, size);
          s.set(start, at + 0);
        },
        [&](Script& s) { s.change(at, 1); });
  });
  end_part(s);
}

// read section (from) (to): what becomes of these letters, and their classes.
SectionCutter::Part SectionCutter::emit_read(const List<Num>& ids) {
  const auto& typed = reader_.codes();
  std::optional<Part> form;
  if (former_) form = former_->emit();
  return engine_.define<Num, Num>("_read section", {"from", "to"},
                                  [&](Script& s, Arg<Num> from, Arg<Num> to) {
                                    if (form) {
                                      s.call(*form, from, to);
                                    } else {
                                      s.clear(codes_);
                                      s.set(at_, from + 0);
                                      s.repeat(to + 1 - from, [&](Script& s) {
                                        s.append(codes_, typed[at_ + 0]);
                                        s.change(at_, 1);
                                      });
                                    }
                                    if (tokenizer_.mark_is_space) {
                                      s.set(at_, 1);
                                      s.repeat(codes_.length(), [&](Script& s) {
                                        s.when(codes_[at_ + 0] == static_cast<double>(kSpaceMark),
                                               [&](Script& s) { s.replace(codes_, at_ + 0, ' '); });
                                        s.change(at_, 1);
                                      });
                                    }
                                    if (tokenizer_.prefix_space) add_prefix(s, ids);
                                    if (!cuts_.steps.empty()) add_classes(s);
                                  });
}

void SectionCutter::add_prefix(Script& s, const List<Num>& ids) {
  const auto insert = [&](Script& s) { s.insert(codes_, ' ', 1); };
  const auto if_wanted = [&](Script& s) {
    if (!tokenizer_.prefix_unless_space) return insert(s);
    s.when(!(codes_[1] == ' '), insert);
  };
  if (!tokenizer_.prefix_only_at_start) return if_wanted(s);
  s.when(ids.length() == 0, if_wanted);
}

void SectionCutter::add_classes(Script& s) {
  s.clear(classes_);
  s.set(at_, 1);
  s.repeat(codes_.length(), [&](Script& s) {
    s.call(reader_.find(), codes_[at_ + 0], class_rows_.first, class_rows_.last);
    s.append(classes_, reader_.value());
    s.change(at_, 1);
  });
}

}  // namespace sb3lm
