// Text to token ids, in blocks. Letters become code points (letter_reader.h); then the text is cut
// into pieces and each piece is merged in a linked list that remembers the rank of every adjacent
// pair.
//
// More kinds of tokenizers hook in between these three: what normalises text (rewriter.h, for
// SentencePiece's rules) rewrites the list of code points; added tokens, normal forms and patterns
// go by sections (sections.h); Unigram is another way from a piece to ids.
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/letter_reader.h"
#include "kernels/piece_joiner.h"
#include "kernels/rewriter.h"
#include "kernels/rule_tables.h"
#include "kernels/sections.h"
#include "kernels/text.h"
#include "kernels/text_tables.h"
#include "model/project_names.h"
#include "model/unicode.h"

namespace sb3lm {
namespace {

using namespace blocks;
using scratch::Scalar;

constexpr double kNoMerge = 1e9;  // above every rank

// One piece of code points to ids: symbols in a linked list, each with the rank of the pair that it
// starts. A walk over the list merges every pair of the best rank, so that the number of walks is
// that of distinct ranks and not of merges.
class PieceMerger {
 public:
  PieceMerger(Sprite& engine, const Tokenizer& tokenizer, const LetterReader& reader,
              LetterTables::Table letter_ids)
      : engine_(engine),
        tokenizer_(tokenizer),
        add_letter_(emit_add_letter(tokenizer, reader, letter_ids)) {
    kind_ = merge_lists(tokenizer).kind;
    for (const auto* list : {&symbols_, &next_, &previous_, &ranks_}) engine_.list<Num>(list->name);
    if (kind_ == MergeLists::Result::by_merge) engine_.list<Num>(pairs_.name);
    for (const auto* variable : {&at_, &pair_, &pair_rank_, &best_rank_}) {
      engine_.var<Num>(variable->name);
    }
  }

  // merge piece (from) (to): appends the ids of these letters.
  Proc<Num, Num> emit(const List<Num>& codes, const List<Num>& ids) {
    const auto find_merge = emit_find_merge();
    const auto walk = emit_walk(find_merge);
    const auto start = emit_start(find_merge, codes);
    const auto add_id = emit_add_id(ids);
    std::optional<Proc<Num>> join;
    if (!tokenizer_.joined.empty()) join = emit_piece_joiner(engine_, tokenizer_, ids);
    const Var<Num> before("_merge before");
    if (join) engine_.var<Num>(before.name);
    return engine_.define<Num, Num>(
        "_merge piece", {"from", "to"}, [&](Script& s, Arg<Num> from, Arg<Num> to) {
          s.call(start, from, to);
          s.repeat_until(best_rank_ == kNoMerge, [&](Script& s) { s.call(walk); });
          if (join) s.set(before, ids.length());
          s.set(at_, 1);
          s.repeat_until(at_ > symbols_.length() || at_ == 0, [&](Script& s) {
            // A call makes players forget that a variable is a number.
            const bool calls = !tokenizer_.undone.empty();
            add_id(s, calls ? symbols_[at_ + 0] : symbols_[at_]);
            s.set(at_, (calls ? next_[at_ + 0] : next_[at_]) + 0);
          });
          if (join) s.call(*join, before);
        });
  }

 private:
  using AddId = std::function<void(Script&, Expr<Num>)>;

  // How an id is appended: an unused token's parts, one unknown token for several in a row.
  AddId emit_add_id(const List<Num>& ids) {
    const AddId append = [this, &ids](Script& s, Expr<Num> id) {
      if (!tokenizer_.fuse_unknown || tokenizer_.byte_token[0] >= 0) {
        s.append(ids, std::move(id));
        return;
      }
      const int unknown = tokenizer_.unknown;
      s.when(!(copy(id) == unknown && ids[ids.length()] == unknown),
             [&](Script& s) { s.append(ids, copy(id)); });
    };
    if (tokenizer_.undone.empty()) return append;
    UndoneTables tables = undone_tables(tokenizer_);
    const auto unused = engine_.list<Num>("_token undone", std::move(tables.ids));
    const auto places = engine_.list<Num>("_token undone places", std::move(tables.places));
    const auto parts = engine_.list<Num>("_token undone parts", std::move(tables.parts));
    const auto place = engine_.var<Num>("_merge undone");
    const auto add = engine_.define<Num>("_merge out", {"id"}, [&](Script& s, Arg<Num> id) {
      s.set(place, unused.index_of(id));
      s.when_else(
          place == 0, [&](Script& s) { append(s, id + 0); },
          [&](Script& s) {
            s.set(place, places[place] + 0);
            s.repeat(parts[place], [&](Script& s) {
              s.change(place, 1);
              append(s, parts[place + 0]);
            });
          });
    });
    return [add](Script& s, Expr<Num> id) { s.call(add, std::move(id)); };
  }

