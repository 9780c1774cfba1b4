// A list of texts takes a number only through to_str.
#include "compile_fail/prelude.h"

void build(Script& s, const Handles& h) {
#ifdef BAD
  s.append(h.texts, h.number + 1);
#else
  s.append(h.texts, to_str(h.number + 1));
#endif
}
