#include "lower/reply.h"

#include "lower/stop_words.h"
#include "model/project_names.h"

namespace sb3lm {

using namespace blocks;

namespace {

// Players step 30 times a second, and a script that gives way before the next step is due waits for
// it, as something is drawn in nearly every step. Where drawing takes long, the script works longer
// before it gives way again; a key may wait for two such steps, and must not wait for half a
// second.
constexpr double kStepMs = 34, kLongestStepMs = 150, kWorkPerPause = 8;

class ReplyEmitter {
 public:
  ReplyEmitter(Sprite& engine, const ScriptParts& parts, const Requests& requests,
               const History& history)
      : engine_(engine),
        p_(parts),
        requests_(requests),
        history_(history),
        next_(engine.var<Num>("_next token")),
        whole_(engine.var<Num>("_next whole")),
        at_(engine.var<Num>("_run at")),
        count_(engine.var<Num>("_run count")),
        first_time_(engine.var<Num>("_run first time")),
        last_time_(engine.var<Num>("_run last time")),
        step_start_(engine.var<Num>("_run step start")),
        step_end_(engine.var<Num>("_run step end")),
        step_length_(engine.var<Num>("_run step length")) {
    if (p_.text) stop_words_.emplace(emit_stop_words(engine, p_.stage, p_.text->text));
  }

  Proc<> emit() {
    const auto see_prompt = engine_.define<>("see prompt", {}, [&](Script& s) {
      s.set(at_, 1);
      s.repeat(p_.stage.prompt_tokens.length(), [&](Script& s) {
        s.call(p_.sample.see, p_.stage.prompt_tokens[at_ + 0]);
        s.change(at_, 1);
      });
    });
    const auto choose = emit_choose();
    const auto finish_token = emit_finish_token();
    const auto work = emit_work(choose, finish_token);
    const auto in_steps = [&](Script& s) {
      s.call(choose);
      s.when(!ended(), [&](Script& s) {
        s.call(*p_.forward.token_in_steps, next_, whole_);
        s.call(finish_token);
      });
    };
    return engine_.define_yielding<>("run", {}, [&](Script& s) {
      s.call(see_prompt);
      s.set(count_, 0);
      s.set(p_.stage.seconds_per_token, 0);
      s.set(p_.stage.tokens_per_second, 0);
      if (p_.text) {
        s.set(p_.text->text, "");
        s.call(p_.text->detokenize.begin);
      }
      s.set(at_, 1);
      s.repeat_until(ended(), [&](Script& s) {
        if (!p_.forward.token_in_steps) {
          s.call(*work);
        } else if (!work) {
          in_steps(s);
        } else {
          s.when_else(
              p_.workspace.compiled == 1, [&](Script& s) { s.call(*work); }, in_steps);
        }
      });
      s.set(p_.stage.progress, 100);
    });
  }

 private:
  Expr<Bool> prefilled() const { return at_ > p_.stage.prompt_tokens.length(); }
  Expr<Bool> ended() const { return !same_text(p_.stage.stop_reason, "") || requests_.replaced(); }

  // Where logits are wanted: them, in the lists.
  Proc<> emit_finish_token() {
    const auto at = engine_.var<Num>("_record at");
    const auto record = engine_.define<>("record", {}, [&](Script& s) {
      s.set(at, p_.layout.logits_at());
      s.repeat(p_.model.spec.vocabulary, [&](Script& s) {
        s.append(p_.stage.logits, p_.workspace.act[at + 0] + 0);
        s.change(at, 1);
      });
    });
    return engine_.define<>("finish token", {}, [&](Script& s) {
      s.when(whole_ == 1, [&](Script& s) {
        s.call(p_.forward.head);
        s.when(p_.stage.record_logits > 0, [&](Script& s) { s.call(record); });
      });
    });
  }

  // Where blocks are compiled: token after token until the player's next step is due.
  std::optional<Proc<>> emit_work(const Proc<>& choose, const Proc<>& finish_token) {
    if (p_.workspace.tune == Tune::scratch) return std::nullopt;
    return engine_.define<>("work for a step", {}, [&](Script& s) {
      s.set(step_start_, milliseconds());
      s.set(step_length_, (step_start_ - step_end_) * kWorkPerPause);
      s.when(step_length_ < kStepMs, [&](Script& s) { s.set(step_length_, kStepMs); });
      s.when(step_length_ > kLongestStepMs,
             [&](Script& s) { s.set(step_length_, kLongestStepMs); });
      s.repeat_until(ended() || milliseconds() - step_start_ > step_length_, [&](Script& s) {
        s.call(choose);
        s.when(!ended(), [&](Script& s) {
          s.when_else(
              whole_ == 1, [&](Script& s) { s.call(*p_.forward.token, next_); },
              [&](Script& s) { s.call(*p_.forward.prompt_token, next_); });
          s.call(finish_token);
        });
      });
      s.set(step_end_, milliseconds());
    });
  }

