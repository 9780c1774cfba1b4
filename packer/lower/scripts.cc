#include "lower/scripts.h"

#include "lower/chat_prompt.h"
#include "lower/choose.h"
#include "lower/history.h"
#include "lower/reply.h"
#include "lower/request_check.h"
#include "lower/requests.h"
#include "lower/watch.h"
#include "model/project_names.h"

namespace sb3lm {

using namespace blocks;

namespace {

class ScriptEmitter {
 public:
  ScriptEmitter(Sprite& engine, const ScriptParts& parts)
      : engine_(engine),
        p_(parts),
        requests_(engine, parts.stage),
        history_(engine, parts),
        check_(emit_request_check(engine, parts, requests_, history_)),
        run_(emit_run(engine, parts, requests_, history_)) {
    if (p_.text) prompts_ = emit_prompts(engine, p_, requests_.text, history_.turns);
  }

  void emit() {
    const auto serve = emit_serve();
    emit_flag(serve);
    engine_.when_received(kServe, [&](Script& s) {
      s.broadcast(kPulse);
      s.when(requests_.is(Doing::serving),
             [&](Script& s) { s.set(p_.stage.stop_reason, "stopped"); });
      s.call(serve);
    });
    emit_watch(engine_, p_.stage, requests_);
    emit_request(names::kGenerate, p_.stage.prompt_text);
    if (p_.text) {
      emit_request(names::kChat, p_.stage.user_message);
    }
    if (chooses()) emit_request(names::kChoose, p_.stage.user_message);
    emit_request(names::kNewChat, "");
    emit_request(names::kUnload, "");
    engine_.when_received(names::kStop, [&](Script& s) { requests_.stop(s); });
  }

 private:
  // The website's limit leaves no room for it.
  bool chooses() const { return p_.text && !p_.workspace.small; }

  void emit_request(const char* name, Expr<Str> about) {
    engine_.when_received(name,
                          [&](Script& s) { s.call(requests_.request, name, std::move(about)); });
  }

  // Requests are served by the script that loads and warms up: TurboWarp's compiler starts anew in
  // every script, and takes half a second over one that may call the whole model.
  void emit_flag(const Proc<>& serve) {
    const auto start = engine_.var<Num>("_flag time");
    engine_.when_flag([&](Script& s) {
      requests_.set(s, Doing::loading);
      requests_.forget(s);
      s.broadcast(kPulse);
      s.set(start, days_since_2000());
      s.call(p_.exp.prepare);
      s.when(p_.loader.loaded == 0, [&](Script& s) { s.call(p_.loader.load); });
      s.call(p_.warm_up);
      s.set(p_.stage.seconds_loading, (days_since_2000() - start) * 86400);
      forget(s);
      s.call(serve);
    });
  }

  // Takes request after request, for ever.
  Proc<> emit_serve() {
    std::optional<Proc<>> choose;
    if (chooses())
      choose = emit_choose(engine_, p_, requests_, history_, check_, prompts_->message);
    const auto serve_one = [&](Script& s, const char* name, auto body) {
      s.when(same_text(requests_.name, name), [&](Script& s) { body(s); });
    };
    return engine_.define_yielding<>("serve", {}, [&](Script& s) {
      s.forever([&](Script& s) {
        s.when(!requests_.any(), [&](Script& s) {
          requests_.set(s, Doing::resting);
          s.call(requests_.settle, "ready");
          s.wait_until(requests_.any());
        });
        requests_.set(s, Doing::serving);
        requests_.take(s);
        serve_one(s, names::kNewChat, [&](Script& s) {
          forget(s);
          s.clear(p_.stage.output_tokens);
        });
        serve_one(s, names::kUnload, [&](Script& s) { unload(s); });
        serve_one(s, names::kGenerate, [&](Script& s) { generate(s); });
        if (!p_.text) return;
        serve_one(s, names::kChat, [&](Script& s) { chat(s); });
        if (choose) serve_one(s, names::kChoose, [&](Script& s) { s.call(*choose); });
      });
    });
  }

  // What is asked after it is refused; only the flag ends the wait.
  void unload(Script& s) {
    requests_.set(s, Doing::unloading);
    forget(s);
    s.call(p_.loader.unload);
    requests_.set(s, Doing::nothing);
    s.call(requests_.settle, p_.stage.status);
    s.wait_until(requests_.any());
  }

  void generate(Script& s) {
    requests_.begin(s);
    history_.clear(s);
    if (p_.text) {
      s.when(!same_text(requests_.text, ""), [&](Script& s) { s.call(prompts_->plain); });
    }
    checked(s, [&](Script& s) {
      forget(s);
      s.call(history_.start_turn);
      if (p_.text) s.append(p_.stage.transcript, names::kModelTurn);
      s.call(run_);
    });
  }

  void chat(Script& s) {
    requests_.begin(s);
    // Without a template each message starts a text of its own.
    if (!p_.model.chat.present()) forget(s);
    s.call(prompts_->message);
    checked(s, [&](Script& s) {
      s.call(history_.start_turn);
      s.append(p_.stage.transcript, join(names::kUserTurn, requests_.text));
      s.append(p_.stage.transcript, names::kModelTurn);
      s.call(run_);
    });
  }

  template <class Body>
  void checked(Script& s, Body body) {
    s.call(check_.check);
    s.when_else(same_text(check_.error, ""), body,
                [&](Script& s) { requests_.refuse(s, check_.error); });
  }

  // An empty conversation.
  void forget(Script& s) {
    history_.clear(s);
    s.set(p_.stage.forgotten_turns, 0);
    s.clear(p_.stage.transcript);
    s.call(p_.sample.restart);
  }

  Sprite& engine_;
  const ScriptParts& p_;
  Requests requests_;
  History history_;
  RequestCheck check_;
  Proc<> run_;
  std::optional<PromptBlocks> prompts_;
};

}  // namespace

void emit_scripts(Sprite& engine, const ScriptParts& parts) {
  ScriptEmitter(engine, parts).emit();
}

}  // namespace sb3lm
