#include "import/jinja/chat.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "import/ends.h"
#include "import/jinja/jinja.h"
#include "model/unicode.h"

namespace sb3lm::jinja {
namespace {

// No template has these words, and nothing is trimmed from them.
constexpr std::array<std::string_view, 5> kSaid{"QuestionOne", "AnswerOne", "QuestionTwo",
                                                "AnswerTwo", "QuestionThree"};

class Prober {
 public:
  Prober(const std::string& where, std::string_view source, const Json& variables)
      : where_(where), template_(where, source), variables_(variables) {
    variables_["add_generation_prompt"] = true;
  }

  struct Turns {
    std::string first, next;
  };

  Turns turns() {
    const std::string one = rendered(1), two = rendered(3), three = rendered(5);
    Turns found{.first = with_user(one, kSaid[0]), .next = {}};
    found.next = with_user(after_reply(one, two, kSaid[1]), kSaid[2]);
    if (with_user(after_reply(two, three, kSaid[3]), kSaid[4]) != found.next) {
      refuse("the third turn is written in another way than the second");
    }
    return found;
  }

 private:
  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    fail(Fault::unsupported, "{}: {}", where_, fmt::format(format, std::forward<Args>(args)...));
  }

  /// A conversation of so many messages, the first one the user's.
  std::string rendered(std::size_t count) {
    Json messages = Json::array();
    for (std::size_t i = 0; i < count; ++i) {
      messages.push_back({{"role", i % 2 == 0 ? "user" : "assistant"}, {"content", kSaid[i]}});
    }
    variables_["messages"] = std::move(messages);
    return template_.render(variables_);
  }

  /// What stands after the reply in the longer conversation. Between what the model continues and
  /// its reply there may be spaces, which the model is to write.
  std::string after_reply(const std::string& shorter, const std::string& longer,
                          std::string_view reply) const {
    if (!longer.starts_with(shorter)) refuse("a later turn changes what stands before it");
    const std::size_t at = longer.find_first_not_of(" \n", shorter.size());
    if (at == longer.npos || !std::string_view(longer).substr(at).starts_with(reply)) {
      refuse("something stands between the reply's beginning and the reply");
    }
    return longer.substr(at + reply.size());
  }

  std::string with_user(std::string text, std::string_view said) const {
    for (const std::string_view mark : {kUserMark, kSmallUserMark}) {
      if (text.find(mark) != text.npos) refuse("'{}' stands in it", mark);
    }
    const std::string lower = small_letters(said);
    for (const auto& [form, mark] :
         {std::pair(said, kUserMark), std::pair(std::string_view(lower), kSmallUserMark)}) {
      const std::size_t at = text.find(form);
      if (at == text.npos) continue;
      if (text.find(form, at + 1) != text.npos) break;
      return text.replace(at, form.size(), mark);
    }
    refuse("the user's text does not stand there once");
  }

  const std::string& where_;
  Template template_;
  Json variables_;
};

struct Form {
  std::string_view mark, name;
};
constexpr Form kForms[] = {
    {"<|im_start|>", "ChatML"},     {"<|start_header_id|>", "Llama 3"},
    {"[INST]", "Llama 2"},          {"<start_of_turn>", "Gemma"},
    {"<|user|>", "Zephyr"},         {"### Instruction:", "Alpaca"},
    {"<|im_user|>", "ChatML-like"}, {"User:", "plain turns"},
    {"Human:", "plain turns"},      {"USER:", "plain turns"},
};

}  // namespace

ChatTemplate chat_of(const std::string& where, std::string_view source, const Json& variables,
                     const Tokenizer& tokenizer) {
  const Prober::Turns turns = Prober(where, source, variables).turns();
  ChatTemplate chat{.first = parse_template(tokenizer, turns.first),
                    .next = parse_template(tokenizer, turns.next),
                    .stop_ids = tokenizer.stop_ids};
  const TemplatePart& after = chat.next.front();
  if (after.kind == TemplatePart::Kind::token) add_end(after.token, chat.stop_ids);
  leave_end_to_reply(chat);
  return chat;
}

std::string_view name_of_form(const Tokenizer& tokenizer, const ChatTemplate& chat) {
  std::string text;
  for (const TemplatePart& part : chat.first) {
    text += part.kind == TemplatePart::Kind::token
                ? tokenizer.tokens[static_cast<std::size_t>(part.token)].text
                : part.text;
  }
  for (const auto& [mark, name] : kForms) {
    if (text.find(mark) != text.npos) return name;
  }
  return "its own form";
}

}  // namespace sb3lm::jinja
