// The user interface on an engine that only pretends: it needs nothing but the public names.
// SB3LM_WRITE_UI=FOLDER also writes the projects, to be looked at in a browser.
#include "lower/ui.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <random>

#include "base/error.h"
#include "base/file.h"
#include "lower/ui_font.h"
#include "lower/ui_texts.h"
#include "runtime_ref/block_eval.h"
#include "sb3/sb3.h"
#include "sb3_templates/templates.h"
#include "scratch/check.h"
#include "scratch/script.h"
#include "support/shown_text.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;
using namespace sb3lm::blocks;

constexpr const char* kAnswer =
    "Once upon a time there was a small robot who lived in a library. Every night it read one "
    "book, and every morning it told the mice what it had learned: how rivers find the sea, why "
    "the moon follows you home, and which cheese is best on toast.\nThe mice liked cheese most.";

const UiOptions kChat = {.title = "Chat with <model> & more",
                         .model_name = "ssmoelm-it-5l",
                         .parameters = "40.2 million parameters",
                         .loading_marks = {20, 60, 90}};

void declare_names(Sprite& stage) {
  for (const char* name : {"status", "user message"}) stage.var<Str>(name, "");
  for (const char* name :
       {"progress", "forgotten turns", "temperature", "top k", "top p", "repetition penalty",
        "max new tokens", "seed", "seconds per token", "tokens per second", "compiled"}) {
    stage.var<Num>(name);
  }
  stage.list<Str>("transcript");
  stage.list<Num>("prompt tokens");
  stage.list<Num>("output tokens");
}

// Loads in ten steps, answers every message with kAnswer, letter by letter, until `stop`.
void add_fake_engine(Sprite& engine) {
  const Var<Str> status{"status"}, message{"user message"};
  const Var<Num> progress{"progress"};
  const List<Str> transcript{"transcript"};
  const List<Num> output{"output tokens"};
  const auto reply = engine.var<Str>("_reply", "");
  const auto at = engine.var<Num>("_reply at");
  engine.when_flag([&](Script& s) {
    s.set(status, "loading");
    s.set(progress, 0);
    s.repeat(10, [&](Script& s) {
      s.change(progress, 10);
      s.wait(0);
    });
    s.set(status, "ready");
  });
  engine.when_received("chat", [&](Script& s) {
    s.set(status, "thinking");
    s.clear(output);
    s.append(transcript, join("user: ", message));
    s.set(reply, "model: ");
    s.append(transcript, reply);
    s.set(at, 1);
    s.repeat_until(at > length(kAnswer), [&](Script& s) {
      s.set(reply, join(reply, letter(at, kAnswer)));
      s.replace(transcript, transcript.length(), reply);
      s.append(output, at);
      s.change(at, 1);
    });
    s.set(status, "ready");
  });
  engine.when_received("stop", [&](Script& s) { s.set(at, 100000); });
  engine.when_received("new chat", [&](Script& s) {
    s.clear(transcript);
    s.clear(output);
  });
}

scratch::Program make_project(const UiOptions& options) {
  scratch::Program program;
  program.title = options.title;
  program.targets.resize(2);
  program.targets[0].name = "Stage";
  program.targets[0].is_stage = true;
  program.targets[1].name = "engine";
  program.targets[1].visible = false;
  Sprite stage(program, 0), engine(program, 1);
  declare_names(stage);
  add_fake_engine(engine);
  for (const char* message : {"generate"}) stage.add_broadcast(message);
  add_chat_ui(program, options);
  return program;
}