  // Sets the token that is run next, and whether its logits are wanted; or a stop reason.
  Proc<> emit_choose() {
    const auto sample = emit_sample_token();
    const auto& prompt = p_.stage.prompt_tokens;
    return engine_.define<>("choose token", {}, [&](Script& s) {
      s.set(whole_, 1);
      s.when_else(
          requests_.stopped(), [&](Script& s) { end(s, "stopped"); },
          [&](Script& s) { s.when(prefilled(), [&](Script& s) { s.call(sample); }); });
      s.when(!ended() && !prefilled(), [&](Script& s) {
        s.set(next_, prompt[at_ + 0] + 0);
        s.when(!(at_ == prompt.length() && p_.stage.max_new_tokens > 0) &&
                   (p_.stage.record_logits < 2 || count_ > 0),
               [&](Script& s) { s.set(whole_, 0); });
        s.set(p_.stage.progress, round(at_ * 100 / prompt.length()));
        s.change(at_, 1);
      });
    });
  }

  void end(Script& s, const char* reason) { s.set(p_.stage.stop_reason, reason); }

  // The reply's next token from the logits.
  Proc<> emit_sample_token() {
    const auto& token = p_.sample.token;
    return engine_.define<>("sample token", {}, [&](Script& s) {
      s.when_else(
          p_.stage.max_new_tokens < 1, [&](Script& s) { end(s, "length"); },
          [&](Script& s) {
            s.call(p_.sample.pick);
            s.set(next_, token + 0);
            history_.remember(s, next_);
            s.when_else(
                is_stop(p_.model, token), [&](Script& s) { end(s, "stop token"); },
                [&](Script& s) {
                  output_token(s);
                  s.when(!ended() && !(count_ < p_.stage.max_new_tokens),
                         [&](Script& s) { end(s, "length"); });
                  s.when(!ended() && !(p_.workspace.position < p_.layout.context),
                         [&](Script& s) { make_room(s); });
                });
          });
    });
  }

  // In the middle of a reply: the newest turn, reply included, must leave the room itself.
  void make_room(Script& s) {
    s.when_else(
        history_.turns.length() > 1 &&
            !(history_.turns[history_.turns.length()] > history_.most_kept()),
        [&](Script& s) {
          s.call(history_.shift);
          s.set(at_, 1);
        },
        [&](Script& s) { end(s, "context full"); });
  }

  // The token in `output tokens`, in the transcript and in the timing.
  void output_token(Script& s) {
    const auto& token = p_.sample.token;
    s.append(p_.stage.output_tokens, token + 0);
    s.call(p_.sample.see, token);
    s.change(count_, 1);
    s.set(last_time_, days_since_2000());
    s.when_else(
        count_ == 1, [&](Script& s) { s.set(first_time_, last_time_); },
        [&](Script& s) {
          s.set(p_.stage.seconds_per_token, (last_time_ - first_time_) * 86400 / (count_ - 1));
          s.when(p_.stage.seconds_per_token > 0, [&](Script& s) {
            s.set(p_.stage.tokens_per_second, 1 / p_.stage.seconds_per_token);
          });
        });
    if (!p_.text) return;
    const auto& transcript = p_.stage.transcript;
    s.call(p_.text->detokenize.print, token);
    s.when(p_.stage.stop_words.length() > 0, [&](Script& s) { s.call(*stop_words_); });
    s.replace(transcript, transcript.length(), join(names::kModelTurn, p_.text->text));
  }

  Sprite& engine_;
  const ScriptParts& p_;
  const Requests& requests_;
  const History& history_;
  std::optional<Proc<>> stop_words_;
  Var<Num> next_, whole_;
  Var<Num> at_, count_, first_time_, last_time_, step_start_, step_end_, step_length_;
};

}  // namespace

Proc<> emit_run(Sprite& engine, const ScriptParts& parts, const Requests& requests,
                const History& history) {
  return ReplyEmitter(engine, parts, requests, history).emit();
}

}  // namespace sb3lm
