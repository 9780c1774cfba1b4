// Conversations on a small synthetic model: what is said must be what a fresh run of the same
// tokens says, and a full context must lose its oldest turns.
#include <doctest/doctest.h>

#include <memory>

#include "base/error.h"
#include "runtime_ref/chat.h"
#include "runtime_ref/engine.h"
#include "support/tiny_model.h"

using namespace sb3lm;
using Tokens = std::vector<int>;

namespace {

/// Remembers what was run since the last reset.
class Recorder final : public Decoder {
 public:
  Recorder(const Model& model, int context) : engine_(model, context) {}
  void reset() override {
    ++resets;
    ran.clear();
    engine_.reset();
  }
  void run(std::span<const int> tokens, std::size_t wanted, const OnLogits& take) override {
    ran.insert(ran.end(), tokens.begin(), tokens.end());
    longest_run = std::max(longest_run, tokens.size());
    engine_.run(tokens, wanted, take);
  }
  std::span<const double> step(int token) override {
    ran.push_back(token);
    return engine_.step(token);
  }
  int position() const override { return engine_.position(); }
  int context() const override { return engine_.context(); }
  int vocabulary() const override { return engine_.vocabulary(); }

  Tokens ran;
  int resets = 0;
  std::size_t longest_run = 0;

 private:
  Engine engine_;
};

struct Talk {
  explicit Talk(int context, int max_new_tokens = 6)
      : model(tiny_model("tiny-moe")),
        decoder(model, context),
        options{.sampling = {.temperature = 0},
                .max_new_tokens = max_new_tokens,
                .stop_ids = model.chat.stop_ids},
        chat(model, decoder, options) {}
  Chat::Reply say(const char* text) { return chat.say(text, {}); }
  Tokens turn(const std::vector<TemplatePart>& parts, const char* text) const {
    return apply_template(model.tokenizer, parts, text, &parts == &model.chat.first);
  }

