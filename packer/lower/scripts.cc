#include "lower/scripts.h"

#include <set>

#include "lower/chat_prompt.h"

namespace sb3lm {

using namespace blocks;

namespace {

// Vanilla Scratch silently ignores additions to a list of this many items.
constexpr int kListLimit = 200000;
// Players step 30 times a second, and a script that gives way before the next step is due waits for
// it, as something is drawn in nearly every step. Where drawing takes long, the script works longer
// before it gives way again, up to a fifth of a second.
constexpr double kStepMs = 34, kLongestStepMs = 200, kWorkPerPause = 8;
constexpr double kPickUpSeconds = 0.2;
constexpr char kServe[] = "_serve";

class ScriptEmitter {
 public:
  ScriptEmitter(Sprite& engine, const ScriptParts& parts)
      : engine_(engine),
        p_(parts),
        error_(engine.var<Str>("_error", std::string())),
        request_(engine.var<Str>("_request", std::string())),
        stop_(engine.var<Num>("_stop")),
        next_(engine.var<Num>("_next token")),
        whole_(engine.var<Num>("_next whole")),
        history_(engine.list<Num>("_history")),
        turns_(engine.list<Num>("_turn sizes")),
        at_(engine.var<Num>("_run at")),
        count_(engine.var<Num>("_run count")),
        first_time_(engine.var<Num>("_run first time")),
        last_time_(engine.var<Num>("_run last time")),
        step_start_(engine.var<Num>("_run step start")),
        step_end_(engine.var<Num>("_run step end")),
        step_length_(engine.var<Num>("_run step length")) {}

  void emit() {
    const auto serve = emit_serve();
    engine_.when_flag([&](Script& s) {
      s.set(request_, "");
      s.set(first_time_, days_since_2000());
      s.call(p_.exp.prepare);
      s.when(p_.loader.loaded == 0, [&](Script& s) { s.call(p_.loader.load); });
      s.call(p_.warm_up);
      s.set(p_.stage.seconds_loading, (days_since_2000() - first_time_) * 86400);
      forget(s);
      s.set(p_.stage.status, "ready");
      s.call(serve);
    });
    engine_.when_received(kServe, [&](Script& s) { s.call(serve); });
    for (const char* name : {"generate", "chat"}) {
      if (!p_.text && std::string_view(name) == "chat") continue;
      engine_.when_received(name, [&](Script& s) {
        begin(s);
        s.when_else(
            p_.loader.loaded == 1, [&](Script& s) { ask_server(s, name); },
            [&](Script& s) {
              s.set(p_.stage.status, "error: the model is not loaded: click the green flag");
            });
      });
    }
    engine_.when_received("new chat", [&](Script& s) {
      s.when(p_.loader.loaded == 1, [&](Script& s) { ask_server(s, "new chat"); });
    });
    engine_.when_received("stop", [&](Script& s) { s.set(stop_, 1); });
    engine_.when_received("unload", [&](Script& s) {
      s.stop("other scripts in sprite");
      s.set(request_, "");
      forget(s);
      s.call(p_.loader.unload);
    });
  }

 private:
  // Every request starts so, whatever comes of it.
  void begin(Script& s) {
    s.set(p_.stage.status, "thinking");
    s.clear(p_.stage.output_tokens);
    s.clear(p_.stage.logits);
    s.set(p_.stage.stop_reason, "");
    s.set(stop_, 0);
  }

  // Requests are served by the script that loaded and warmed up: TurboWarp's compiler starts anew
  // in every script, and takes half a second over one that may call the whole model. If the server
  // does not take the request (someone stopped it, or it is in the middle of a long token), another
  // script takes its place.
  void ask_server(Script& s, const char* name) {
    s.set(request_, name);
    s.wait(kPickUpSeconds);
    s.when(!same_text(request_, ""), [&](Script& s) {
      s.stop("other scripts in sprite");
      s.broadcast(kServe);
    });
  }

