#include "lower/history.h"

#include <set>
#include <vector>

namespace sb3lm {

using namespace blocks;

namespace {

// What stands in front of a conversation whose first turn is gone.
std::vector<int> head_of(const Model& model) {
  const auto& first = model.chat.first;
  const int bos = model.tokenizer.bos;
  const bool has_bos = !first.empty() && first[0].kind == TemplatePart::Kind::token &&
                       first[0].token == bos && bos >= 0;
  return has_bos ? std::vector<int>{bos} : std::vector<int>{};
}

}  // namespace

History::History(Sprite& engine, const ScriptParts& parts)
    : tokens(engine.list<Num>("_history")),
      turns(engine.list<Num>("_turn sizes")),
      p_(parts),
      at_(engine.var<Num>("_history at")),
      id_(engine.var<Num>("_history id")),
      size_(engine.var<Num>("_turn size")) {
  shift = emit_shift(engine);
  start_turn = emit_start_turn(engine);
}

void History::clear(Script& s) const {
  s.set(p_.workspace.position, 0);
  s.clear(tokens);
  s.clear(turns);
}

void History::remember(Script& s, Expr<Num> id) const {
  s.append(tokens, std::move(id));
  s.replace(turns, turns.length(), turns[turns.length()] + 1);
}

int History::head_size() const {
  return static_cast<int>(head_of(p_.model).size());
}
// A quarter is free (as in runtime_ref/conversation.h).
int History::most_kept() const {
  return p_.layout.context - (p_.layout.context + 3) / 4 - head_size();
}

Proc<> History::emit_shift(Sprite& engine) const {
  const auto gone = engine.var<Num>("_turns gone");
  const auto& prompt = p_.stage.prompt_tokens;
  return engine.define<>("shift", {}, [&](Script& s) {
    s.set(p_.workspace.position, 0);
    s.set(gone, 0);
    s.repeat_until(
        turns.length() == 1 || tokens.length() + gone * head_size() < most_kept() + head_size() + 1,
        [&](Script& s) {
          s.set(size_, turns[1] + 0);
          s.repeat_until(size_ == 0, [&](Script& s) {
            s.erase(tokens, 1);
            s.change(size_, -1);
            s.replace(turns, 1, size_ + 0);
          });
          s.erase(turns, 1);
          s.set(gone, 1);
          s.change(p_.stage.forgotten_turns, 1);
        });
    s.when(gone == 1, [&](Script& s) {
      for (const int id : head_of(p_.model)) {
        s.insert(tokens, id, 1);
        s.replace(turns, 1, turns[1] + 1);
      }
    });
    s.clear(prompt);
    s.set(at_, 1);
    s.repeat(tokens.length(), [&](Script& s) {
      s.append(prompt, tokens[at_ + 0] + 0);
      s.change(at_, 1);
    });
  });
}

// What is run is the new turn and, before it, what the last one left unfed; a reply that was cut is
// closed first.
Proc<> History::emit_start_turn(Sprite& engine) const {
  const auto& prompt = p_.stage.prompt_tokens;
  const ChatTemplate& chat = p_.model.chat;
  return engine.define<>("start turn", {}, [&](Script& s) {
    if (!chat.stop_ids.empty()) {
      s.set(id_, tokens[tokens.length()] + 0);
      s.when(turns.length() > 0 && !is_stop(p_.model, id_),
             [&](Script& s) { remember(s, chat.stop_ids.front()); });
    }
    s.set(at_, tokens.length());
    s.append(turns, 0);
    s.set(size_, 0);
    s.repeat(prompt.length(), [&](Script& s) {
      s.change(size_, 1);
      s.append(tokens, prompt[size_ + 0] + 0);
      s.replace(turns, turns.length(), size_ + 0);
    });
    s.repeat_until(!(at_ > p_.workspace.position), [&](Script& s) {
      s.insert(prompt, tokens[at_ + 0] + 0, 1);
      s.change(at_, -1);
    });
    s.when(tokens.length() > p_.layout.context - 1, [&](Script& s) { s.call(shift); });
  });
}

void History::take_back(Script& s) const {
  s.set(size_, turns[turns.length()] + 0);
  s.repeat_until(size_ == 0, [&](Script& s) {
    s.erase(tokens, tokens.length());
    s.change(size_, -1);
    s.replace(turns, turns.length(), size_ + 0);
  });
  s.erase(turns, turns.length());
  const Var<Num>& position = p_.workspace.position;
  const int last_return = p_.layout.last_return();
  s.when(position > tokens.length(), [&](Script& s) {
    const auto go_back = [&](Script& s) { s.set(position, tokens.length()); };
    if (last_return == p_.layout.context) return go_back(s);
    s.when_else(
        position > last_return, [&](Script& s) { s.set(position, 0); }, go_back);
  });
}

Expr<Bool> is_stop(const Model& model, const Var<Num>& token) {
  std::set<int> ids(model.tokenizer.stop_ids.begin(), model.tokenizer.stop_ids.end());
  ids.insert(model.chat.stop_ids.begin(), model.chat.stop_ids.end());
  if (ids.empty()) return token < 0;
  std::optional<Expr<Bool>> any;
  for (const int id : ids) {
    if (any) {
      any = std::move(*any) || token == id;
    } else {
      any = token == id;
    }
  }
  return std::move(*any);
}

}  // namespace sb3lm
