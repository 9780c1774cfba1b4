// What every file here starts from: an open script and handles of each type.
#pragma once

#include "scratch/script.h"

using namespace sb3lm::blocks;

struct Handles {
  Var<Num> number{"number"};
  Var<Str> text{"text"};
  List<Num> numbers{"numbers"};
  List<Str> texts{"texts"};
  Proc<Num, Num> two_numbers{"two %s %s"};
};
