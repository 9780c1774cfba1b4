#include "model/tokenizer_check.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>

namespace sb3lm {
namespace {

constexpr std::size_t kTogether = 24;  // tokens in one text

constexpr std::string_view kOdd[] = {" ",
                                     "  ",
                                     "   ",
                                     "\n",
                                     "\n\n",
                                     "\t",
                                     "\r\n",
                                     " \n ",
                                     "a  b   c",
                                     "\u2581",
                                     "\u2581a",
                                     " \u2581 ",
                                     "I'll we'VE don't",
                                     "12 345 6789",
                                     "1a2b",
                                     "!?... --",
                                     "e\u0301 \u00E9 \uFF21",
                                     "\u1100\u1161\u11A8",
                                     "\u4E2D\u6587 \uD55C",
                                     "\U0001F600\U0001F469\u200D\U0001F680",
                                     "\xC3",
                                     "\u00A0x\u3000",
                                     "<s>",
                                     "<0x41>"};

bool same_parts(const std::vector<TemplatePart>& a, const std::vector<TemplatePart>& b) {
  return std::ranges::equal(a, b, [](const TemplatePart& x, const TemplatePart& y) {
    return x.kind == y.kind && x.token == y.token && x.text == y.text;
  });
}

auto settings_of(const Tokenizer& t) {
  return std::tuple(t.kind, t.bos, t.add_bos, t.stop_ids, t.tokens.size());
}

std::string token_difference(const Tokenizer& a, const Tokenizer& b) {
  for (std::size_t id = 0; id < a.tokens.size(); ++id) {
    const bool same =
        a.tokens[id].text == b.tokens[id].text &&
        (a.tokens[id].type == TokenType::special) == (b.tokens[id].type == TokenType::special);
    if (!same) {
      return fmt::format("token {} is '{}', not '{}'", id, b.tokens[id].text, a.tokens[id].text);
    }
  }
  return {};
}

}  // namespace

std::vector<std::string> texts_of_all_tokens(const Tokenizer& tokenizer) {
  std::vector<std::string> texts(std::begin(kOdd), std::end(kOdd));
  std::string together;
  for (std::size_t id = 0; id < tokenizer.tokens.size(); ++id) {
    together += tokenizer.tokens[id].text;
    if ((id + 1) % kTogether != 0 && id + 1 < tokenizer.tokens.size()) continue;
    texts.push_back(std::move(together));
    together.clear();
  }
  return texts;
}

std::string tokenizer_difference(const Tokenizer& a, const Tokenizer& b) {
  if (settings_of(a) != settings_of(b)) {
    return "kind, vocabulary, start or ends of text are others";
  }
  if (!a.present()) return {};
  if (std::string what = token_difference(a, b); !what.empty()) return what;
  for (const std::string& text : texts_of_all_tokens(a)) {
    const std::vector<int> ids = encode(a, text, true), others = encode(b, text, true);
    if (ids != others) {
      return fmt::format("'{}' becomes {}, not {}", text, fmt::join(others, " "),
                         fmt::join(ids, " "));
    }
    if (decode(a, ids) != decode(b, ids)) {
      return fmt::format("{} print '{}', not '{}'", fmt::join(ids, " "), decode(b, ids),
                         decode(a, ids));
    }
  }
  return {};
}

std::string text_model_difference(const Model& a, const Model& b) {
  if (std::string what = tokenizer_difference(a.tokenizer, b.tokenizer); !what.empty()) {
    return "the tokenizer: " + what;
  }
  const bool same_chat = same_parts(a.chat.first, b.chat.first) &&
                         same_parts(a.chat.next, b.chat.next) && a.chat.stop_ids == b.chat.stop_ids;
  if (!same_chat) return "the chat template is another";
  const auto sampling = [](const Model& model) {
    return std::tuple(model.temperature, model.top_k, model.top_p, model.repetition_penalty);
  };
  if (sampling(a) != sampling(b)) return "how tokens are chosen is another";
  return {};
}

}  // namespace sb3lm
