#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>

#include "base/error.h"
#include "import/formats.h"
#include "import/import.h"
#include "support/checkpoint_writer.h"
#include "support/float_files.h"
#include "support/skip.h"
#include "support/tiny_model.h"
#include "synth/llama2c_out.h"
#include "synth/vocabulary.h"

using namespace sb3lm;

namespace {

SyntheticFiles dense_files() {
  SilentProgress silent;
  return make_synthetic({.preset = "tiny-dense"}, silent);
}

std::string error_of(const SyntheticFiles& files) {
  try {
    import_files(files);
  } catch (const Error& problem) {
    CHECK(problem.fault == Fault::bad_input);
    return problem.what();
  }
  return "no error";
}

Model read_version(const Model& model, int version) {
  SyntheticFiles files = dense_files();
  files.checkpoint = write_llama2c(test::float_model(model), version);
  return import_files(files);
}

void set_field(std::string& bytes, std::size_t field, std::int32_t value) {
  std::memcpy(bytes.data() + 4 * field, &value, sizeof(value));
}

/// llama2.c's own way, by texts: the best pair is the one whose joined text scores highest.
std::vector<int> encode_by_text(const std::vector<std::pair<float, std::string>>& tokens,
                                const std::string& text) {
  const auto find = [&tokens](const std::string& wanted) {
    for (std::size_t id = 0; id < tokens.size(); ++id) {
      if (tokens[id].second == wanted) return static_cast<int>(id);
    }
    return -1;
  };
  std::vector<int> ids = {1};
  if (!text.empty()) ids.push_back(find(" "));
  for (std::size_t at = 0; at < text.size();) {
    std::size_t size = 1;
    while (size < 4 && at + size < text.size() && (text[at + size] & 0xC0) == 0x80) ++size;
    const std::string symbol = text.substr(at, size);
    const int id = find(symbol);
    if (id >= 0) {
      ids.push_back(id);
    } else {
      for (const char c : symbol) ids.push_back(static_cast<unsigned char>(c) + 3);
    }
    at += size;
  }
  while (true) {
    float best = -1e10F;
    std::size_t best_at = ids.size();
    int best_id = -1;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      const int id = find(tokens[static_cast<std::size_t>(ids[i])].second +
                          tokens[static_cast<std::size_t>(ids[i + 1])].second);
      if (id < 0 || tokens[static_cast<std::size_t>(id)].first <= best) continue;
      best = tokens[static_cast<std::size_t>(id)].first;
      best_at = i;
      best_id = id;
    }
    if (best_at == ids.size()) return ids;
    ids[best_at] = best_id;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best_at) + 1);
  }
}

std::vector<std::pair<float, std::string>> entries_of(std::string_view bytes) {
  std::vector<std::pair<float, std::string>> entries;
  for (std::size_t at = 4; at < bytes.size();) {
    float score = 0;
    std::int32_t size = 0;
    std::memcpy(&score, bytes.data() + at, 4);
    std::memcpy(&size, bytes.data() + at + 4, 4);
    entries.emplace_back(score, bytes.substr(at + 8, static_cast<std::size_t>(size)));
    at += 8 + static_cast<std::size_t>(size);
  }
  return entries;
}

/// Our ids against the ids by text, for fixed and for random texts.
void compare_encoders(const std::string& name, std::string_view bytes, int vocabulary) {
  const Tokenizer tokenizer = read_tokenizer_bin({name, as_bytes(bytes)}, vocabulary);
  const auto entries = entries_of(bytes);
  std::vector<std::string> texts = {"",
                                    " ",
                                    "a",
                                    "Once upon a time, there was a little girl named Lily.",
                                    "  two  ",
                                    "line\nbreak",
                                    "<0x41>",
                                    "\u00e9\u65e5\U0001F642 mixed",
                                    "the the thethe",
                                    "\x80\xff x",
                                    "<s>",
                                    "\n<s>\n"};
  std::mt19937 random(7);
  for (int i = 0; i < 60; ++i) {
    std::string text;
    for (int j = 0; j < 30; ++j) text += " aehilnostLd,.'\n"[random() % 16];
    texts.push_back(text);
  }
  for (const std::string& text : texts) {
    CAPTURE(text);
    const std::vector<int> ids = encode(tokenizer, text, true);
    CHECK(ids == encode_by_text(entries, text));
    CHECK(decode(tokenizer, ids) == text);
  }
}

}  // namespace

TEST_CASE("a small checkpoint: spec, roles and tying") {
  const Model model = tiny_model("tiny-dense");
  CHECK(model.spec.width == 48);
  CHECK(model.spec.layers.size() == 2);
  CHECK(model.spec.tied_head);
  CHECK(model.spec.layers[0].attention.rope.layout == RopeLayout::interleaved);
  CHECK(model.names.at({Role::down, 1}) == "layers.1.feed_forward.w2");
  CHECK(shape_of(model.at({Role::down, 1})) == Shape{48, 80});
  CHECK(model.source.format == "llama2.c");
  CHECK(model.tokenizer.bos == 1);
  const Model untied = tiny_model("tiny-dense-untied");
  CHECK_FALSE(untied.spec.tied_head);
  CHECK(shape_of(untied.at({Role::head})) == Shape{512, 48});
  CHECK(weight_at(model.at({Role::up, 0}), 3, 4) == weight_at(untied.at({Role::up, 0}), 3, 4));
}