  Model model;
  Recorder decoder;
  GenerateOptions options;
  Chat chat;
};

Tokens joined(std::initializer_list<Tokens> parts) {
  Tokens all;
  for (const Tokens& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

/// The reply of an engine that has seen nothing but these tokens.
Tokens fresh_reply(const Talk& talk, const Tokens& tokens, std::size_t count) {
  Engine engine(talk.model, talk.decoder.context());
  GenerateOptions options = talk.options;
  options.max_new_tokens = static_cast<int>(count);
  return generate(engine, tokens, options).tokens;
}

}  // namespace

TEST_CASE("a later turn runs only what is new, and is what a fresh run says") {
  Talk talk(64);
  const Tokens first = talk.turn(talk.model.chat.first, "hello");
  const Chat::Reply one = talk.say("hello");
  REQUIRE(one.made.stop_reason == "length");
  CHECK(one.prompt_tokens == first.size());
  CHECK(one.made.tokens == fresh_reply(talk, first, 6));

  const Tokens next = talk.turn(talk.model.chat.next, "you");
  const Chat::Reply two = talk.say("you");
  // The cut reply's last token and the token that closes it come before the turn.
  CHECK(two.prompt_tokens == next.size() + 2);
  const Tokens seen = joined({first, one.made.tokens, {talk.model.chat.stop_ids.front()}, next});
  CHECK(two.made.tokens == fresh_reply(talk, seen, two.made.tokens.size()));
  CHECK(talk.decoder.resets == 0);
  CHECK(two.forgotten_turns == 0);
}

TEST_CASE("a full context loses its oldest turns and starts again from the start token") {
  Talk talk(48);
  Tokens last;
  std::size_t forgotten = 0;
  for (const char* text : {"one", "two", "three", "four"}) {
    const Chat::Reply reply = talk.say(text);
    forgotten += reply.forgotten_turns;
    last = reply.made.tokens;
    CHECK(talk.chat.tokens() <= 48);
  }
  REQUIRE(forgotten > 0);
  CHECK(talk.decoder.resets > 0);
  CHECK(talk.decoder.ran.front() == talk.model.tokenizer.bos);
  // All but the reply's last token has been run; a fresh run of what came before it says the same.
  const Tokens& ran = talk.decoder.ran;
  REQUIRE(ran.size() + 1 == talk.chat.tokens());
  const Tokens before(ran.begin(), ran.end() - static_cast<std::ptrdiff_t>(last.size() - 1));
  CHECK(last == fresh_reply(talk, before, last.size()));
}

TEST_CASE("a reply goes on over a full context, and ends if its own turn fills it") {
  Talk talk(48, 1000);
  const Chat::Reply one = talk.say("one");
  CHECK(one.made.stop_reason == "context full");
  CHECK(one.forgotten_turns == 0);
  const Chat::Reply two = talk.say("two");
  CHECK(two.forgotten_turns == 1);
  CHECK(two.made.stop_reason == "context full");
  CHECK(talk.chat.tokens() == 49);  // the last token stands past the last position
}

TEST_CASE("a text that fills the context is refused and changes nothing") {
  Talk talk(24);
  talk.say("one");
  const std::size_t before = talk.chat.tokens();
  const std::string text(200, 'x');
  CHECK_THROWS_AS(talk.say(text.c_str()), Error);
  CHECK(talk.chat.tokens() == before);
  CHECK(talk.say("two").made.tokens.size() > 0);
}

TEST_CASE("reset is a new beginning") {
  Talk talk(64);
  const Tokens first = talk.say("hello").made.tokens;
  talk.say("you");
  talk.chat.reset();
  CHECK(talk.chat.tokens() == 0);
  CHECK(talk.say("hello").made.tokens == first);
}

TEST_CASE("without a template each text stands alone") {
  Talk talk(64);
  talk.model.chat = {};
  const Tokens first = talk.say("hello").made.tokens;
  CHECK(talk.say("hello").made.tokens == first);
  CHECK(talk.decoder.resets == 2);
}

TEST_CASE("a model without a tokenizer cannot chat") {
  Model model = tiny_model("tiny-moe");
  model.tokenizer = {};
  Engine engine(model);
  CHECK_THROWS_AS(Chat(model, engine, {}), Error);
}

TEST_CASE("a reply in parts is the reply in one piece, over a full context too") {
  for (const int most : {1, 6, 60}) {
    Talk whole(48, most), parts(48, most);
    std::size_t forgotten = 0;
    for (const char* text : {"one", "two", "three", "four"}) {
      const Chat::Reply said = whole.say(text);
      CHECK(parts.chat.begin(text) == said.prompt_tokens);
      while (parts.chat.read(3)) CHECK(parts.decoder.longest_run <= 3);
      Tokens tokens;
      Chat::Reply part;
      std::size_t turns = 0;
      // After each token, wherever that is allowed.
      const auto pause = [&](int) {
        return parts.decoder.position() + 1 >= parts.decoder.context();
      };
      do {
        part = parts.chat.go_on(pause);
        tokens.insert(tokens.end(), part.made.tokens.begin(), part.made.tokens.end());
        turns += part.forgotten_turns;
      } while (part.made.stop_reason == "stopped");
      CHECK(tokens == said.made.tokens);
      CHECK(part.made.stop_reason == said.made.stop_reason);
      CHECK(turns == said.forgotten_turns);
      CHECK(parts.chat.tokens() == whole.chat.tokens());
      forgotten += turns;
      parts.decoder.longest_run = 0;
    }
    if (most > 1) CHECK(forgotten > 0);
  }
}

TEST_CASE("a turn whose reply never began is closed before the next one") {
  Talk talk(64);
  talk.chat.begin("hello");
  const Chat::Reply two = talk.say("you");
  const Tokens first = talk.turn(talk.model.chat.first, "hello");
  const Tokens next = talk.turn(talk.model.chat.next, "you");
  const Tokens seen = joined({first, {talk.model.chat.stop_ids.front()}, next});
  CHECK(two.made.tokens == fresh_reply(talk, seen, two.made.tokens.size()));
}
