#include "lower/scripts.h"

#include <set>

namespace sb3lm {

using namespace blocks;

namespace {

// Vanilla Scratch silently ignores additions to a list of this many items.
constexpr int kListLimit = 200000;
// Players step 30 times a second, and a script that gives way before the next step is due waits for
// it, as something is drawn in nearly every step.
constexpr double kStepMs = 34;
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
        unfed_(engine.var<Num>("_unfed", -1.0)),
        at_(engine.var<Num>("_run at")),
        count_(engine.var<Num>("_run count")),
        first_time_(engine.var<Num>("_run first time")),
        last_time_(engine.var<Num>("_run last time")),
        step_start_(engine.var<Num>("_run step start")) {}

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
    const auto check_request = emit_check();
    const auto run = emit_run();
    const auto current = engine_.var<Str>("_serving", std::string());
    std::optional<Proc<>> fill_prompt;
    if (p_.text) fill_prompt = emit_fill_prompt();
    const auto serve_one = [&](Script& s, const char* name, auto body) {
      s.when(same_text(current, name), body);
    };
    return engine_.define_yielding<>("serve", {}, [&](Script& s) {
      s.forever([&](Script& s) {
        s.wait_until(!same_text(request_, ""));
        s.set(current, request_);
        s.set(request_, "");
        serve_one(s, "generate", [&](Script& s) {
          s.set(p_.workspace.position, 0);
          s.set(unfed_, -1);
          s.call(check_request);
          guarded(s, [&](Script& s) {
            forget(s);
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
    s.set(p_.workspace.position, 0);
    s.set(unfed_, -1);
    s.clear(p_.stage.transcript);
    s.call(p_.sample.restart);
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
      complain(s, p_.workspace.position + prompt() > context - 1, [&] {
        return join(to_str(p_.workspace.position + prompt()),
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

  // Runs `prompt tokens` at the current position, then generates until there is a stop reason.
  Proc<> emit_run() {
    const auto record = emit_record();
    const auto see_prompt = engine_.define<>("see prompt", {}, [&](Script& s) {
      s.set(at_, 1);
      s.repeat(p_.stage.prompt_tokens.length(), [&](Script& s) {
        s.call(p_.sample.see, p_.stage.prompt_tokens[at_ + 0]);
        s.change(at_, 1);
      });
    });
    const auto prefilled = [&] {
      return at_ > p_.stage.prompt_tokens.length() || stop_ == 1 || replaced();
    };
    // Whole steps, so that nothing waits for the player.
    const auto prefill = engine_.define<>("prefill", {}, [&](Script& s) {
      s.set(step_start_, milliseconds());
      s.repeat_until(prefilled() || milliseconds() - step_start_ > kStepMs,
                     [&](Script& s) { prefill_step(s, record); });
    });
    const auto ended = [&] { return !same_text(p_.stage.stop_reason, "") || replaced(); };
    const auto one =
        engine_.define<>("generate token", {}, [&](Script& s) { generate_step(s, record); });
    const auto generate = engine_.define<>("generate", {}, [&](Script& s) {
      s.set(step_start_, milliseconds());
      s.call(one);
      s.repeat_until(ended() || milliseconds() - step_start_ > kStepMs,
                     [&](Script& s) { s.call(one); });
    });
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
      s.repeat_until(prefilled(), [&](Script& s) { s.call(prefill); });
      s.when_else(
          stop_ == 1, [&](Script& s) { s.set(p_.stage.stop_reason, "stopped"); },
          [&](Script& s) {
            s.when(p_.stage.max_new_tokens < 1,
                   [&](Script& s) { s.set(p_.stage.stop_reason, "length"); });
          });
      s.repeat_until(ended(), [&](Script& s) { s.call(generate); });
      s.when(!replaced(), [&](Script& s) {
        s.set(p_.stage.progress, 100);
        s.set(p_.stage.status, "ready");
      });
    });
  }

  // A newer request waits: the run is abandoned without a word.
  Expr<Bool> replaced() const { return !same_text(request_, ""); }

  void prefill_step(Script& s, const Proc<>& record) {
    const auto last = [&] { return at_ == p_.stage.prompt_tokens.length(); };
    const auto id = [&] { return p_.stage.prompt_tokens[at_ + 0]; };
    s.when_else(
        p_.stage.record_logits == 2 || (last() && p_.stage.max_new_tokens > 0),
        [&](Script& s) {
          s.call(p_.forward.token, id());
          s.call(p_.forward.head);
          s.when(p_.stage.record_logits > 0, [&](Script& s) { s.call(record); });
        },
        [&](Script& s) { s.call(p_.forward.prompt_token, id()); });
    s.set(p_.stage.progress, round(at_ * 100 / p_.stage.prompt_tokens.length()));
    s.change(at_, 1);
  }

  void generate_step(Script& s, const Proc<>& record) {
    const auto& token = p_.sample.token;
    s.call(p_.sample.pick);
    s.set(unfed_, token);
    s.when_else(
        is_stop(token), [&](Script& s) { s.set(p_.stage.stop_reason, "stop token"); },
        [&](Script& s) {
          output_token(s);
          const auto end = [this](const char* reason) {
            return [this, reason](Script& s) { s.set(p_.stage.stop_reason, reason); };
          };
          s.when_else(stop_ == 1, end("stopped"), [&](Script& s) {
            s.when_else(!(count_ < p_.stage.max_new_tokens), end("length"), [&](Script& s) {
              s.when_else(!(p_.workspace.position < p_.layout.context), end("context full"),
                          [&](Script& s) {
                            s.call(p_.forward.token, token);
                            s.call(p_.forward.head);
                            s.when(p_.stage.record_logits > 0, [&](Script& s) { s.call(record); });
                          });
            });
          });
        });
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

  // `prompt tokens` = the ids of the user's turn.
  Proc<> emit_fill_prompt() {
    const Tokenizer& tokenizer = p_.model.tokenizer;
    const ChatTemplate& chat = p_.model.chat;
    const auto& prompt = p_.stage.prompt_tokens;
    const auto push = [&](Script& s, int id) { s.append(prompt, Expr<Num>(id) + 0); };
    // All text between two special tokens is one text: constant ids, or `before` user `after`.
    const auto parts = [&](Script& s, const std::vector<TemplatePart>& turn) {
      std::string before, after;
      bool has_user = false, at_start = &turn == &chat.first;
      const auto end_text = [&] {
        if (has_user) {
          s.call(p_.text->tokenize.encode,
                 join(before, join(Expr<Str>(p_.stage.user_message), after)));
        } else {
          const TemplatePart constant{.kind = TemplatePart::Kind::text, .text = before};
          for (const int id : apply_template(tokenizer, {constant}, "", at_start)) push(s, id);
        }
        before.clear(), after.clear(), has_user = at_start = false;
      };
      for (const TemplatePart& part : turn) {
        if (part.kind == TemplatePart::Kind::text) (has_user ? after : before) += part.text;
        if (part.kind == TemplatePart::Kind::user) has_user = true;
        if (part.kind != TemplatePart::Kind::token) continue;
        end_text();
        push(s, part.token);
      }
      end_text();
    };
    return engine_.define<>("apply template", {}, [&](Script& s) {
      s.clear(prompt);
      if (!chat.present()) {
        s.call(p_.text->tokenize.encode, p_.stage.user_message);
        if (tokenizer.add_bos) s.insert(prompt, Expr<Num>(tokenizer.bos) + 0, 1);
        return;
      }
      s.when_else(
          p_.workspace.position == 0, [&](Script& s) { parts(s, chat.first); },
          [&](Script& s) {
            // The reply's last token was chosen but never fed; a cut reply is closed first.
            s.when(unfed_ > -1, [&](Script& s) { s.append(prompt, unfed_ + 0); });
            if (!chat.stop_ids.empty()) {
              s.when(!is_stop(unfed_), [&](Script& s) { push(s, chat.stop_ids.front()); });
            }
            parts(s, chat.next);
          });
    });
  }

  Sprite& engine_;
  const ScriptParts& p_;
  Var<Str> error_, request_;
  Var<Num> stop_, unfed_, at_, count_, first_time_, last_time_, step_start_;
};

}  // namespace

void emit_scripts(Sprite& engine, const ScriptParts& parts) {
  ScriptEmitter(engine, parts).emit();
}

}  // namespace sb3lm