TEST_CASE("broken files") {
  SyntheticFiles files = dense_files();
  files.checkpoint.resize(20);
  CHECK(error_of(files) == "tiny.bin: byte 20: llama2.c header: 4 bytes needed, 0 left");
  files = dense_files();
  files.checkpoint.pop_back();
  CHECK(error_of(files).find("its header asks for") != std::string::npos);
  files = dense_files();
  set_field(files.checkpoint, 2, 0x7fffffff);
  CHECK(error_of(files).find("2147483647 is outside 1..1048576") != std::string::npos);
  files = dense_files();
  for (const std::size_t field : {0u, 1u, 6u}) set_field(files.checkpoint, field, 1 << 20);
  for (const std::size_t field : {3u, 4u}) set_field(files.checkpoint, field, 1024);
  CHECK(error_of(files).find("header asks for") != std::string::npos);
  files = dense_files();
  set_field(files.checkpoint, 3, 5);
  CHECK(error_of(files).find("5 heads do not divide the width 48") != std::string::npos);
  files = dense_files();
  files.checkpoint.replace(28, 4, std::string("\x00\x00\xc0\x7f", 4));
  CHECK(error_of(files).find("tensor 'tok_embeddings': element 0 is not finite") !=
        std::string::npos);
}

TEST_CASE("versions 1 and 2: the same model, in version 2 rounded in groups") {
  const Model model = tiny_model("tiny-dense"), untied = tiny_model("tiny-dense-untied");
  for (const Model* one : {&model, &untied}) {
    for (const int version : {1, 2}) {
      CAPTURE(version);
      const Model again = read_version(*one, version);
      CHECK(again.spec == one->spec);
      CHECK(again.source.blocks == (version == 2 ? "Q8_0 in groups of 32" : ""));
      CHECK(again.tensors.size() == one->tensors.size());
      double off = 0;
      for (const auto& [key, tensor] : one->tensors) {
        const auto &was = std::get<FloatTensor>(tensor).values,
                   &is = std::get<FloatTensor>(again.at(key)).values;
        REQUIRE(is.size() == was.size());
        for (std::size_t i = 0; i < was.size(); ++i) {
          off = std::max(off, std::fabs(static_cast<double>(is[i]) - was[i]));
        }
      }
      CHECK((version == 1 ? off == 0 : off > 0 && off < 0.01));
    }
  }
}

TEST_CASE("broken files of version 2") {
  const std::string good = write_llama2c(test::float_model(tiny_model("tiny-dense")), 2);
  const auto error = [&good](std::size_t at, std::int32_t value) {
    SyntheticFiles files = dense_files();
    files.checkpoint = good;
    std::memcpy(files.checkpoint.data() + at, &value, sizeof value);
    return error_of(files);
  };
  CHECK(error(4, 3) == "tiny.bin: byte 8: llama2.c header: version 3 is neither 1 nor 2");
  CHECK(error(28, -512) ==
        "tiny.bin: byte 36: llama2.c header: vocabulary -512 is outside "
        "1..1048576");
  CHECK(error(37, 0) ==
        "tiny.bin: byte 41: llama2.c header: a group of 0 weights is outside "
        "1..1048576");
  CHECK(error(37, 7).find("as llama2.c version 2 its header asks for") != std::string::npos);
  SyntheticFiles files = dense_files();
  files.checkpoint = good.substr(0, 300);
  CHECK(error_of(files).find("it has 300") != std::string::npos);
}

TEST_CASE("broken tokenizers") {
  SyntheticFiles files = dense_files();
  files.tokenizer.resize(files.tokenizer.size() - 1);
  CHECK(error_of(files).find("token 511 of 512") != std::string::npos);
  files = dense_files();
  files.tokenizer += "x";
  CHECK(error_of(files) == "no error");  // more than the vocabulary needs
  files = dense_files();
  files.tokenizer[11] = '\x80';  // length of token 0
  CHECK(error_of(files).find("token 0 of 512: its length -") != std::string::npos);
  files = dense_files();
  files.tokenizer.replace(4, 4, std::string("\x00\x00\xc0\x7f", 4));
  CHECK(error_of(files).find("its score is not finite") != std::string::npos);
}

TEST_CASE("encoding is llama2.c's, on a made-up vocabulary with ties") {
  const std::string bytes = tokenizer_bin(512);
  compare_encoders("tokenizer.bin", bytes, 512);
  std::string tied = bytes;  // equal scores for all: the leftmost pair merges first
  for (std::size_t at = 4; at < tied.size();) {
    std::int32_t size = 0;
    std::memcpy(&size, tied.data() + at + 4, 4);
    std::memset(tied.data() + at, 0, 4);
    at += 8 + static_cast<std::size_t>(size);
  }
  compare_encoders("tied.bin", tied, 512);
}

TEST_CASE("stories260K imports and encodes") {
  const char* folder = std::getenv("SB3LM_TEST_DATA");
  if (folder == nullptr ||
      !std::filesystem::exists(std::filesystem::path(folder) / "stories260K")) {
    return test::skip_case("SB3LM_TEST_DATA does not name a folder with stories260K");
  }
  const std::filesystem::path data = std::filesystem::path(folder) / "stories260K";
  SilentProgress silent;
  const Model model =
      import_model(data / "stories260K.bin", {.tokenizer = data / "tok512.bin"}, silent);
  CHECK(model.spec.width == 64);
  CHECK(model.spec.layers.size() == 5);
  CHECK(model.spec.layers[0].attention.kv_heads == 4);
  CHECK(model.spec.vocabulary == 512);
  const MappedFile vocabulary(data / "tok512.bin");
  compare_encoders("tok512.bin", vocabulary.text(), 512);
  const MappedFile story(data / "greedy-256.txt");
  const std::string text(story.text());
  CHECK(decode(model.tokenizer, encode(model.tokenizer, text, true)) == text);
}
