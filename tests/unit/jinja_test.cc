// Our part of Jinja against what jinja2 makes of the same templates (tests/jinja/make_cases.py),
// and the turns that are found in chat templates.
#include "import/jinja/jinja.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/file.h"
#include "import/formats.h"
#include "import/jinja/chat.h"
#include "synth/vocabulary.h"

using namespace sb3lm;

namespace {

/// The text, or "error: ..." with what is thrown.
std::string rendered(const std::string& source, const Json& variables = Json::object()) {
  try {
    return jinja::Template("t", source).render(variables);
  } catch (const Error& error) {
    CHECK((error.fault == Fault::unsupported || error.fault == Fault::bad_input));
    return std::string("error: ") + error.what();
  }
}

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

Tokenizer made_up_tokenizer() {
  return read_tokenizer_json({"tokenizer.json", as_bytes(spaced_tokenizer_json(512))});
}

std::string shown(const Tokenizer& tokenizer, const std::vector<TemplatePart>& parts) {
  std::string text;
  for (const TemplatePart& part : parts) {
    if (part.kind == TemplatePart::Kind::user) text += part.lower ? "{user|lower}" : "{user}";
    if (part.kind == TemplatePart::Kind::text) text += part.text;
    if (part.kind != TemplatePart::Kind::token) continue;
    text += "(" + tokenizer.tokens[static_cast<std::size_t>(part.token)].text + ")";
  }
  return text;
}

struct Turns {
  std::string first, next, form;
  std::vector<int> stop_ids;
};

Turns turns_of(const std::string& source) {
  const Tokenizer tokenizer = made_up_tokenizer();
  const ChatTemplate chat =
      jinja::chat_of("t", source, {{"bos_token", "<bos>"}, {"eos_token", "<eos>"}}, tokenizer);
  return {shown(tokenizer, chat.first), shown(tokenizer, chat.next),
          std::string(jinja::name_of_form(tokenizer, chat)), chat.stop_ids};
}

}  // namespace

TEST_CASE("templates become what jinja2 makes of them") {
  const MappedFile file(SB3LM_SOURCE_DIR "/tests/jinja/cases.json");
  const Json all = Json::parse(file.text());
  REQUIRE(all["cases"].size() > 40);
  for (const Json& one : all["cases"]) {
    const std::string source = one["template"].get<std::string>();
    CAPTURE(source);
    const std::string text = rendered(source, all["variables"]);
    if (one.contains("text")) {
      CHECK(text == one["text"].get<std::string>());
    } else {
      CHECK(text.starts_with("error: t: line 1: " + one["error"].get<std::string>()));
    }
  }
}

TEST_CASE("what is not understood is called by its name and line") {
  const auto says = [](const std::string& source, const std::string& what) {
    CAPTURE(source);
    CHECK(rendered(source) == "error: t: line " + what);
  };
  says("\n{% macro x() %}{% endmacro %}", "2: '{% macro %}' is not understood");
  says("{% set x %}a{% endset %}", "1: '{% set x %}' without = is not understood");
  says("{{ strftime_now('%d') }}", "1: the function 'strftime_now' is not understood");
  says("{{ 'a' | wordwrap }}", "1: the filter 'wordwrap' of such a value is not understood");
  says("{{ 'a'.zfill(3) }}", "1: the method 'zfill' of such a value is not understood");
  says("{{ 1 is divisibleby 2 }}", "1: the test 'is divisibleby' is not understood");
  says("{{ [1] }}", "1: a list or dict that is printed is not understood");
  says("{{ 1 + 'a' }}", "1: '+' between such values is not understood");
  says("{{ 1 / 2 }}", "1: '/' between such values is not understood");
  says("{{ (1, 2) }}", "1: a tuple is not understood");
  says("{{ x.y }}", "1: 'y' of something undefined");
  says("{% for x in 'abc' %}{% endfor %}", "1: a loop over no list is not understood");
  says("{{ 'é'[0:1] }}", "1: this slice is not understood");
}

TEST_CASE("what is no Jinja is refused where it ends to be") {
  const auto says = [](const std::string& source, const std::string& what) {
    CAPTURE(source);
    CHECK(rendered(source) == "error: t: line " + what);
  };
  says("{{ 1", "1: a tag does not end");
  says("{{ 'a }}", "1: a string does not end");
  says("{# a", "1: a comment does not end");
  says("{{ 1 2 }}", "1: '2' where the tag should end");
  says("{{ }}", "1: '}}' where a value should stand");
  says("{% if 1 %}", "1: no 'endif'");
  says("a{% endfor %}", "1: 'endfor' without a beginning");
  says("{% for 1 in x %}", "1: '1' instead of a name");
  says("{{ 1.2.3 }}", "1: '1.2.3' is no number");
  says("{{ a ? b }}", "1: '?' is not understood");
  says("{{ '\\q' }}", "1: '\\q' in a string is not understood");
  says("{{ '\\ud800' }}", "1: \\ud800 is half a letter");
  says("{{ x[] }}", "1: nothing between [ and ]");
  CHECK(rendered("{{ '\xC3' }}") == "error: t: byte 4: not UTF-8");
}

