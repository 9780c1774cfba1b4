// Text becomes a number only through to_num.
#include "compile_fail/prelude.h"

void build(Script& s, const Handles& h) {
#ifdef BAD
  s.set(h.number, h.texts[1]);
#else
  s.set(h.number, to_num(h.texts[1]));
#endif
}
