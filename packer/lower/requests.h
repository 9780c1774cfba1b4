// What has been asked and where it stands. Requests wait in one list, in the order in which their
// messages came; docs/names.md, "Requests that meet", says what becomes of each.
#pragma once

#include "lower/stage.h"
#include "scratch/script.h"

namespace sb3lm {

/// Private messages. watch: finds out whether scripts still run, and brings them back if not.
/// serve: the script that starts here serves from now on. pulse: begins to show that scripts run.
inline constexpr char kWatch[] = "_watch", kServe[] = "_serve", kPulse[] = "_pulse";

/// What the engine is doing, as the variable `_doing` has it.
enum class Doing { nothing, resting, loading, serving, unloading };

class Requests {
 public:
  Requests(blocks::Sprite& engine, const StageNames& stage);

  /// request(name, text): what the hats of requests do. `text`
  /// is what the request works on, copied before anybody can change it.
  blocks::Proc<blocks::Str, blocks::Str> request;
  /// settle(status): for when nothing is left to do; says what was refused since it last was so.
  blocks::Proc<blocks::Str> settle;

  /// The request being served, or the last one: its name and text.
  blocks::Var<blocks::Str> name, text;

  blocks::Expr<blocks::Bool> is(Doing doing) const;
  void set(blocks::Script& s, Doing doing) const;

  /// Whether requests wait, and the next one's turn.
  blocks::Expr<blocks::Bool> any() const;
  void take(blocks::Script& s) const;
  void refuse(blocks::Script& s, blocks::Expr<blocks::Str> why) const;
  /// `thinking`, with the results of the last reply gone.
  void begin(blocks::Script& s) const { s.call(begin_); }
  /// Nothing waits and nothing was refused.
  void forget(blocks::Script& s) const;

  /// `stop`: ends what has been asked so far.
  void stop(blocks::Script& s) const;
  /// Whether the request being served was stopped; whether one that begins anew came after it.
  blocks::Expr<blocks::Bool> stopped() const;
  blocks::Expr<blocks::Bool> replaced() const;

 private:
  blocks::Proc<> emit_begin(blocks::Sprite& engine) const;
  blocks::Proc<blocks::Str> emit_settle(blocks::Sprite& engine) const;
  blocks::Proc<blocks::Str, blocks::Str> emit_request(blocks::Sprite& engine) const;

  const StageNames& stage_;
  blocks::List<blocks::Str> waiting_;  // name and text of each
  blocks::Var<blocks::Num> doing_;
  // Requests count from 1: how many came, which one is served, up to which they are to stop, and
  // which is the last that begins anew.
  blocks::Var<blocks::Num> asked_, served_, stopped_, anew_;
  blocks::Var<blocks::Str> refused_;  // why, "" if nothing was
  blocks::Proc<> begin_;
};

}  // namespace sb3lm
