// Arithmetic is for numbers.
#include "compile_fail/prelude.h"

void build(Script& s, const Handles& h) {
#ifdef BAD
  s.set(h.number, h.number + h.text);
#else
  s.set(h.number, h.number + to_num(h.text));
#endif
}
