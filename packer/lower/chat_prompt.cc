#include "lower/chat_prompt.h"

#include "model/unicode.h"

namespace sb3lm {

using namespace blocks;

namespace {

/// As Scratch counts letters.
int letters_of(const std::string& text) {
  int letters = 0;
  for (const TextChar& c : text_chars(text)) letters += c.value < 0x10000 ? 1 : 2;
  return letters;
}

}  // namespace

PromptBlocks emit_prompts(Sprite& engine, const ScriptParts& p, const Var<Str>& text,
                          const List<Num>& turns) {
  const Tokenizer& tokenizer = p.model.tokenizer;
  const ChatTemplate& chat = p.model.chat;
  const auto& prompt = p.stage.prompt_tokens;
  const auto push = [&](Script& s, int id) { s.append(prompt, id); };
  // All text between two special tokens is one text: constant ids, or `before` user `after`.
  const auto parts = [&](Script& s, const std::vector<TemplatePart>& turn) {
    std::string before, after;
    bool has_user = false, lower = false, at_start = &turn == &chat.first;
    const auto end_text = [&] {
      if (has_user) {
        if (lower) {
          s.set(p.text->tokenize.lowered->before, letters_of(before));
          s.set(p.text->tokenize.lowered->last, length(text) + letters_of(before));
        }
        s.call(p.text->tokenize.encode, join(before, join(Expr<Str>(text), after)));
        if (lower) s.set(p.text->tokenize.lowered->last, 0);
      } else {
        const TemplatePart constant{.kind = TemplatePart::Kind::text, .text = before};
        for (const int id : apply_template(tokenizer, {constant}, "", at_start)) push(s, id);
      }
      before.clear(), after.clear(), has_user = lower = at_start = false;
    };
    for (const TemplatePart& part : turn) {
      if (part.kind == TemplatePart::Kind::text) (has_user ? after : before) += part.text;
      if (part.kind == TemplatePart::Kind::user) has_user = true, lower = part.lower;
      if (part.kind != TemplatePart::Kind::token) continue;
      end_text();
      push(s, part.token);
    }
    end_text();
  };
  const auto plain = engine.define<>("plain prompt", {}, [&](Script& s) {
    s.clear(prompt);
    s.call(p.text->tokenize.encode, text);
    if (tokenizer.add_bos) s.insert(prompt, tokenizer.bos, 1);
  });
  if (!chat.present()) return {plain, plain};
  const auto message = engine.define<>("apply template", {}, [&](Script& s) {
    s.clear(prompt);
    s.when_else(
        turns.length() == 0, [&](Script& s) { parts(s, chat.first); },
        [&](Script& s) { parts(s, chat.next); });
  });
  return {plain, message};
}

}  // namespace sb3lm
