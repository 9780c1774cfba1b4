// A block has one parent: to use an expression twice, copy it.
#include "compile_fail/prelude.h"

void build(Script& s, const Handles& h) {
  Expr<Num> sum = h.number + 1;
#ifdef BAD
  s.append(h.numbers, sum);
#else
  s.append(h.numbers, copy(sum));
#endif
  s.append(h.numbers, std::move(sum));
}
