#include "lower/request_check.h"

#include <fmt/format.h>

#include "model/project_names.h"
#include "scratch/player_limits.h"

namespace sb3lm {

using namespace blocks;

RequestCheck emit_request_check(Sprite& engine, const ScriptParts& p, const Requests& requests,
                                const History& history) {
  const auto error = engine.var<Str>("_error", std::string());
  const auto id = engine.var<Num>("_check id"), at = engine.var<Num>("_check at"),
             rows = engine.var<Num>("_check rows"), room = engine.var<Num>("_check room");
  const int vocabulary = p.model.spec.vocabulary, context = p.layout.context;
  const auto prompt = [&] { return p.stage.prompt_tokens.length(); };
  const auto complain = [&](Script& s, Expr<Bool> wrong, auto text) {
    s.when(same_text(error, "") && std::move(wrong), [&](Script& s) { s.set(error, text()); });
  };
  const auto check_ids = engine.define<>("check ids", {}, [&](Script& s) {
    s.set(at, 1);
    s.repeat(prompt(), [&](Script& s) {
      s.set(id, p.stage.prompt_tokens[at + 0]);
      complain(s, !(floor(id) == id) || id < 0 || id > vocabulary - 1, [&] {
        return join(join("token ", to_str(id)),
                    fmt::format(": ids of this model are 0 to {}", vocabulary - 1));
      });
      s.change(at, 1);
    });
  });
  const auto check_length = engine.define<>("check length", {}, [&](Script& s) {
    s.set(room, context - 1);
    s.when(history.turns.length() > 0 && history.tokens.length() + prompt() > room,
           [&](Script& s) { s.set(room, history.most_kept()); });
    s.when(prompt() > room, [&](Script& s) {
      s.set(error, "your message");
      s.when(same_text(requests.name, names::kGenerate),
             [&](Script& s) { s.set(error, "the prompt"); });
      s.set(error, join(join(error, " is too long: "),
                        join(join(to_str(prompt()), " pieces of words, there is room for "),
                             to_str(room))));
    });
  });
  const auto check = engine.define<>("check request", {}, [&](Script& s) {
    s.set(error, "");
    if (!p.text) {
      complain(s, !same_text(requests.text, ""),
               [] { return "this model reads no text: empty prompt text and fill prompt tokens"; });
    }
    complain(s, prompt() == 0, [] { return "there are no prompt tokens"; });
    s.when(same_text(error, ""), [&](Script& s) { s.call(check_ids); });
    s.when(same_text(error, ""), [&](Script& s) { s.call(check_length); });
    s.set(rows, p.stage.max_new_tokens + 0);
    s.when(rows > context - prompt(), [&](Script& s) { s.set(rows, context - prompt()); });
    s.when(p.stage.record_logits == 2, [&](Script& s) { s.change(rows, prompt()); });
    complain(s, p.stage.record_logits > 0 && rows * vocabulary > kMostListItems, [] {
      return "so many logits do not fit a list: lower max new tokens or record logits";
    });
  });
  return {check, error};
}

}  // namespace sb3lm