TEST_CASE("no template takes long or needs much") {
  const auto ends = [](const std::string& source, const std::string& what) {
    const std::string text = rendered(source);
    CAPTURE(text.substr(0, 200));
    CHECK(text.ends_with(what));
  };
  const std::string loop = "{% for i in range(10000) %}";
  ends(loop + loop + repeated("x", 99) + repeated("{% endfor %}", 2),
       "more than 1048576 bytes of text");
  ends(loop + loop + loop + repeated("{% endfor %}", 3), "this takes too long");
  ends("{% set ns = namespace(x='ab') %}" + loop + "{% set ns.x = ns.x + ns.x %}{% endfor %}",
       "this takes too long");
  ends("{% set ns = namespace(x=[1]) %}" + loop + "{% set ns.x = [ns.x, ns.x] %}{% endfor %}",
       "this takes too long");
  ends("{% set ns = namespace(x=[1]) %}" + loop + "{% set ns.x = [ns.x] %}{% endfor %}",
       "this takes too long");
  ends("{{ " + repeated("(", 50'000) + " }}", "more than 100 things inside each other");
  ends("{{ " + repeated("not ", 50'000) + " }}", "more than 100 things inside each other");
  ends("{{ 1" + repeated(" + 1", 50'000) + " }}", "an expression of more than 500 parts");
  ends("{{ 'a'" + repeated("|trim", 50'000) + " }}", "an expression of more than 500 parts");
  ends(repeated("{% if 1 %}", 20'000), "more than 100 things inside each other");
  ends(repeated("x", 300'000), "a template of more than 262144 bytes");
}

TEST_CASE("the turns of a chat template") {
  const Turns chat = turns_of(
      "{{ bos_token }}{% for m in messages %}{{ '<|' + m['role'] + '|>\\n' + m['content'] }}"
      "<|eot|>\n{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}");
  CHECK(chat.first == "(<bos>)(<|user|>)\n{user}(<|eot|>)\n(<|assistant|>)\n");
  CHECK(chat.next == "\n(<|user|>)\n{user}(<|eot|>)\n(<|assistant|>)\n");
  CHECK(chat.form == "Zephyr");
  CHECK(chat.stop_ids == std::vector<int>{6, 1});
  // Spaces that the model writes, and a system's text that stands there without being asked for.
  const Turns brackets = turns_of(
      "{% if messages[0]['role'] != 'system' %}Be kind.\n{% endif %}{% for m in messages %}"
      "{% if m.role == 'user' %}[INST] {{ m.content | trim }} [/INST]"
      "{% else %} {{ m.content }}{{ eos_token }}{% endif %}{% endfor %}");
  CHECK(brackets.first == "Be kind.\n[INST] {user} [/INST]");
  CHECK(brackets.next == "[INST] {user} [/INST]");
  CHECK(brackets.form == "Llama 2");
  const Turns small = turns_of(
      "{% for m in messages %}{% if m.role == 'user' %}Q: {{ m.content | lower }}\n"
      "{% else %}A: {{ m.content }}\n{% endif %}{% endfor %}"
      "{% if add_generation_prompt %}A: {% endif %}");
  CHECK(small.first == "Q: {user|lower}\nA: ");
}

TEST_CASE("templates of no conversation are refused") {
  const auto refused = [](const std::string& source, const char* what) {
    CAPTURE(source);
    CHECK_THROWS_WITH_AS(turns_of(source), doctest::Contains(what), Error);
  };
  refused("{{ 'x' }}", "the user's text does not stand there once");
  refused("{{ messages[0].content }}{{ messages[0].content }}", "does not stand there once");
  refused("{% for m in messages %}{{ m.content }}{{ loop.length }}{% endfor %}",
          "a later turn changes what stands before it");
  refused("{% for m in messages %}{{ m.content }}{% if loop.index == 5 %}!{% endif %}{% endfor %}",
          "the third turn is written in another way than the second");
  refused("{{ raise_exception('no turns') }}", "the template says: no turns");
  refused("{% for m in messages %}<{{ m.content }}>{% endfor %}", "between the reply's beginning");
}