// A project that has been started, and what a person does with it.
struct Running {
  explicit Running(const UiOptions& options) : evaluator(make_project(options)) {
    evaluator.green_flag();
    wait_for("ready");
  }
  void steps(int count) {
    for (int i = 0; i < count; ++i) evaluator.step();
  }
  void wait_for(const char* status) {
    REQUIRE(evaluator.run_until([&] { return evaluator.text("status") == status; }, 10'000));
    steps(2);
  }
  void press(const char* key) {
    evaluator.press_key(key);
    steps(2);
  }
  void click(double x, double y) {
    evaluator.move_mouse(x, y, false);
    evaluator.click("Stage");
    steps(3);
  }
  void ask(const char* question) {
    press("space");
    REQUIRE(evaluator.answer(question));
    wait_for("thinking");
    wait_for("ready");
  }
  std::vector<std::string> lines() { return shown_lines(evaluator); }

  BlockEvaluator evaluator;
};

std::string text_of(UiText text) {
  return std::string(ui_texts()[static_cast<std::size_t>(place_of(text)) - 1]);
}

std::string without_breaks(const std::vector<std::string>& lines, std::size_t from,
                           std::size_t to) {
  std::string joined;
  for (std::size_t i = from; i < to; ++i) joined += lines[i];
  return joined;
}

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// Lines neither begin nor end with spaces.
std::string without_spaces(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  return text;
}

}  // namespace

TEST_CASE("the backdrop carries the model's names") {
  const scratch::Program program = make_project(kChat);
  const std::string& svg = program.assets.at("backdrop.svg");
  CHECK(svg.find("Chat with &lt;model> &amp; more") != std::string::npos);
  CHECK(svg.find("40.2 million parameters") != std::string::npos);
  CHECK(svg.find("Click the green flag.") != std::string::npos);
  CHECK(svg.find("{{") == std::string::npos);
}

TEST_CASE("a program without the public names is refused") {
  scratch::Program program;
  program.targets.push_back({.name = "Stage", .is_stage = true});
  CHECK_THROWS_AS(add_chat_ui(program, kChat), Error);
}

TEST_CASE("projects keep the checker's rules, are written and read back") {
  const char* folder = std::getenv("SB3LM_WRITE_UI");
  SilentProgress progress;
  for (const bool has_tokenizer : {true, false}) {
    UiOptions options = kChat;
    options.has_tokenizer = has_tokenizer;
    const scratch::Program program = make_project(options);
    for (const std::string& fault : check_program(program, {.foreign = {"engine"}})) {
      FAIL_CHECK(fault);
    }
    const std::string bytes = write_sb3(program, 12, progress);
    CHECK(bytes.size() < 26'000);
    CHECK_NOTHROW(
        read_sb3("ui", {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}));
    if (folder != nullptr) {
      write_file(std::string(folder) + (has_tokenizer ? "/chat.sb3" : "/tokens.sb3"), bytes);
    }
  }
}

TEST_CASE("the font has every letter of Latin-1 and Latin Extended-A that shows") {
  Running chat(kChat);
  for (char32_t c = 0x20; c < 0x180; ++c) {
    const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0);
    constexpr char32_t kSoftHyphen = 0xAD;
    if (control) continue;
    CAPTURE(static_cast<unsigned>(c));
    CHECK(shows_letter(chat.evaluator, c) == (c != kSoftHyphen));
  }
}

TEST_CASE("the key asks, the answer starts a chat, and both turns are shown wrapped") {
  Running chat(kChat);
  CHECK(chat.lines().front().starts_with("Hello!"));
  const std::size_t notes = chat.lines().size();
  chat.ask("Tell me a STORY, été");
  const std::vector<std::string> lines = chat.lines();
  REQUIRE(lines.size() > notes + 5);
  CHECK(lines[notes] == "Tell me a STORY, été");
  CHECK(lines.back() == "The mice liked cheese most.");
  std::string expected = kAnswer;
  expected.erase(expected.find('\n'), 1);
  CHECK(without_breaks(lines, notes + 1, lines.size()) == expected);
  for (const std::string& line : lines) CHECK(line.size() < 70);
}

TEST_CASE("suggestions are sent by a key or a click, and only before the conversation") {
  UiOptions options = kChat;
  options.suggestions = {"What is a volcano?", "Opposite of cold?", "Who are you?"};
  CHECK(check_program(make_project(options), {.foreign = {"engine"}}).empty());
  Running chat(options);
  const auto turns = [&] { return chat.evaluator.list_size("transcript"); };
  const auto first = [&] {
    chat.wait_for("ready");
    return std::get<std::string>(chat.evaluator.list_item("transcript", 0));
  };
  const auto start_anew = [&] { chat.press("n"), chat.steps(5); };
  chat.press("4");  // there is none
  chat.press("2");
  CHECK(first() == "user: Opposite of cold?");
  chat.press("1");
  CHECK(turns() == 2);
  start_anew();
  chat.click(0, -86);  // the lowest row
  CHECK(first() == "user: Who are you?");
  start_anew();
  chat.press("o");  // the settings cover them
  chat.press("1");
  chat.click(0, -86);
  CHECK(turns() == 0);
}

TEST_CASE("an empty answer and a second press of the key do nothing") {
  Running chat(kChat);
  chat.press("space");
  chat.press("space");
  CHECK(chat.evaluator.answer(""));
  chat.steps(5);
  CHECK_FALSE(chat.evaluator.answer("nobody asked"));
  CHECK(chat.evaluator.list_size("transcript") == 0);
  chat.ask("now");
  CHECK(chat.evaluator.list_size("transcript") == 2);
}

TEST_CASE("a chat that something else starts is shown, and leaves a waiting question alone") {
  Running chat(kChat);
  chat.press("space");
  chat.evaluator.set_variable("user message", std::string("from a harness"));
  chat.evaluator.broadcast("chat");
  chat.wait_for("thinking");
  chat.wait_for("ready");
  const std::vector<std::string> lines = chat.lines();
  CHECK(std::find(lines.begin(), lines.end(), "from a harness") != lines.end());
  CHECK(chat.evaluator.answer("mine"));
  chat.wait_for("thinking");
}

TEST_CASE("replies that follow each other between two frames do not mix") {
  Running chat(kChat);
  for (const char* reply : {"the time of days", "The time of days", "a", "A sawdy department",
                            "a sawdy", "Guinea is a genus of Gramaticidae."}) {
    chat.evaluator.set_list("transcript", {std::string("model: ") + reply});
    chat.steps(40);
    CHECK(chat.lines().back() == reply);
  }
}

TEST_CASE("the stage shows the transcript, however it is changed between two frames") {
  constexpr std::size_t kLookFrames = 16, kMostTurns = 4;
  Running chat(kChat);
  std::mt19937 random(1);
  const auto below = [&](std::size_t n) { return random() % n; };
  const auto words = [&] {
    std::string text;
    for (std::size_t i = below(40); i > 0; --i) text += "aAbB. \n"[below(7)];
    return text;
  };
  const std::string greeting = without_spaces(text_of(UiText::greeting));
  std::vector<std::string> turns;
  const auto change = [&] {
    switch (turns.empty() ? 0 : below(6)) {
      case 0:
        turns.push_back((below(2) == 0 ? "user: " : "model: ") + words());
        break;
      case 1:
        turns.back() += words();
        break;
      case 2:
        turns[below(turns.size())] = "model: " + words();
        break;
      case 3:
        turns.resize(below(turns.size()));
        break;
      case 4:
        turns.assign(1 + below(kMostTurns), "model: " + words());
        break;
      default:  // another capital somewhere
        std::string& text = turns[below(turns.size())];
        const std::size_t at = text.find_last_of("aAbB");
        if (at != std::string::npos && at > std::string("model: ").size()) text[at] ^= 'a' ^ 'A';
    }
  };
  for (int round = 0; round < 300; ++round) {
    for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
      change();
      chat.evaluator.set_list("transcript", {turns.begin(), turns.end()});
      chat.steps(static_cast<int>(below(3)));
    }
    chat.steps(static_cast<int>(kLookFrames * (turns.size() + 2)));
    std::string expected = greeting;
    for (const std::string& turn : turns) expected += without_spaces(turn.substr(turn.find(' ')));
    const std::vector<std::string> lines = chat.lines();
    CAPTURE(round);
    CHECK(without_spaces(without_breaks(lines, 0, lines.size())) == expected);
  }
}

