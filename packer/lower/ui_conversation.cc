// A line is a stretch of one list of glyphs. New letters go to the last line; where it is full, its
// last word moves to the next one. What a turn of the model says is drawn letter by letter as it
// comes; a turn of the user is drawn when it is whole, for its bubble is as wide as its text.
#include "lower/ui_conversation.h"

#include "model/project_names.h"

namespace sb3lm {
namespace {

using namespace blocks;

// Kinds of lines; a turn's text begins so many letters after as many as its kind says.
constexpr int kUser = 1, kModel = 2, kNote = 3, kBeforeText = 5;
static_assert(std::string_view(names::kUserTurn).size() == kUser + kBeforeText);
static_assert(std::string_view(names::kModelTurn).size() == kModel + kBeforeText);

constexpr double kTop = 121, kBottom = -99;    // middle of the first and last line
constexpr double kLineHeight = 16, kGap = 7;   // between turns
constexpr double kScrollBy = 80;               // room that is made when the stage is full
constexpr double kLeft = -136, kRight = 229;   // of the conversation
constexpr double kNotYet = 999;                // left edge of a line that is not to be drawn yet
constexpr double kTextWidth = 310, kPad = 10;  // of bubbles
constexpr int kLookFrames = 16;                // from one look at a turn that is shown to the next
constexpr const char* kBeginning = "¶";        // stands before texts that are compared
constexpr const char *kUserColor = "#4b6cb0", *kModelColor = "#e3eafa", *kPaper = "#ffffff";
constexpr const char *kUserText = "#ffffff", *kModelText = "#22304f", *kNoteText = "#6f7fa3";

class ConversationEmitter {
 public:
  ConversationEmitter(Sprite& sprite, const PenText& pen, const Proc<>& paint)
      : sprite_(sprite), pen_(pen), paint_(paint) {
    for (const auto* list : {&glyphs_, &start_, &line_y_, &kind_of_, &left_}) {
      sprite.list<Num>(list->name);
    }
    sprite.list<Str>(shown_.name);
    for (const auto* variable :
         {&covered_, &differs_, &look_, &turn_, &at_, &begun_, &speaker_, &kind_, &x_, &word_,
          &word_x_, &scroll_, &doc_y_, &first_line_, &line_, &in_view_}) {
      sprite.var<Num>(variable->name);
    }
  }

  ConversationBlocks emit() {
    const auto bubble = emit_bubble();
    aim_ = emit_aim();
    ink_ = emit_ink();
    const auto draw_line = emit_draw_line(bubble);
    const auto clear = emit_clear();
    const auto new_line = emit_new_line(draw_line);
    const auto add_letter = emit_add_letter(new_line);
    const auto finish_user = emit_finish_user(draw_line);
    const auto begin = emit_begin(new_line);
    const auto redraw = sprite_.define<>("draw conversation", {}, [&](Script& s) {
      s.set(line_, 1);
      s.repeat(start_.length(), [&](Script& s) {
        s.call(draw_line, line_);
        s.change(line_, 1);
      });
    });
    const auto note = emit_note(begin, add_letter);
    const auto follow = emit_follow({clear, begin, add_letter, finish_user});
    const auto scroll = sprite_.define<Num>("scroll by", {"pixels"}, [&](Script& s, Arg<Num> by) {
      s.change(scroll_, by);
      s.when(scroll_ > doc_y_ - kLineHeight,
             [&](Script& s) { s.set(scroll_, doc_y_ - kLineHeight); });
      s.when(scroll_ < 0, [&](Script& s) { s.set(scroll_, 0); });
    });
    return {covered_, differs_, shown_, clear, follow, redraw, emit_drag(scroll), note, scroll};
  }

 private:
  Expr<Num> count() const { return start_.length(); }
  Expr<Num> y_of(Expr<Num> line) const { return kTop + scroll_ - line_y_[std::move(line)]; }
  // Whether the last line that `aim` was called for is to be seen.
  Expr<Bool> in_view() const { return in_view_ == 1; }

  // The bubble behind one line: a thick line, and where it has a line above, its two corners.
  Proc<Num, Num, Num> emit_bubble() {
    const auto right = sprite_.var<Num>("_bubble right");
    const auto color = sprite_.var<Str>("_bubble color", "");
    return sprite_.define<Num, Num, Num>(
        "draw bubble", {"line", "left", "y"},
        [&](Script& s, Arg<Num> line, Arg<Num> left, Arg<Num> y) {
          constexpr double half = kLineHeight / 2, quarter = kLineHeight / 4;
          s.set(color, kModelColor);
          s.set(right, kLeft + kTextWidth + 2 * kPad);
          s.when(kind_of_[line + 0] == kUser, [&](Script& s) {
            s.set(color, kUserColor);
            s.set(right, kRight);
          });
          s.call(pen_.bar, color, kLineHeight + 1, left + half, y, right - half, y);
          s.when(line_y_[line + 0] - line_y_[line - 1] == kLineHeight, [&](Script& s) {
            s.call(pen_.bar, color, half, left + quarter, y, left + quarter, y + kLineHeight);
            s.call(pen_.bar, color, half, right - quarter, y, right - quarter, y + kLineHeight);
          });
        });
  }

