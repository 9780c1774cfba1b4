#include "lower/stop_words.h"

namespace sb3lm {

using namespace blocks;

Proc<> emit_stop_words(Sprite& engine, const StageNames& stage, const Var<Str>& text) {
  const auto which = engine.var<Num>("_stop word at"), at = engine.var<Num>("_stop at");
  const auto word = engine.var<Str>("_stop word", std::string()),
             part = engine.var<Str>("_stop part", std::string());
  // No block says where one text lies in another: part = the letters up to the word's end.
  const auto cut = engine.define<>("cut at stop word", {}, [&](Script& s) {
    const auto letters_until = [&](Script& s, Expr<Bool> done) {
      s.set(part, "");
      s.set(at, 0);
      s.repeat_until(std::move(done), [&](Script& s) {
        s.change(at, 1);
        s.set(part, join(part, letter(at, text)));
      });
    };
    const auto end = engine.var<Num>("_stop end");
    letters_until(s, contains(part, word));
    s.set(end, at - length(word));
    letters_until(s, at == end);
    s.set(text, part);
    s.set(stage.stop_reason, "stop word");
  });
  return engine.define<>("cut at stop words", {}, [&](Script& s) {
    s.set(which, 1);
    s.repeat(stage.stop_words.length(), [&](Script& s) {
      s.set(word, stage.stop_words[which + 0]);
      s.when(length(word) > 0 && contains(text, word), [&](Script& s) { s.call(cut); });
      s.change(which, 1);
    });
  });
}

}  // namespace sb3lm