TEST_CASE("a long conversation scrolls, and the arrow keys scroll back") {
  Running chat(kChat);
  for (int i = 0; i < 4; ++i) chat.ask("Again!");
  const double end = chat.evaluator.number("_scroll");
  CHECK(end > 100);
  chat.press("up arrow");
  CHECK(chat.evaluator.number("_scroll") < end);
  for (int i = 0; i < 20; ++i) chat.press("up arrow");
  CHECK(chat.evaluator.number("_scroll") == 0);
  chat.press("down arrow");
  CHECK(chat.evaluator.number("_scroll") > 0);
}

TEST_CASE("a finger on the conversation moves it") {
  Running chat(kChat);
  for (int i = 0; i < 4; ++i) chat.ask("Again!");
  const double end = chat.evaluator.number("_scroll");
  const auto swipe = [&](double from, double to) {
    chat.evaluator.move_mouse(20, from, true);
    chat.evaluator.click("Stage");
    chat.steps(3);
    chat.evaluator.move_mouse(20, to, true);
    chat.steps(2);
    chat.evaluator.move_mouse(20, to, false);
    chat.steps(2);
    chat.evaluator.move_mouse(20, 0, false);  // nobody touches it any more
    chat.steps(2);
    return chat.evaluator.number("_scroll");
  };
  CHECK(swipe(60, 0) == end - 60);
  CHECK(swipe(0, 25) == end - 35);
  CHECK(swipe(-146, 60) == end - 35);  // began on the button
  for (int i = 0; i < 9; ++i) swipe(100, -90);
  CHECK(chat.evaluator.number("_scroll") == 0);
}