  // Puts the pen where the text of a line begins.
  Proc<Num> emit_aim() {
    return sprite_.define<Num>("aim at line", {"line"}, [&](Script& s, Arg<Num> line) {
      s.set(pen_.x, left_[line + 0] + kPad);
      s.set(pen_.y, y_of(line + 0) - PenText::kDrop);
      s.set(in_view_, 0);
      s.when(pen_.y < kTop + 1 - PenText::kDrop && pen_.y > kBottom - 1 - PenText::kDrop &&
                 covered_ == 0 && pen_.x < kNotYet,
             [&](Script& s) { s.set(in_view_, 1); });
    });
  }
  Proc<Num> emit_ink() {
    const auto color = sprite_.var<Str>("_ink", "");
    return sprite_.define<Num>("take ink of", {"kind"}, [&](Script& s, Arg<Num> kind) {
      s.set(color, kModelText);
      s.when(kind == kUser, [&](Script& s) { s.set(color, kUserText); });
      s.when(kind == kNote, [&](Script& s) { s.set(color, kNoteText); });
      s.call(pen_.ink, color);
    });
  }

  Proc<Num> emit_draw_line(const Proc<Num, Num, Num>& bubble) {
    const auto line = sprite_.var<Num>("_draw line"), at = sprite_.var<Num>("_draw at"),
               end = sprite_.var<Num>("_draw end");
    return sprite_.define<Num>("draw line", {"line"}, [&](Script& s, Arg<Num> which) {
      s.set(line, which + 0);
      s.call(aim_, line);
      s.when(in_view(), [&](Script& s) {
        s.when(kind_of_[line] < kNote,
               [&](Script& s) { s.call(bubble, line, pen_.x - kPad, pen_.y + PenText::kDrop); });
        s.call(ink_, kind_of_[line + 0]);
        s.set(at, start_[line + 0] + 0);
        s.set(end, glyphs_.length() + 1);
        s.when(line < count(), [&](Script& s) { s.set(end, start_[line + 1] + 0); });
        s.repeat(end - at, [&](Script& s) {
          s.call(pen_.draw, glyphs_[at + 0]);
          s.change(at, 1);
        });
      });
    });
  }

  Proc<> emit_clear() {
    return sprite_.define<>("clear conversation", {}, [&](Script& s) {
      for (const auto* list : {&glyphs_, &start_, &line_y_, &kind_of_, &left_}) s.clear(*list);
      s.clear(shown_);
      for (const auto* variable : {&turn_, &scroll_, &differs_}) s.set(*variable, 0);
      s.set(at_, 1);
      s.set(doc_y_, -kLineHeight - kGap);
    });
  }

  // A line that begins with the glyph at `start`, which may have been drawn as the end of the last.
  Proc<Num, Num> emit_new_line(const Proc<Num>& draw_line) {
    return sprite_.define<Num, Num>(
        "new line", {"start", "gap"}, [&](Script& s, Arg<Num> start, Arg<Num> gap) {
          s.change(doc_y_, gap + kLineHeight);
          s.append(start_, start + 0);
          s.append(line_y_, doc_y_);
          s.append(kind_of_, kind_);
          s.append(left_, kLeft);
          s.when(kind_ == kUser, [&](Script& s) { s.replace(left_, count(), kNotYet); });
          s.when_else(
              kTop + scroll_ - doc_y_ < kBottom,
              [&](Script& s) {
                s.set(scroll_, doc_y_ + kScrollBy + (kBottom - kTop));
                s.call(paint_);
              },
              [&](Script& s) { s.call(draw_line, count()); });
        });
  }

  // The first letter's glyph brings its bubble.
  Proc<Num> emit_begin(const Proc<Num, Num>& new_line) {
    return sprite_.define<Num>("begin turn", {"kind"}, [&](Script& s, Arg<Num> kind) {
      s.set(kind_, kind + 0);
      s.set(x_, 0);
      s.set(word_, 0);
      s.call(new_line, glyphs_.length() + 1, kGap);
      s.set(first_line_, count());
    });
  }