  // A letter's symbols: its own, or those of its bytes in UTF-8.
  Proc<Num> emit_add_letter(const Tokenizer& tokenizer, const LetterReader& reader,
                            LetterTables::Table ids) {
    const auto push_bytes = emit_push_bytes(tokenizer);
    if (tokenizer.kind == TokenizerKind::byte_bpe) return push_bytes;
    return engine_.define<Num>("_start letter", {"code"}, [&](Script& s, Arg<Num> code) {
      s.call(reader.find(), code, ids.first, ids.last);
      s.when_else(
          reader.value() > -1, [&](Script& s) { s.append(symbols_, reader.value()); },
          [&](Script& s) { add_unknown(s, tokenizer, code, push_bytes); });
    });
  }

  // A letter that is no symbol: its bytes, a space being those of its mark where rules say so.
  void add_unknown(Script& s, const Tokenizer& tokenizer, const Arg<Num>& code,
                   const Proc<Num>& push_bytes) {
    const auto push = [&](Script& s) { s.call(push_bytes, code); };
    if (!tokenizer.rules.present || tokenizer.alphabet.contains(" ")) return push(s);
    s.when_else(
        code == ' ', [&](Script& s) { s.call(push_bytes, static_cast<double>(kSpaceMark)); }, push);
  }

  Proc<Num> emit_push_bytes(const Tokenizer& tokenizer) {
    const auto push = emit_push_byte(tokenizer);
    return engine_.define<Num>("_start bytes", {"code"}, [&](Script& s, Arg<Num> code) {
      const auto rest = [&](Script& s, int below) {
        s.call(push, mod(floor(code / below), 64) + 128);
      };
      s.when_else(
          code < 128, [&](Script& s) { s.call(push, code); },
          [&](Script& s) {
            s.when_else(
                code < 2048, [&](Script& s) { s.call(push, floor(code / 64) + 192); },
                [&](Script& s) {
                  s.when_else(
                      code < 65536, [&](Script& s) { s.call(push, floor(code / 4096) + 224); },
                      [&](Script& s) {
                        s.call(push, floor(code / 262144) + 240);
                        rest(s, 4096);
                      });
                  rest(s, 64);
                });
            s.call(push, mod(code, 64) + 128);
          });
    });
  }

  // Appends the symbol of a byte, if it has one.
  Proc<Num> emit_push_byte(const Tokenizer& tokenizer) {
    const std::array<int, 256>& ids = tokenizer.byte_token;
    bool in_order = ids[0] >= 0;
    for (int byte = 0; byte < 256; ++byte) {
      in_order = in_order && ids[static_cast<std::size_t>(byte)] == ids[0] + byte;
    }
    if (in_order) {
      return engine_.define<Num>("_start byte", {"byte"}, [&](Script& s, Arg<Num> byte) {
        s.append(symbols_, byte + ids[0]);
      });
    }
    const auto list = engine_.list<Num>("_letter bytes", byte_ids(tokenizer));
    return engine_.define<Num>("_start byte", {"byte"}, [&](Script& s, Arg<Num> byte) {
      s.when(list[byte + 1] > -1, [&](Script& s) { s.append(symbols_, list[byte + 1] + 0); });
    });
  }

  // Sets _pair to the place of the merge of two symbols and _pair rank to its rank.
  Proc<Num, Num> emit_find_merge() {
    const auto middle = engine_.var<Num>("_merge middle"), end = engine_.var<Num>("_merge end");
    return engine_.define<Num, Num>(
        "_find merge", {"left", "right"}, [&](Script& s, Arg<Num> left, Arg<Num> right) {
          s.set(pair_, merge_first_[left + 1] + 0);
          s.set(end, merge_first_[left + 2] - 1);
          s.repeat_until(!(pair_ < end), [&](Script& s) {
            s.set(middle, floor((pair_ + end) / 2));
            s.when_else(
                merge_right_[middle] < right, [&](Script& s) { s.set(pair_, middle + 1); },
                [&](Script& s) { s.set(end, middle); });
          });
          s.set(pair_rank_, kNoMerge);
          s.when(pair_ == end && merge_right_[pair_] == right,
                 [&](Script& s) { s.set(pair_rank_, merge_rank_[pair_]); });
        });
  }

