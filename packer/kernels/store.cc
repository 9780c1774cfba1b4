// Keys and values of this position on their way into a pass's cache.
#include "kernels/kernels.h"

namespace sb3lm {

using namespace blocks;

Proc<Num> emit_store(Sprite& engine, const Workspace& w, const StoreShape& shape,
                     const std::string& name) {
  const auto local = [&](const char* what) {
    return engine.var<Num>("_cache " + name + " " + what);
  };
  const auto key = local("key"), value = local("value"), i = local("store");
  return engine.define<Num>("cache " + name, {"cache at"}, [&](Script& s, Arg<Num> cache_at) {
    const auto place = [&]() -> Expr<Num> {
      if (!shape.wraps) return w.position;
      return mod(w.position, shape.span);
    };
    s.set(key, cache_at + place() * shape.width);
    s.set(value, cache_at + place());
    s.set(i, 0);
    s.repeat(shape.width, [&](Script& s) {
      s.replace(w.keys, key + i, w.act[i + shape.k_at] + 0);
      s.replace(w.values, value + 0, w.act[i + shape.v_at] + 0);
      s.change(i, 1);
      s.change(value, shape.span);
    });
  });
}

}  // namespace sb3lm