  // Takes request after request, for ever.
  Proc<> emit_serve() {
    const auto shift = emit_shift();
    const auto check_request = emit_check();
    const auto start_turn = emit_start_turn(shift);
    const auto run = emit_run(shift);
    const auto current = engine_.var<Str>("_serving", std::string());
    std::optional<Proc<>> fill_prompt;
    if (p_.text) fill_prompt = emit_apply_template(engine_, p_, turns_);
    const auto serve_one = [&](Script& s, const char* name, auto body) {
      s.when(same_text(current, name), body);
    };
    return engine_.define_yielding<>("serve", {}, [&](Script& s) {
      s.forever([&](Script& s) {
        s.wait_until(!same_text(request_, ""));
        s.set(current, request_);
        s.set(request_, "");
        serve_one(s, "generate", [&](Script& s) {
          clear_history(s);
          s.call(check_request);
          guarded(s, [&](Script& s) {
            forget(s);
            s.call(start_turn);
            if (p_.text) s.append(p_.stage.transcript, "model: ");
            s.call(run);
          });
        });
        if (fill_prompt) {
          serve_one(s, "chat", [&](Script& s) {
            // Without a template each message starts a text of its own.
            if (!p_.model.chat.present()) forget(s);
            s.call(*fill_prompt);
            s.call(check_request);
            guarded(s, [&](Script& s) {
              s.call(start_turn);
              s.append(p_.stage.transcript, join("user: ", p_.stage.user_message));
              s.append(p_.stage.transcript, "model: ");
              s.call(run);
            });
          });
        }
        serve_one(s, "new chat", [&](Script& s) {
          forget(s);
          s.clear(p_.stage.output_tokens);
          s.set(p_.stage.status, "ready");
        });
      });
    });
  }

  // An empty conversation.
  void forget(Script& s) {
    clear_history(s);
    s.set(p_.stage.forgotten_turns, 0);
    s.clear(p_.stage.transcript);
    s.call(p_.sample.restart);
  }
  void clear_history(Script& s) {
    s.set(p_.workspace.position, 0);
    s.clear(history_);
    s.clear(turns_);
  }

  template <class Body>
  void guarded(Script& s, Body body) {
    s.when_else(same_text(error_, ""), body,
                [&](Script& s) { s.set(p_.stage.status, join("error: ", error_)); });
  }

  // error = what is wrong with the request in `prompt tokens`, empty if nothing.
  Proc<> emit_check() {
    const auto id = engine_.var<Num>("_check id"), rows = engine_.var<Num>("_check rows");
    const int vocabulary = p_.model.spec.vocabulary, context = p_.layout.context;
    const auto prompt = [&] { return p_.stage.prompt_tokens.length(); };
    const auto all = [&] { return history_.length() + prompt(); };
    const auto complain = [&](Script& s, Expr<Bool> wrong, auto text) {
      s.when(same_text(error_, "") && std::move(wrong), [&](Script& s) { s.set(error_, text()); });
    };
    const auto check_ids = engine_.define<>("check ids", {}, [&](Script& s) {
      s.set(at_, 1);
      s.repeat(prompt(), [&](Script& s) {
        s.set(id, p_.stage.prompt_tokens[at_ + 0]);
        complain(s, !(floor(id) == id) || id < 0 || id > vocabulary - 1, [&] {
          return join(join("token ", to_str(id)),
                      fmt::format(": ids of this model are 0 to {}", vocabulary - 1));
        });
        s.change(at_, 1);
      });
    });
    return engine_.define<>("check request", {}, [&](Script& s) {
      s.set(error_, "");
      complain(s, prompt() == 0, [] { return "there are no prompt tokens"; });
      s.when(same_text(error_, ""), [&](Script& s) { s.call(check_ids); });
      complain(
          s, all() > context - 1 && (turns_.length() == 0 || prompt() > most_kept() - head_size()),
          [&] {
            return join(to_str(all()),
                        fmt::format(" tokens leave no room in a context of {}", context));
          });
      s.set(rows, p_.stage.max_new_tokens + 0);
      s.when(rows > context - prompt(), [&](Script& s) { s.set(rows, context - prompt()); });
      s.when(p_.stage.record_logits == 2, [&](Script& s) { s.change(rows, prompt()); });
      complain(s, p_.stage.record_logits > 0 && rows * vocabulary > kListLimit, [] {
        return "so many logits do not fit a list: lower max new tokens or record logits";
      });
    });
  }

