// A call gives arguments of the declared types.
#include "compile_fail/prelude.h"

void build(Script& s, const Handles& h) {
#ifdef BAD
  s.call(h.two_numbers, 1, h.text);
#else
  s.call(h.two_numbers, 1, h.number);
#endif
}