  // Symbols and pair ranks of a piece; the first walk's rank.
  Proc<Num, Num> emit_start(const Proc<Num, Num>& find_merge, const List<Num>& codes) {
    return engine_.define<Num, Num>(
        "_start piece", {"from", "to"}, [&](Script& s, Arg<Num> from, Arg<Num> to) {
          for (const auto* list : {&symbols_, &next_, &previous_, &ranks_}) s.clear(*list);
          if (kind_ == MergeLists::Result::by_merge) s.clear(pairs_);
          s.set(at_, from + 0);
          s.repeat(to + 1 - from, [&](Script& s) {
            s.call(add_letter_, codes[at_ + 0]);
            s.change(at_, 1);
          });
          s.set(best_rank_, kNoMerge);
          s.set(at_, 1);
          s.repeat(symbols_.length(), [&](Script& s) { start_symbol(s, find_merge); });
          s.when(at_ > 1, [&](Script& s) { s.replace(next_, at_ - 1, 0); });
        });
  }

  void start_symbol(Script& s, const Proc<Num, Num>& find_merge) {
    s.set(pair_rank_, kNoMerge);
    s.when(at_ < symbols_.length(),
           [&](Script& s) { s.call(find_merge, symbols_[at_ + 0], symbols_[at_ + 1]); });
    s.append(ranks_, pair_rank_);
    if (kind_ == MergeLists::Result::by_merge) s.append(pairs_, pair_);
    keep_best(s);
    s.append(previous_, at_ - 1);
    s.append(next_, at_ + 1);
    s.change(at_, 1);
  }

  void keep_best(Script& s) {
    s.when(pair_rank_ < best_rank_, [&](Script& s) { s.set(best_rank_, pair_rank_); });
  }

  void store_pair(Script& s, const Var<Num>& at) {
    s.replace(ranks_, at, pair_rank_);
    if (kind_ == MergeLists::Result::by_merge) s.replace(pairs_, at, pair_);
  }

  // The id that the pair starting at a symbol becomes.
  Expr<Num> result_at(const Var<Num>& at) const {
    switch (kind_) {
      case MergeLists::Result::is_rank:
        return ranks_[at];
      case MergeLists::Result::by_rank:
        return merge_result_[ranks_[at] + 0];
      case MergeLists::Result::by_merge:
        return merge_result_[pairs_[at] + 0];
    }
    return ranks_[at];
  }

  // Merges the pairs of the best rank from left to right and finds the next best rank. Ends early
  // where a new pair has to merge before those further right.
  Proc<> emit_walk(const Proc<Num, Num>& find_merge) {
    const auto rank = engine_.var<Num>("_merge walk rank"),
               near = engine_.var<Num>("_merge neighbour"),
               go_on = engine_.var<Num>("_merge walk at");
    return engine_.define<>("_merge best pairs", {}, [&](Script& s) {
      s.set(rank, best_rank_);
      s.set(best_rank_, kNoMerge);
      s.set(at_, 1);
      s.repeat_until(at_ == 0, [&](Script& s) {
        s.set(pair_rank_, ranks_[at_]);
        s.when_else(
            pair_rank_ == rank,
            [&](Script& s) {
              s.set(go_on, at_);
              join_with_next(s, find_merge, near);
              s.when(pair_rank_ < rank, [&](Script& s) {
                s.set(best_rank_, pair_rank_);
                s.set(go_on, 0);
              });
              update_previous(s, find_merge, {&rank, &near, &go_on});
              s.set(at_, go_on);
            },
            [&](Script& s) {
              keep_best(s);
              s.set(at_, next_[at_] + 0);
            });
      });
    });
  }

  void join_with_next(Script& s, const Proc<Num, Num>& find_merge, const Var<Num>& near) {
    s.replace(symbols_, at_, result_at(at_));
    s.set(near, next_[next_[at_] + 0] + 0);
    s.replace(next_, at_, near);
    s.set(pair_rank_, kNoMerge);
    s.when(near > 0, [&](Script& s) {
      s.replace(previous_, near, at_);
      s.call(find_merge, symbols_[at_ + 0], symbols_[near + 0]);
    });
    store_pair(s, at_);
  }