  Proc<Str> emit_add_letter(const Proc<Num, Num>& new_line) {
    const auto wrap = emit_wrap(new_line);
    const auto width = sprite_.var<Num>("_letter width");
    const auto space = [&] { return pen_.glyph == pen_.shape_of_space; };
    return sprite_.define<Str>("add letter", {"letter"}, [&](Script& s, Arg<Str> one) {
      s.when_else(
          same_text(one, "\n"),
          [&](Script& s) {
            s.when(glyphs_.length() > 0, [&](Script& s) {
              s.call(new_line, glyphs_.length() + 1, 0);
              s.set(x_, 0);
              s.set(word_, 0);
            });
          },
          [&](Script& s) {
            s.call(pen_.find, one);
            s.set(width, pen_.width_of(pen_.glyph) * PenText::kScale);
            s.when(!(x_ == 0 && space()), [&](Script& s) {
              s.when(x_ + width > kTextWidth && !space(), [&](Script& s) { s.call(wrap); });
              s.append(glyphs_, pen_.glyph);
              s.when(kind_ > kUser && in_view(), [&](Script& s) { s.call(pen_.draw, pen_.glyph); });
              s.change(x_, width);
              s.when(space(), [&](Script& s) {
                s.set(word_, glyphs_.length() + 1);
                s.set(word_x_, x_);
              });
            });
          });
    });
  }

  // Ends the full line, before its last word if it has others.
  Proc<> emit_wrap(const Proc<Num, Num>& new_line) {
    const auto glyph = sprite_.var<Num>("_wrapped glyph");
    return sprite_.define<>("wrap", {}, [&](Script& s) {
      s.set(glyph, pen_.glyph);
      s.when_else(
          word_ > 0,
          [&](Script& s) {
            s.when(kind_ > kUser && in_view() && x_ > word_x_, [&](Script& s) { wipe_word(s); });
            s.change(x_, 0 - word_x_);
            s.call(new_line, word_, 0);
          },
          [&](Script& s) {
            s.set(x_, 0);
            s.call(new_line, glyphs_.length() + 1, 0);
          });
      s.set(word_, 0);
      s.set(pen_.glyph, glyph);
    });
  }

  void wipe_word(Script& s) {
    constexpr double half = kLineHeight / 2;
    const auto color = sprite_.var<Str>("_wipe color", "");
    s.set(color, kPaper);
    s.when(kind_ == kModel, [&](Script& s) { s.set(color, kModelColor); });
    s.call(pen_.bar, color, kLineHeight, kLeft + kPad + half - 4 + word_x_, pen_.y + PenText::kDrop,
           kLeft + kTextWidth + 2 * kPad - half, pen_.y + PenText::kDrop);
  }

  // The bubble of a single line is as wide as its text.
  Proc<> emit_finish_user(const Proc<Num>& draw_line) {
    return sprite_.define<>("finish user's turn", {}, [&](Script& s) {
      s.when(count() > first_line_, [&](Script& s) { s.set(x_, kTextWidth); });
      s.set(line_, first_line_);
      s.repeat(count() + 1 - first_line_, [&](Script& s) {
        s.replace(left_, line_ + 0, kRight - 2 * kPad - x_);
        s.call(draw_line, line_);
        s.change(line_, 1);
      });
    });
  }

  Proc<Str> emit_note(const Proc<Num>& begin, const Proc<Str>& add_letter) {
    const auto at = sprite_.var<Num>("_note at");
    return sprite_.define<Str>("note", {"text"}, [&](Script& s, Arg<Str> text) {
      s.call(begin, kNote);
      s.set(begun_, 0);  // what follows of a turn gets a bubble of its own
      s.set(at, 1);
      s.repeat(length(text), [&](Script& s) {
        s.call(add_letter, letter(at, text));
        s.change(at, 1);
      });
    });
  }

  // With screen refresh: one turn a frame.
  Proc<> emit_drag(const Proc<Num>& scroll) {
    const auto from = sprite_.var<Num>("_drag from"), by = sprite_.var<Num>("_drag by");
    const auto follow = sprite_.define<>("follow finger", {}, [&](Script& s) {
      s.set(by, mouse_y() - from);
      s.when(!(by == 0), [&](Script& s) {
        s.change(from, by);
        s.call(scroll, by);
        s.call(paint_);
      });
    });
    return sprite_.define_yielding<>("drag conversation", {}, [&](Script& s) {
      s.set(from, mouse_y());
      s.when(mouse_x() > kLeft && from < kTop + kLineHeight && from > kBottom - kLineHeight,
             [&](Script& s) { s.repeat_until(!mouse_down(), [&](Script& s) { s.call(follow); }); });
    });
  }

