// Vocabularies with tokens left out: the same pieces, the same logits, and back out of the .sb3.
#include "model/kept_tokens.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "base/error.h"
#include "pack.h"
#include "runtime_ref/engine.h"
#include "sb3/sb3.h"
#include "support/tiny_model.h"
#include "support/tokenizers.h"
#include "unpack/unpack.h"

namespace {

using namespace sb3lm;

constexpr const char* kText = "the cat sat on the mat, and the cat said: that is mine";

std::vector<Tokenizer> tokenizers() {
  return {test::uncut_tokenizer(), test::cuttable_tokenizer(), test::word_tokenizer(),
          test::paired_byte_tokenizer(), test::byte_tokenizer()};
}

/// A model of which only the tokenizer matters.
Model with_tokenizer(Tokenizer tokenizer) {
  Model model;
  model.spec.vocabulary = static_cast<int>(tokenizer.tokens.size());
  model.spec.width = 1;
  model.tokenizer = std::move(tokenizer);
  return model;
}

std::vector<int> old_ids(const Model& model, std::vector<int> ids) {
  for (int& id : ids) id = model.kept.ids[static_cast<std::size_t>(id)];
  return ids;
}

/// Whether all that encoding makes on its way is kept.
bool is_within(const Tokenizer& tokenizer, const std::string& text, const std::vector<int>& kept) {
  std::vector<bool> touched(tokenizer.tokens.size(), false);
  mark_needed(tokenizer, text, touched);
  for (std::size_t id = 0; id < touched.size(); ++id) {
    if (touched[id] && !std::ranges::binary_search(kept, static_cast<int>(id))) return false;
  }
  return true;
}

/// Words of the corpus in any order.
std::string drawn_text(std::mt19937& random) {
  std::vector<std::string> words;
  std::string word;
  for (const char* c = test::kCorpus; *c != '\0'; ++c) {
    word += *c;
    if (*c == ' ' || *c == '\n') words.push_back(std::exchange(word, {}));
  }
  std::string text;
  for (int i = 0; i < 6; ++i) text += words[random() % words.size()];
  return text;
}

}  // namespace

TEST_CASE("a text whose tokens were kept becomes the same pieces") {
  for (const Tokenizer& whole : tokenizers()) {
    Model model = with_tokenizer(whole);
    const std::vector<int> kept = chosen_tokens(model, {.text = kText});
    REQUIRE(kept.size() < whole.tokens.size());
    keep_tokens(model, kept);
    CHECK(model.tokenizer.tokens.size() == kept.size());
    CHECK(old_ids(model, encode(model.tokenizer, kText, true)) == encode(whole, kText, true));
    CHECK(decode(model.tokenizer, encode(model.tokenizer, kText, true)) ==
          decode(whole, encode(whole, kText, true)));
  }
}

TEST_CASE(
    "so does every text that needs no dropped token, and every other one still has its letters") {
  std::mt19937 random(7);
  int within = 0, others = 0;
  for (const Tokenizer& whole : tokenizers()) {
    const int all = static_cast<int>(whole.tokens.size());
    for (const int most : {all * 3 / 4, all * 7 / 8, all}) {
      Model model = with_tokenizer(whole);
      const std::vector<int> kept = chosen_tokens(model, {.most = most});
      CHECK(static_cast<int>(kept.size()) <= most);
      keep_tokens(model, kept);
      for (int i = 0; i < 200; ++i) {
        const std::string text = drawn_text(random);
        const std::vector<int> ids = encode(model.tokenizer, text, false);
        CHECK(decode(model.tokenizer, ids) == decode(whole, encode(whole, text, false)));
        if (!is_within(whole, text, kept)) {
          ++others;
          continue;
        }
        ++within;
        CHECK(old_ids(model, ids) == encode(whole, text, false));
      }
    }
  }
  CHECK(within > 100);
  CHECK(others > 100);
}

TEST_CASE("kept tokens have the logits that they had") {
  for (const char* preset : {"tiny-moe-untied", "tiny-dense", "tiny-gguf"}) {
    Model model = tiny_model(preset);
    const Model whole = model;
    const std::vector<int> kept = chosen_tokens(model, {.most = model.spec.vocabulary * 3 / 4});
    keep_tokens(model, kept);
    Engine before(whole), after(model);
    for (const int token : encode(model.tokenizer, kText, true)) {
      const auto expected = before.step(model.kept.ids[static_cast<std::size_t>(token)]);
      const auto logits = after.step(token);
      REQUIRE(logits.size() == kept.size());
      for (std::size_t id = 0; id < kept.size(); ++id) {
        REQUIRE(logits[id] == expected[static_cast<std::size_t>(kept[id])]);
      }
    }
  }
}

TEST_CASE("a project says which tokens it has, and they come back") {
  Model model = tiny_model("tiny-moe");
  keep_tokens(model, chosen_tokens(model, {.text = kText}));
  SilentProgress silent;
  const std::string sb3 = pack(model, {.lower = {.context = 16}}, silent);
  const Model back = unpack("x.sb3", read_sb3("x.sb3", as_bytes(sb3))).model;
  CHECK(back.kept.of == model.kept.of);
  CHECK(back.kept.ids == model.kept.ids);
  CHECK(back.spec == model.spec);
  CHECK(encode(back.tokenizer, kText, true) == encode(model.tokenizer, kText, true));
}

TEST_CASE("what cannot be left out is refused by name") {
  const auto error_of = [](Model model, const TokenChoice& choice) -> std::string {
    try {
      keep_tokens(model, chosen_tokens(model, choice));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const Model model = tiny_model("tiny-moe");
  CHECK(error_of(model, {.most = 3}).find("must stay") != std::string::npos);
  CHECK(error_of(model, {.ids = {0, 512}}).find("vocabulary of 512") != std::string::npos);
  CHECK(error_of(model, {.ids = {1, 0}}).find("in order") != std::string::npos);
  Model twice = model;
  keep_tokens(twice, {0, 1, 2});
  CHECK(error_of(twice, {.ids = {0, 1}}).find("before") != std::string::npos);
  CHECK(error_of(tiny_model("tiny-golf592"), {.ids = {0, 1}}).find("bigrams") != std::string::npos);
  Model silent = model;
  silent.tokenizer = {};
  CHECK(error_of(silent, {.most = 100}).find("no tokenizer") != std::string::npos);
}
