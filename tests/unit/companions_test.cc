// What tokenizer_config.json, chat_template.jinja and generation_config.json say about a model.
#include "import/companions.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "import/json.h"
#include "synth/synth.h"
#include "synth/vocabulary.h"

using namespace sb3lm;

namespace {

// Ids of the made-up tokenizer: <bos> 0, <eos> 1, <|eot|> 6.
constexpr const char* kTurns =
    "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|eot|>{% endfor %}"
    "<|assistant|>";

/// A checkpoint with its companions; those that are empty are not there.
struct Folder {
  SyntheticFiles files;  // no chat template of their own
  std::string chat_template = {}, tokenizer_config = {}, generation_config = {}, jinja = {},
              config = {};

  Folder() {
    SilentProgress silent;
    files = make_synthetic({.preset = "tiny-dense"}, silent);
    files.tokenizer = spaced_tokenizer_json(512);
  }

  Model read() const {
    const auto named = [](const char* name, const std::string& text) {
      return text.empty() ? std::nullopt
                          : std::optional<NamedBytes>(NamedBytes{name, as_bytes(text)});
    };
    SilentProgress silent;
    return import_from_memory(
        {.checkpoint = {files.checkpoint_name, as_bytes(files.checkpoint)},
         .tokenizer = NamedBytes{"tokenizer.json", as_bytes(files.tokenizer)},
         .config = named("config.json", config),
         .sidecar = named("sidecar.json", files.sidecar),
         .chat_template = named("named.jinja", chat_template),
         .tokenizer_config = named("tokenizer_config.json", tokenizer_config),
         .generation_config = named("generation_config.json", generation_config),
         .jinja = named("chat_template.jinja", jinja)},
        {}, silent);
  }

  std::string error() const {
    try {
      read();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
};

std::string template_json(const Json& text) {
  return Json{{"bos_token", {{"content", "<bos>"}}}, {"chat_template", text}}.dump();
}

bool is_chat_of_turns(const Model& model) {
  return model.chat.first.size() == 5 && model.chat.first[0].token == 0 &&
         model.chat.stop_ids == std::vector<int>{6, 1};
}

}  // namespace

TEST_CASE("a chat template from each place where it may stand") {
  Folder in_file, in_config, in_list, named, json;
  in_file.jinja = kTurns;
  in_file.tokenizer_config = R"({"bos_token": "<bos>", "chat_template": "{{ never }}"})";
  in_config.tokenizer_config = template_json(kTurns);
  in_list.tokenizer_config = template_json(
      {{{"name", "tools"}, {"template", "{{ x }}"}}, {{"name", "default"}, {"template", kTurns}}});
  named.chat_template = kTurns;
  named.jinja = "{{ never }}";
  json.chat_template = template_json(kTurns);
  for (const Folder* folder : {&in_file, &in_config, &in_list, &named, &json}) {
    const Model model = folder->read();
    CHECK(is_chat_of_turns(model));
    REQUIRE(model.notes.size() == 1);
    CHECK(model.notes.front().ends_with("a chat template, Zephyr"));
  }
}

TEST_CASE("a template that is not understood is said where it was found, and an error if named") {
  Folder found, named;
  found.jinja = "{% macro x() %}{% endmacro %}";
  const Model model = found.read();
  CHECK_FALSE(model.chat.present());
  REQUIRE(model.notes.size() == 1);
  CHECK(model.notes.front() ==
        "chat_template.jinja: line 1: '{% macro %}' is not understood; this chat template is not "
        "used (--chat-template FILE gives another one)");
  named.chat_template = found.jinja;
  CHECK(named.error() == "named.jinja: line 1: '{% macro %}' is not understood");
  named.chat_template = "{\"a\": 1}";
  CHECK(named.error() == "named.jinja: it has no \"chat_template\"");
  found.jinja.clear();
  found.tokenizer_config = R"({"chat_template": 5})";
  CHECK(found.read().notes.front().starts_with(
      "tokenizer_config.json: chat_template is neither a text nor a list with a \"default\""));
}

TEST_CASE("ends of text from every file that names them") {
  Folder folder;
  const std::vector<int> own = folder.read().tokenizer.stop_ids;
  CHECK(own == std::vector<int>{1, 6});
  folder.generation_config = R"({"eos_token_id": [300, 1]})";
  folder.tokenizer_config = R"({"eos_token": "<|user|>", "bos_token": "<pad>"})";
  folder.config = R"({"eos_token_id": 301})";
  const Model model = folder.read();
  const int user = special_id(model.tokenizer, "<|user|>");
  CHECK(model.tokenizer.stop_ids == std::vector<int>{1, user, 6, 300, 301});
  folder.config = R"({"eos_token_id": 100000})";  // of a larger vocabulary
  CHECK(folder.read().tokenizer.stop_ids == std::vector<int>{1, user, 6, 300});
  folder.config = R"({"eos_token_id": "</s>"})";
  CHECK(folder.error() == "config.json: eos_token_id: \"</s>\" is not a token");
}

TEST_CASE("a bos in front only if the files want one") {
  Folder folder;
  CHECK(folder.read().tokenizer.add_bos);
  folder.tokenizer_config = R"({"add_bos_token": false})";
  CHECK_FALSE(folder.read().tokenizer.add_bos);
  folder.tokenizer_config = R"({"add_bos_token": true, "bos_token": "<|user|>"})";
  const Model model = folder.read();
  CHECK(model.tokenizer.add_bos);
  CHECK(model.tokenizer.bos == special_id(model.tokenizer, "<|user|>"));
}

TEST_CASE("sampling as generation_config.json recommends it") {
  Folder folder;
  folder.generation_config = R"({"do_sample": true, "temperature": 0.6, "top_p": 0.95})";
  const Model model = folder.read();
  CHECK(model.temperature == 0.6);
  CHECK(model.top_k == 50);
  CHECK(model.top_p == 0.95);
  CHECK(model.repetition_penalty == 1);
  folder.generation_config = R"({"do_sample": false, "temperature": 0.6})";
  CHECK(folder.read().temperature == 0);
  folder.generation_config = R"({"temperature": 0.6})";
  CHECK(folder.read().temperature == 0);
  folder.generation_config = R"({"do_sample": true, "top_p": "much"})";
  CHECK(folder.error() == "generation_config.json: top_p: \"much\" is not from 0 to 1");
}