  struct FollowParts {
    const Proc<>& clear;
    const Proc<Num>& begin;
    const Proc<Str>& add_letter;
    const Proc<>& finish_user;
  };
  Proc<> emit_follow(FollowParts parts) {
    const auto text = [&] { return transcript_[turn_ + 0]; };
    const auto ended = [&] { return at_ > length(text()); };
    const auto taken = sprite_.var<Str>("_taken", "");
    const auto take_letter = [&](Script& s) {
      s.set(taken, join(taken, letter(at_, text())));
      s.change(at_, 1);
    };
    const auto add_rest = sprite_.define<>("add what is new", {}, [&](Script& s) {
      s.when_else(
          begun_ == 0,
          [&](Script& s) {
            s.call(parts.begin, speaker_);
            s.set(begun_, 1);
          },
          [&](Script& s) {
            s.call(aim_, count());
            s.call(ink_, kind_);
            s.change(pen_.x, x_);
          });
      s.repeat_until(ended(), [&](Script& s) {
        s.call(parts.add_letter, letter(at_, text()));
        take_letter(s);
      });
      s.when(kind_ == kUser, [&](Script& s) { s.call(parts.finish_user); });
      s.replace(shown_, turn_ + 0, taken);
    });
    const auto look_again = emit_look_again();
    return sprite_.define<>("follow transcript", {}, [&](Script& s) {
      s.when(!ended(), [&](Script& s) { s.call(add_rest); });
      s.repeat_until(!(turn_ < transcript_.length()), [&](Script& s) {
        s.change(turn_, 1);
        s.set(begun_, 0);
        s.set(speaker_, kModel);
        s.when(same_text(letter(1, text()), "u"), [&](Script& s) { s.set(speaker_, kUser); });
        s.set(taken, "");
        s.set(at_, 1);
        s.repeat(speaker_ + kBeforeText, take_letter);
        s.append(shown_, taken);
        s.when(!ended(), [&](Script& s) { s.call(add_rest); });
      });
      s.call(look_again);
    });
  }

  // One turn after the other is compared letter by letter, for texts with other capitals or other
  // ends of items look the same to `outdated`.
  Proc<> emit_look_again() {
    const auto at = sprite_.var<Num>("_look at"), capital = sprite_.var<Num>("_look capital");
    const auto text = [&](const List<Str>& list) { return list[look_ + 0]; };
    const auto differ = [&](Script& s) { s.set(differs_, 1); };
    const auto compare = sprite_.define<>("compare turn", {}, [&](Script& s) {
      s.set(at, 1);
      s.repeat(length(text(shown_)), [&](Script& s) {
        switch_to_capital(s, letter(at, text(shown_)));
        s.set(capital, costume_number());
        switch_to_capital(s, letter(at, text(transcript_)));
        s.when(!(costume_number() == capital), differ);
        s.change(at, 1);
      });
      s.when(!same_text(join(kBeginning, text(shown_)), join(kBeginning, text(transcript_))),
             differ);
    });
    return sprite_.define<>("look again", {}, [&](Script& s) {
      s.change(look_, 1.0 / kLookFrames);
      s.when(!(look_ < turn_ + 1), [&](Script& s) { s.set(look_, 1); });
      s.when(floor(look_) == look_, [&](Script& s) { s.call(compare); });
    });
  }

  Sprite& sprite_;
  const PenText& pen_;
  const Proc<>& paint_;
  Proc<Num> aim_, ink_;
  const List<Str> transcript_{names::kTranscript}, shown_{"_shown turns"};
  List<Num> glyphs_{"_shown glyphs"}, start_{"_line start"}, line_y_{"_line y"},
      kind_of_{"_line kind"}, left_{"_line left"};
  Var<Num> covered_{"_covered"}, differs_{"_differs"}, look_{"_look"}, turn_{"_shown turn"},
      at_{"_shown at"}, begun_{"_turn begun"}, speaker_{"_turn speaker"}, kind_{"_turn kind"},
      x_{"_line x"}, word_{"_word start"}, word_x_{"_word x"}, scroll_{"_scroll"},
      doc_y_{"_last line y"}, first_line_{"_turn first line"}, in_view_{"_in view"}, line_{"_line"};
};

}  // namespace

// Every frame, so with few blocks: `contains` is as quick as the player.
Expr<Bool> ConversationBlocks::outdated() const {
  return differs == 1 || !contains(join(kBeginning, List<Str>(names::kTranscript).contents()),
                                   join(kBeginning, shown.contents()));
}

ConversationBlocks emit_conversation(Sprite& sprite, const PenText& pen, const Proc<>& paint) {
  return ConversationEmitter(sprite, pen, paint).emit();
}

}  // namespace sb3lm
