#include "lower/requests.h"

#include "model/project_names.h"

namespace sb3lm {

using namespace blocks;

namespace {

constexpr int kMostWaiting = 16;  // a script that asks in every frame must not fill the memory

}  // namespace

Requests::Requests(Sprite& engine, const StageNames& stage)
    : name(engine.var<Str>("_request", std::string())),
      text(engine.var<Str>("_request text", std::string())),
      stage_(stage),
      waiting_(engine.list<Str>("_requests")),
      doing_(engine.var<Num>("_doing")),
      asked_(engine.var<Num>("_asked")),
      served_(engine.var<Num>("_served")),
      stopped_(engine.var<Num>("_stopped")),
      anew_(engine.var<Num>("_anew")),
      refused_(engine.var<Str>("_refused", std::string())) {
  begin_ = emit_begin(engine);
  settle = emit_settle(engine);
  request = emit_request(engine);
}

Expr<Bool> Requests::is(Doing doing) const {
  return doing_ == static_cast<int>(doing);
}
void Requests::set(Script& s, Doing doing) const {
  s.set(doing_, static_cast<int>(doing));
}

Expr<Bool> Requests::any() const {
  return waiting_.length() > 0;
}
void Requests::take(Script& s) const {
  s.set(served_, asked_ + 1 - waiting_.length() / 2);
  s.set(name, waiting_[1]);
  s.set(text, waiting_[2]);
  for (int i = 0; i < 2; ++i) s.erase(waiting_, 1);
}
void Requests::refuse(Script& s, Expr<Str> why) const {
  s.set(refused_, std::move(why));
}
void Requests::forget(Script& s) const {
  s.clear(waiting_);
  s.set(refused_, "");
}

void Requests::stop(Script& s) const {
  s.set(stopped_, asked_);
}
Expr<Bool> Requests::stopped() const {
  return !(stopped_ < served_);
}
Expr<Bool> Requests::replaced() const {
  return anew_ > served_;
}

Proc<> Requests::emit_begin(Sprite& engine) const {
  return engine.define<>("begin request", {}, [&](Script& s) {
    s.set(stage_.status, "thinking");
    s.clear(stage_.output_tokens);
    s.clear(stage_.logits);
    s.set(stage_.stop_reason, "");
  });
}

Proc<Str> Requests::emit_settle(Sprite& engine) const {
  return engine.define<Str>("settle", {"status"}, [&](Script& s, Arg<Str> status) {
    s.set(stage_.status, status);
    s.when(!same_text(refused_, ""),
           [&](Script& s) { s.set(stage_.status, join("error: ", refused_)); });
  });
}

// A request that begins anew, of which nothing before it would be left, ends what runs or waits.
// Those without a reply (`new chat`, `unload`) have nothing to do where nothing is loaded.
Proc<Str, Str> Requests::emit_request(Sprite& engine) const {
  const auto replies = engine.var<Num>("_replies");
  const auto accept = [&](Script& s, const Arg<Str>& what, const Arg<Str>& about) {
    s.when(replies == 0 || same_text(what, names::kGenerate), [&](Script& s) {
      s.when(is(Doing::serving) || any(),
             [&](Script& s) { s.set(stage_.stop_reason, "replaced"); });
      s.clear(waiting_);
      s.set(anew_, asked_ + 1);
    });
    s.when_else(
        waiting_.length() < 2 * kMostWaiting,
        [&](Script& s) {
          s.change(asked_, 1);
          s.append(waiting_, what);
          s.append(waiting_, about);
        },
        [&](Script& s) {
          refuse(s, fmt::format("{} requests wait already, one more is lost", kMostWaiting));
        });
    s.when(same_text(what, names::kUnload), [&](Script& s) {
      set(s, Doing::unloading);
      s.set(stage_.status, "unloading");
    });
    s.broadcast(kWatch);
  };
  return engine.define<Str, Str>(
      "request", {"what", "about"}, [&](Script& s, Arg<Str> what, Arg<Str> about) {
        s.set(replies, 1);
        s.when(same_text(what, names::kNewChat) || same_text(what, names::kUnload),
               [&](Script& s) { s.set(replies, 0); });
        s.when(doing_ < static_cast<int>(Doing::loading) && replies == 1, [&](Script& s) {
          s.set(refused_, "");
          begin(s);
        });
        s.when_else(
            is(Doing::nothing) || is(Doing::unloading),
            [&](Script& s) {
              s.when(replies == 1, [&](Script& s) {
                refuse(s, "the model is not loaded: click the green flag");
                s.when(is(Doing::nothing), [&](Script& s) { s.call(settle, ""); });
              });
            },
            [&](Script& s) { accept(s, what, about); });
      });
}

}  // namespace sb3lm