  Proc<> emit_record() {
    const auto at = engine_.var<Num>("_record at");
    return engine_.define<>("record", {}, [&](Script& s) {
      s.set(at, p_.layout.act.logits);
      s.repeat(p_.model.spec.vocabulary, [&](Script& s) {
        s.append(p_.stage.logits, p_.workspace.act[at + 0] + 0);
        s.change(at, 1);
      });
    });
  }

  // What is left of a full context: a quarter is free (as in runtime_ref/conversation.h).
  int most_kept() const { return p_.layout.context - (p_.layout.context + 3) / 4; }
  // What stands in front of a conversation whose first turn is gone.
  std::vector<int> head() const {
    const auto& first = p_.model.chat.first;
    const int bos = p_.model.tokenizer.bos;
    const bool has_bos = !first.empty() && first[0].kind == TemplatePart::Kind::token &&
                         first[0].token == bos && bos >= 0;
    return has_bos ? std::vector<int>{bos} : std::vector<int>{};
  }
  int head_size() const { return static_cast<int>(head().size()); }

  // The oldest whole turns go until the rest leaves a quarter of the context free, but never the
  // newest; the rest becomes `prompt tokens`, to be run from position 0.
  Proc<> emit_shift() {
    const auto gone = engine_.var<Num>("_turns gone");
    const auto& prompt = p_.stage.prompt_tokens;
    return engine_.define<>("shift", {}, [&](Script& s) {
      s.set(gone, 0);
      s.repeat_until(
          turns_.length() == 1 || history_.length() + gone * head_size() < most_kept() + 1,
          [&](Script& s) {
            s.repeat(turns_[1], [&](Script& s) { s.erase(history_, 1); });
            s.erase(turns_, 1);
            s.set(gone, 1);
            s.change(p_.stage.forgotten_turns, 1);
          });
      s.when(gone == 1, [&](Script& s) {
        for (const int id : head()) {
          s.insert(history_, id, 1);
          s.replace(turns_, 1, turns_[1] + 1);
        }
      });
      s.set(p_.workspace.position, 0);
      s.clear(prompt);
      s.set(at_, 1);
      s.repeat(history_.length(), [&](Script& s) {
        s.append(prompt, history_[at_ + 0] + 0);
        s.change(at_, 1);
      });
    });
  }

  void remember(Script& s, Expr<Num> id) {
    s.append(history_, std::move(id));
    s.replace(turns_, turns_.length(), turns_[turns_.length()] + 1);
  }

  // Takes `prompt tokens` over as a new turn and leaves there what has to be run: them, and before
  // them what the last turn left unfed; a reply that was cut is closed first.
  Proc<> emit_start_turn(const Proc<>& shift) {
    const auto& prompt = p_.stage.prompt_tokens;
    const ChatTemplate& chat = p_.model.chat;
    return engine_.define<>("start turn", {}, [&](Script& s) {
      if (!chat.stop_ids.empty()) {
        s.set(next_, history_[history_.length()] + 0);
        s.when(turns_.length() > 0 && !is_stop(next_),
               [&](Script& s) { remember(s, chat.stop_ids.front()); });
      }
      s.set(at_, history_.length());
      s.append(turns_, prompt.length());
      s.set(next_, 1);
      s.repeat(prompt.length(), [&](Script& s) {
        s.append(history_, prompt[next_ + 0] + 0);
        s.change(next_, 1);
      });
      s.repeat_until(!(at_ > p_.workspace.position), [&](Script& s) {
        s.insert(prompt, history_[at_ + 0] + 0, 1);
        s.change(at_, -1);
      });
      s.when(history_.length() > p_.layout.context - 1, [&](Script& s) { s.call(shift); });
    });
  }

  Expr<Bool> prefilled() const { return at_ > p_.stage.prompt_tokens.length(); }
  Expr<Bool> ended() const { return !same_text(p_.stage.stop_reason, "") || replaced(); }

