// A procedure's body takes one argument per declared type.
#include "compile_fail/prelude.h"

void build(Sprite& sprite, const Handles& h) {
#ifdef BAD
  sprite.define<Num, Num>("add", {"a", "b"}, [&](Script& s, Arg<Num> a) { s.set(h.number, a); });
#else
  sprite.define<Num, Num>("add", {"a", "b"},
                          [&](Script& s, Arg<Num> a, Arg<Num> b) { s.set(h.number, a + b); });
#endif
}
