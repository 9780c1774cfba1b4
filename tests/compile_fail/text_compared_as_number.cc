// == compares numbers; texts are compared by same_text, whose rules differ.
#include "compile_fail/prelude.h"

void build(Script& s, const Handles& h) {
#ifdef BAD
  s.when(h.text == h.texts[1], [](Script&) {});
#else
  s.when(same_text(h.text, h.texts[1]), [](Script&) {});
#endif
}