  struct WalkState {
    const Var<Num>*rank, *near, *go_on;
  };
  // The pair before the new symbol is further left, so it goes first at the same rank too.
  void update_previous(Script& s, const Proc<Num, Num>& find_merge, WalkState walk) {
    s.set(*walk.near, previous_[at_] + 0);
    s.when(*walk.near > 0, [&](Script& s) {
      s.call(find_merge, symbols_[*walk.near + 0], symbols_[at_ + 0]);
      store_pair(s, *walk.near);
      keep_best(s);
      s.when(!(pair_rank_ > *walk.rank), [&](Script& s) { s.set(*walk.go_on, 0); });
    });
  }

  Sprite& engine_;
  const Tokenizer& tokenizer_;
  MergeLists::Result kind_ = MergeLists::Result::is_rank;
  List<Num> merge_first_{names::kMergeFirst}, merge_right_{names::kMergeRight};
  List<Num> merge_rank_{names::kMergeRank}, merge_result_{names::kMergeResult};
  List<Num> symbols_{"_piece symbols"}, next_{"_piece next"}, previous_{"_piece previous"};
  List<Num> ranks_{"_piece ranks"}, pairs_{"_piece pairs"};  // of the pair that each symbol starts
  Var<Num> at_{"_merge at"}, pair_{"_merge pair"}, pair_rank_{"_merge pair rank"},
      best_rank_{"_merge best rank"};
  Proc<Num> add_letter_;
};

// Cuts the letters into pieces and merges each.
class Cutter {
 public:
  /// `codes`: what is cut, the reader's letters or what rules have made of them.
  Cutter(Sprite& engine, const LetterReader& reader, const List<Num>& codes)
      : engine_(engine),
        codes_(codes),
        classes_(reader.classes()),
        at_(engine.var<Num>("_cut at")),
        end_(engine.var<Num>("_cut end")) {}

  Proc<> emit(const Tokenizer& tokenizer, const Proc<Num, Num>& merge_piece, const List<Num>& ids) {
    const Proc<> find_cut = emit_find_cut(piece_cut(tokenizer));
    const WholeFinder whole(engine_, tokenizer, codes_, false);
    return whole.any() ? emit_loop_around(whole, merge_piece, find_cut, ids)
                       : emit_loop(merge_piece, find_cut);
  }

 private:
  Proc<> emit_find_cut(Cut cut) {
    if (cut == Cut::gpt2) return emit_gpt2_end();
    return engine_.define<>("_find cut", {}, [&](Script& s) {
      if (cut == Cut::none) {
        s.set(end_, codes_.length());
        return;
      }
      s.set(end_, at_ + 0);
      auto starts_piece = codes_[end_ + 1] == ' ';
      if (cut == Cut::space_after_letter) {
        starts_piece = std::move(starts_piece) && !(codes_[end_] == ' ');
      }
      s.repeat_until(!(end_ < codes_.length()) || std::move(starts_piece),
                     [&](Script& s) { s.change(end_, 1); });
    });
  }

  // A piece ends before a whole token too, which is appended as it is.
  Proc<> emit_loop_around(const WholeFinder& whole, const Proc<Num, Num>& merge_piece,
                          const Proc<>& find_cut, const List<Num>& ids) {
    const auto last = engine_.var<Num>("_cut last"), at = engine_.var<Num>("_cut whole at");
    return engine_.define<>("_merge pieces", {}, [&](Script& s) {
      s.set(at_, 1);
      s.repeat_until(at_ > codes_.length(), [&](Script& s) {
        s.call(whole.find(), at_);
        s.when_else(
            whole.size() > 0,
            [&](Script& s) {
              s.append(ids, whole.id());
              s.change(at_, whole.size());
            },
            [&](Script& s) {
              s.call(find_cut);
              s.set(last, at_ + 0);
              s.set(at, at_ + 1);
              s.repeat_until(at > end_, [&](Script& s) {
                s.call(whole.find(), at);
                s.when_else(
                    whole.size() > 0, [&](Script& s) { s.set(at, end_ + 1); },
                    [&](Script& s) {
                      s.set(last, at + 0);
                      s.change(at, 1);
                    });
              });
              s.call(merge_piece, at_, last);
              s.set(at_, last + 1);
            });
      });
    });
  }

  Proc<> emit_loop(const Proc<Num, Num>& merge_piece, const Proc<>& find_cut) {
    return engine_.define<>("_merge pieces", {}, [&](Script& s) {
      s.set(at_, 1);
      s.repeat_until(at_ > codes_.length(), [&](Script& s) {
        s.call(find_cut);
        s.call(merge_piece, at_, end_);
        s.set(at_, end_ + 1);
      });
    });
  }

