// Scratch has no literal for true.
#include "compile_fail/prelude.h"

void build(Script& s, const Handles& h) {
#ifdef BAD
  s.set(h.number, true);
#else
  s.set(h.number, 1);
#endif
}
