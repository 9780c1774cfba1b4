#include "lower/choose.h"

namespace sb3lm {

using namespace blocks;

namespace {

// A product of probabilities is kept as mantissa * kScale^exponent with 1 <= mantissa <= kScale,
// which needs no logarithm and loses nothing to underflow.
constexpr double kScale = 0x1p512, kLowest = -1e9;

class ChooseEmitter {
 public:
  ChooseEmitter(Sprite& engine, const ScriptParts& parts, const Requests& requests,
                const History& history, const RequestCheck& check)
      : engine_(engine),
        p_(parts),
        requests_(requests),
        history_(history),
        check_(check),
        prompt_(parts.stage.prompt_tokens),
        at_(local("at")),
        id_(local("id")),
        which_(local("which")),
        base_(local("base")),
        last_(local("last")),
        mantissa_(local("mantissa")),
        exponent_(local("exponent")),
        best_(local("best")),
        best_mantissa_(local("best mantissa")),
        best_exponent_(local("best exponent")) {}

  Proc<> emit(const Proc<>& message) {
    const auto weigh = emit_weigh(), compare = emit_compare();
    const auto score = emit_score(weigh, compare);
    const auto ask = engine_.define_yielding<>("ask for choice", {}, [&](Script& s) {
      s.call(history_.start_turn);
      read_prompt(s);
      s.set(best_, 1);
      s.set(best_exponent_, kLowest);
      s.set(which_, 1);
      s.repeat_until(ended() || which_ > p_.stage.answers.length(), [&](Script& s) {
        s.call(score);
        s.change(which_, 1);
      });
      s.when_else(
          ended(), [&](Script& s) { s.set(p_.stage.stop_reason, "stopped"); },
          [&](Script& s) { s.set(p_.stage.choice, p_.stage.answers[best_ + 0]); });
      history_.take_back(s);
    });
    return engine_.define_yielding<>("choose", {}, [&](Script& s) {
      requests_.begin(s);
      s.set(p_.stage.choice, "");
      if (!p_.model.chat.present()) history_.clear(s);
      s.call(message);
      s.call(check_.check);
      s.when(p_.stage.answers.length() == 0,
             [&](Script& s) { s.set(check_.error, "there are no answers to choose from"); });
      s.when_else(
          same_text(check_.error, ""), [&](Script& s) { s.call(ask); },
          [&](Script& s) { requests_.refuse(s, check_.error); });
    });
  }

 private:
  Var<Num> local(const char* what) { return engine_.var<Num>(std::string("_choice ") + what); }
  Expr<Bool> ended() const { return requests_.stopped() || requests_.replaced(); }

  void run_token(Script& s, bool whole) {
    const ForwardBlocks& forward = p_.forward;
    const auto in_steps = [&](Script& s) { s.call(*forward.token_in_steps, id_, whole ? 1 : 0); };
    const auto at_once = [&](Script& s) {
      s.call(whole ? *forward.token : *forward.prompt_token, id_);
    };
    if (!forward.token_in_steps) return at_once(s);
    if (p_.workspace.tune == Tune::scratch) return in_steps(s);
    s.when_else(p_.workspace.compiled == 1, at_once, in_steps);
  }

  // All of the prompt but its last token, with which every answer begins.
  void read_prompt(Script& s) {
    s.set(at_, 1);
    s.repeat_until(ended() || !(at_ < prompt_.length()), [&](Script& s) {
      s.set(id_, prompt_[at_ + 0] + 0);
      run_token(s, false);
      s.set(p_.stage.progress, round(at_ * 100 / prompt_.length()));
      s.change(at_, 1);
    });
    s.set(last_, prompt_[prompt_.length()] + 0);
    s.set(base_, p_.workspace.position + 0);
  }

  Proc<> emit_score(const Proc<>& weigh, const Proc<>& compare) {
    return engine_.define_yielding<>("score answer", {}, [&](Script& s) {
      s.set(p_.workspace.position, base_ + 0);
      s.clear(prompt_);
      s.append(prompt_, last_ + 0);
      s.call(p_.text->tokenize.encode, p_.stage.answers[which_ + 0]);
      s.when(base_ + prompt_.length() > p_.layout.last_return() + 1, [&](Script& s) {
        requests_.refuse(s, join("there is no room for answer ", to_str(which_)));
        s.clear(prompt_);
      });
      s.set(mantissa_, 1);
      s.set(exponent_, 0);
      s.set(at_, 1);
      s.repeat_until(ended() || !(at_ < prompt_.length()), [&](Script& s) {
        s.set(id_, prompt_[at_ + 0] + 0);
        run_token(s, true);
        s.call(p_.forward.head);
        s.change(at_, 1);
        s.call(weigh);
      });
      s.when(prompt_.length() > 1, [&](Script& s) { s.call(compare); });
    });
  }

  // The product times the probability of token `at` of the prompt.
  Proc<> emit_weigh() {
    const auto& act = p_.workspace.act;
    const int logits_at = p_.layout.logits_at();
    const auto k = local("k"), top = local("top"), total = local("sum");
    const auto each_logit = [&](Script& s, auto body) {
      s.set(k, logits_at);
      s.repeat(p_.model.spec.vocabulary, [&](Script& s) {
        body(s);
        s.change(k, 1);
      });
    };
    return engine_.define<>("weigh token", {}, [&](Script& s) {
      s.set(top, act[logits_at] + 0);
      each_logit(s, [&](Script& s) {
        s.when(act[k + 0] > top, [&](Script& s) { s.set(top, act[k + 0] + 0); });
      });
      s.set(total, 0);
      each_logit(s, [&](Script& s) {
        s.call(p_.exp.exp, act[k + 0] - top);
        s.change(total, p_.workspace.exp + 0);
      });
      s.call(p_.exp.exp, act[prompt_[at_ + 0] + logits_at] - top);
      s.set(mantissa_, mantissa_ * (p_.workspace.exp / total));
      s.repeat_until(!(mantissa_ < 1) || mantissa_ == 0, [&](Script& s) {
        s.set(mantissa_, mantissa_ * kScale);
        s.change(exponent_, -1);
      });
    });
  }

  Proc<> emit_compare() {
    return engine_.define<>("compare answer", {}, [&](Script& s) {
      s.when(mantissa_ > 0 && (exponent_ > best_exponent_ ||
                               (exponent_ == best_exponent_ && mantissa_ > best_mantissa_)),
             [&](Script& s) {
               s.set(best_, which_ + 0);
               s.set(best_mantissa_, mantissa_ + 0);
               s.set(best_exponent_, exponent_ + 0);
             });
    });
  }

  Sprite& engine_;
  const ScriptParts& p_;
  const Requests& requests_;
  const History& history_;
  const RequestCheck& check_;
  const List<Num>& prompt_;
  Var<Num> at_, id_, which_, base_, last_;
  Var<Num> mantissa_, exponent_, best_, best_mantissa_, best_exponent_;
};

}  // namespace

Proc<> emit_choose(Sprite& engine, const ScriptParts& parts, const Requests& requests,
                   const History& history, const RequestCheck& check, const Proc<>& message) {
  return ChooseEmitter(engine, parts, requests, history, check).emit(message);
}

}  // namespace sb3lm