  // GPT-2's pattern: 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
  Proc<> emit_gpt2_end() {
    const auto run_class = engine_.var<Num>("_cut class"), tail = engine_.var<Num>("_cut tail");
    return engine_.define<>("_find cut", {}, [&](Script& s) {
      s.set(tail, 0);  // letters of a contraction after its apostrophe
      s.when(is(at_ + 0, '\''), [&](Script& s) { find_contraction(s, tail); });
      s.set(end_, at_ + tail);
      s.when(tail == 0, [&](Script& s) {
        s.when(is(at_ + 0, ' ') && at_ < codes_.length() && !class_is(at_ + 1, kSpace),
               [&](Script& s) { s.change(end_, 1); });
        s.set(run_class, classes_[end_] + 0);
        s.repeat_until(!(classes_[end_ + 1] == run_class), [&](Script& s) { s.change(end_, 1); });
        // Of several spaces before a word, the last one is left to it.
        s.when(run_class == kSpace && end_ > at_ && end_ < codes_.length(),
               [&](Script& s) { s.change(end_, -1); });
      });
    });
  }

  void find_contraction(Script& s, const Var<Num>& tail) {
    const auto pair = [&](char first, char second) {
      return is(at_ + 1, first) && is(at_ + 2, second);
    };
    s.when((is(at_ + 1, 's') || is(at_ + 1, 't')) || (is(at_ + 1, 'm') || is(at_ + 1, 'd')),
           [&](Script& s) { s.set(tail, 1); });
    s.when((pair('r', 'e') || pair('v', 'e')) || pair('l', 'l'),
           [&](Script& s) { s.set(tail, 2); });
  }

  Expr<Bool> is(Expr<Num> at, char letter) const { return codes_[std::move(at)] == letter; }
  Expr<Bool> class_is(Expr<Num> at, int letter_class) const {
    return classes_[std::move(at)] == letter_class;
  }

  static constexpr int kSpace = static_cast<int>(CharClass::space) + 1;
  Sprite& engine_;
  const List<Num>& codes_;
  const List<Num>& classes_;
  Var<Num> at_, end_;
};

// The letters in sections, each of which is read, cut and merged.
TokenizeBlocks emit_by_sections(Sprite& engine, const Tokenizer& tokenizer,
                                const TypedLetters& letters, const List<Num>& ids, bool lowers) {
  const CutTables cuts = cut_tables(tokenizer, letters, tokenizer.form != NormalForm::none);
  const LetterTables tables = letter_tables(letters, tokenizer, &cuts.classes);
  LetterReader reader(engine, tokenizer, tables, lowers);
  PieceMerger merger(engine, tokenizer, reader, tables.ids);
  SectionCutter cutter(engine, tokenizer, reader, cuts, tables.classes);
  const auto read = reader.emit(ids);
  const auto merge_pieces = cutter.emit(merger.emit(cutter.codes(), ids), ids);
  const auto encode = engine.define<Str>("encode", {"text"}, [&](Script& s, Arg<Str> text) {
    s.call(read, text);
    s.call(merge_pieces);
  });
  return {encode, reader.lowered()};
}

}  // namespace

std::string lacks_in_blocks(const Tokenizer& tokenizer) {
  return lacks_in_sections(tokenizer);
}

TokenizeBlocks emit_tokenize(Sprite& engine, const Tokenizer& tokenizer,
                             const TypedLetters& letters, const List<Num>& ids, bool lowers) {
  if (in_sections(tokenizer)) return emit_by_sections(engine, tokenizer, letters, ids, lowers);
  const LetterTables tables = letter_tables(letters, tokenizer);
  LetterReader reader(engine, tokenizer, tables, lowers);
  PieceMerger merger(engine, tokenizer, reader, tables.ids);
  std::optional<LetterRewriter> rewriter;
  if (tokenizer.rules.present) rewriter.emplace(engine, tokenizer, reader);
  const List<Num>& codes = rewriter ? rewriter->codes() : reader.codes();
  Cutter cutter(engine, reader, codes);
  const auto read = reader.emit(ids);
  std::optional<Proc<>> rewrite;
  if (rewriter) rewrite = rewriter->emit();
  const auto merge_pieces = cutter.emit(tokenizer, merger.emit(codes, ids), ids);
  const auto encode = engine.define<Str>("encode", {"text"}, [&](Script& s, Arg<Str> text) {
    s.call(read, text);
    if (rewrite) s.call(*rewrite);
    s.call(merge_pieces);
  });
  return {encode, reader.lowered()};
}

}  // namespace sb3lm
