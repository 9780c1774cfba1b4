// A literal text is no number, even if it looks like one.
#include "compile_fail/prelude.h"

void build(Script& s, const Handles& h) {
#ifdef BAD
  s.set(h.number, "1");
#else
  s.set(h.number, 1);
#endif
}