  // Runs `prompt tokens` at the current position, then generates until there is a stop reason.
  Proc<> emit_run(const Proc<>& shift) {
    const auto record = emit_record();
    const auto see_prompt = engine_.define<>("see prompt", {}, [&](Script& s) {
      s.set(at_, 1);
      s.repeat(p_.stage.prompt_tokens.length(), [&](Script& s) {
        s.call(p_.sample.see, p_.stage.prompt_tokens[at_ + 0]);
        s.change(at_, 1);
      });
    });
    const auto choose = emit_choose(shift);
    const auto finish_token = engine_.define<>("finish token", {}, [&](Script& s) {
      s.when(whole_ == 1, [&](Script& s) {
        s.call(p_.forward.head);
        s.when(p_.stage.record_logits > 0, [&](Script& s) { s.call(record); });
      });
    });
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
      s.when(!replaced(), [&](Script& s) {
        s.set(p_.stage.progress, 100);
        s.set(p_.stage.status, "ready");
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

  // A newer request waits: the run is abandoned without a word.
  Expr<Bool> replaced() const { return !same_text(request_, ""); }

  // Sets the token that is run next, and whether its logits are wanted; or a stop reason.
  Proc<> emit_choose(const Proc<>& shift) {
    const auto sample = emit_sample_token(shift);
    const auto& prompt = p_.stage.prompt_tokens;
    return engine_.define<>("choose token", {}, [&](Script& s) {
      s.set(whole_, 1);
      s.when_else(
          stop_ == 1, [&](Script& s) { s.set(p_.stage.stop_reason, "stopped"); },
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

  // The reply's next token from the logits.
  Proc<> emit_sample_token(const Proc<>& shift) {
    const auto& token = p_.sample.token;
    const auto end = [this](Script& s, const char* reason) { s.set(p_.stage.stop_reason, reason); };
    return engine_.define<>("sample token", {}, [&](Script& s) {
      s.when_else(
          p_.stage.max_new_tokens < 1, [&](Script& s) { end(s, "length"); },
          [&](Script& s) {
            s.call(p_.sample.pick);
            s.set(next_, token + 0);
            remember(s, next_);
            s.when_else(
                is_stop(token), [&](Script& s) { end(s, "stop token"); },
                [&](Script& s) {
                  output_token(s);
                  s.when(!(count_ < p_.stage.max_new_tokens), [&](Script& s) { end(s, "length"); });
                  s.when(!ended() && !(p_.workspace.position < p_.layout.context),
                         [&](Script& s) { make_room(s, shift); });
                });
          });
    });
  }

  // In the middle of a reply: the newest turn, reply included, must leave the room itself.
  void make_room(Script& s, const Proc<>& shift) {
    s.when_else(
        turns_.length() > 1 && !(turns_[turns_.length()] > most_kept() - head_size()),
        [&](Script& s) {
          s.call(shift);
          s.set(at_, 1);
        },
        [&](Script& s) { s.set(p_.stage.stop_reason, "context full"); });
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
    if (p_.text) {
      s.call(p_.text->detokenize.print, token);
      s.replace(p_.stage.transcript, p_.stage.transcript.length(), join("model: ", p_.text->text));
    }
  }

  Expr<Bool> is_stop(const Var<Num>& token) const {
    std::set<int> ids(p_.model.tokenizer.stop_ids.begin(), p_.model.tokenizer.stop_ids.end());
    ids.insert(p_.model.chat.stop_ids.begin(), p_.model.chat.stop_ids.end());
    if (ids.empty()) return token < 0;
    std::optional<Expr<Bool>> any;
    for (const int id : ids) {
      if (any) {
        any = std::move(*any) || token == id;
      } else {
        any = token == id;
      }
    }
    return std::move(*any);
  }

  Sprite& engine_;
  const ScriptParts& p_;
  Var<Str> error_, request_;
  Var<Num> stop_, next_, whole_;
  List<Num> history_, turns_;  // tokens of the conversation, and how many each turn has
  Var<Num> at_, count_, first_time_, last_time_, step_start_, step_end_, step_length_;
};

}  // namespace

void emit_scripts(Sprite& engine, const ScriptParts& parts) {
  ScriptEmitter(engine, parts).emit();
}

}  // namespace sb3lm
