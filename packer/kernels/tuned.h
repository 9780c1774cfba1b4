// A procedure in the form that each VM runs fastest. Both forms compute the same bits.
#pragma once

#include <array>
#include <string>

#include "kernels/workspace.h"

namespace sb3lm {

enum class Vm { turbowarp, scratch };

/// `emit(vm, name)` defines one form under that name. With Tune::both the result is a procedure
/// that calls the form which Workspace::compiled asks for.
template <class... Ts, class Emit>
blocks::Proc<Ts...> emit_tuned(blocks::Sprite& engine, const Workspace& w, const std::string& name,
                               const std::array<const char*, sizeof...(Ts)>& arguments, Emit emit) {
  using namespace blocks;
  if (w.tune == Tune::turbowarp) return emit(Vm::turbowarp, name);
  if (w.tune == Tune::scratch) return emit(Vm::scratch, name);
  const Proc<Ts...> compiled = emit(Vm::turbowarp, name + " compiled");
  const Proc<Ts...> interpreted = emit(Vm::scratch, name + " interpreted");
  return engine.define<Ts...>(name, arguments, [&](Script& s, Arg<Ts>... values) {
    s.when_else(
        w.compiled == 1, [&](Script& s) { s.call(compiled, values...); },
        [&](Script& s) { s.call(interpreted, values...); });
  });
}

}  // namespace sb3lm
