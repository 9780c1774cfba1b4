// A condition is a boolean, never a number.
#include "compile_fail/prelude.h"

void build(Script& s, const Handles& h) {
#ifdef BAD
  s.when(h.number + 1, [](Script&) {});
#else
  s.when(h.number > 1, [](Script&) {});
#endif
}