TEST_CASE("a question that does not reach the conversation is given back, wrapped") {
  Running chat(kChat);
  chat.ask("First");
  const std::size_t before = chat.lines().size();
  const std::string question = repeated("Is this too long? ", 30);
  chat.evaluator.set_variable("user message", question);
  chat.evaluator.set_variable("status", std::string("error: your message is too long"));
  chat.steps(2);
  const std::vector<std::string> lines = chat.lines();
  const std::string shown = without_spaces(without_breaks(lines, before, lines.size()));
  CHECK(shown ==
        without_spaces(text_of(UiText::you_wrote) + question + "error: your message is too long"));
  for (const std::string& line : lines) CHECK(line.size() < 70);
  CHECK(chat.evaluator.text("_said") == text_of(UiText::failed));
}

TEST_CASE("stop and new chat by key and by mouse") {
  Running chat(kChat);
  for (const bool by_key : {true, false}) {
    chat.evaluator.set_variable("user message", std::string("go"));
    chat.evaluator.broadcast("chat");
    chat.wait_for("thinking");
    chat.steps(3);
    by_key ? chat.press("s") : chat.click(-127, -146);
    chat.wait_for("ready");
    CHECK(chat.evaluator.list_size("output tokens") < 20);
    CHECK(chat.evaluator.list_size("transcript") == 2);
    by_key ? chat.press("n") : chat.click(-193, 116);
    chat.steps(2);
    CHECK(chat.evaluator.list_size("transcript") == 0);
    CHECK(chat.lines().back() == chat.lines().back());
    CHECK(chat.lines().size() < 5);
  }
}

