// A call gives every argument.
#include "compile_fail/prelude.h"

void build(Script& s, const Handles& h) {
#ifdef BAD
  s.call(h.two_numbers, 1);
#else
  s.call(h.two_numbers, 1, 2);
#endif
}