TEST_CASE("settings by key: rows are chosen and changed inside their ranges") {
  Running chat(kChat);
  chat.evaluator.set_variable("temperature", 1.9);
  chat.press("right arrow");
  CHECK(chat.evaluator.number("temperature") == 1.9);  // closed
  chat.press("o");
  for (int i = 0; i < 3; ++i) chat.press("right arrow");
  CHECK(chat.evaluator.number("temperature") == 2);
  chat.press("left arrow");
  CHECK(chat.evaluator.number("temperature") == 1.9);
  chat.press("down arrow");
  chat.press("right arrow");
  CHECK(chat.evaluator.number("top k") == 1);
  chat.press("up arrow");
  chat.press("up arrow");
  chat.press("right arrow");
  CHECK(chat.evaluator.number("seed") == 1);
  chat.press("r");
  const double seed = chat.evaluator.number("seed");
  CHECK(seed >= 1);
  CHECK(seed == std::floor(seed));
  chat.press("o");
  chat.press("r");
  CHECK(chat.evaluator.number("seed") == seed);  // closed again
}

TEST_CASE("settings by mouse: a click moves the knob, a drag follows the mouse") {
  Running chat(kChat);
  chat.click(-193, 84);
  chat.click(49, 112);  // the middle of the first row
  CHECK(chat.evaluator.number("temperature") == 1);
  chat.evaluator.move_mouse(-124, 48, true);
  chat.evaluator.click("Stage");
  chat.steps(3);
  CHECK(chat.evaluator.number("top p") == 0.05);
  chat.evaluator.move_mouse(400, 48, true);
  chat.steps(3);
  CHECK(chat.evaluator.number("top p") == 1);
  chat.evaluator.move_mouse(400, 48, false);
  chat.steps(3);
  chat.evaluator.move_mouse(-124, 48, false);
  chat.steps(3);
  CHECK(chat.evaluator.number("top p") == 1);
}

TEST_CASE("the bar says which layer is being unpacked") {
  BlockEvaluator evaluator(make_project(kChat));
  evaluator.green_flag();
  const auto said_at = [&](double progress) {
    evaluator.set_variable("status", std::string("loading"));
    evaluator.set_variable("progress", progress);
    evaluator.set_variable("_shown status", std::string("x"));
    evaluator.step();
    return evaluator.text("_said");
  };
  evaluator.run_until([&] { return evaluator.text("status") == "ready"; }, 100);
  CHECK(said_at(10) == text_of(UiText::unpacking_words));
  CHECK(said_at(30) == "unpacking layer 1 of 2");
  CHECK(said_at(75) == "unpacking layer 2 of 2");
  CHECK(said_at(95) == text_of(UiText::unpacking_words));
}

TEST_CASE("notes: forgotten turns, errors, a slow player") {
  Running chat(kChat);
  CHECK(chat.lines().size() < 5);
  chat.evaluator.set_variable("forgotten turns", 2.0);
  chat.steps(2);
  CHECK(without_breaks(chat.lines(), 0, chat.lines().size()).ends_with(text_of(UiText::forgotten)));
  chat.evaluator.set_variable("status", std::string("error: no"));
  chat.steps(2);
  CHECK(chat.lines().back() == "error: no");
  chat.evaluator.set_variable("seconds per token", 0.6);
  chat.evaluator.set_variable("compiled", 1.0);
  chat.evaluator.set_variable("status", std::string("ready"));
  chat.steps(2);
  CHECK_FALSE(
      without_breaks(chat.lines(), 0, chat.lines().size()).ends_with(text_of(UiText::slow)));
  chat.evaluator.set_variable("compiled", 0.0);
  chat.evaluator.set_variable("status", std::string("thinking"));
  chat.steps(2);
  chat.evaluator.set_variable("status", std::string("ready"));
  chat.steps(2);
  CHECK(without_breaks(chat.lines(), 0, chat.lines().size()).ends_with(text_of(UiText::slow)));
}

TEST_CASE("every text of the interface stands in the list") {
  Running chat(kChat);
  CHECK(chat.evaluator.list_size(kUiTexts) == ui_texts().size());
  chat.evaluator.set_list(kUiTexts,
                          std::vector<scratch::Scalar>(ui_texts().size(), std::string("hallo")));
  chat.evaluator.green_flag();
  chat.wait_for("ready");
  for (const std::string& line : chat.lines()) CHECK(line == "hallo");
  CHECK(chat.evaluator.text("_said") == "hallo");
}
