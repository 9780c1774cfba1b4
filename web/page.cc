// What the page's worker calls (worker.js): commands as on the command line, and a conversation.
// Codes are exit codes, as README.md lists them; what is to be told beyond them is JSON.
#include <emscripten.h>
#include <fmt/format.h>

#include <memory>
#include <new>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/memory.h"
#include "import/suggestions.h"
#include "model/tensor.h"
#include "talk.h"
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/load.h"
#include "tools/options.h"

// clang-format off
EM_JS(void, page_progress, (const char* what, int size, double fraction), {
  Module.onProgress(UTF8ToString(what, size), fraction);
});
EM_JS(void, page_text, (const char* bytes, int size), {
  Module.onText(HEAPU8.slice(bytes, bytes + size));
});
// clang-format on

namespace sb3lm {
namespace {

using Json = nlohmann::json;

constexpr int kMore = -1;  // not an exit code: the reply goes on

class PageProgress final : public Progress {
 public:
  void report(std::string_view what, double fraction) override {
    constexpr double kRefresh = 40;  // ms
    const double now = emscripten_get_now();
    if (what == stage_ && fraction < 1 && now - last_ < kRefresh) return;
    stage_ = what;
    last_ = now;
    page_progress(what.data(), static_cast<int>(what.size()), fraction);
  }

 private:
  std::string stage_;
  double last_ = 0;
};

std::unique_ptr<Talk> talk;
std::string answer;  // the last call's JSON

template <class Work>
int guarded(Work work) {
  try {
    const int code = work();
    flush_out();
    return code;
  } catch (const Error& error) {
    print_err("{}\n", error.what());
    return static_cast<int>(error.fault);
  } catch (const std::bad_alloc&) {
    print_err("not enough memory\n");
    return static_cast<int>(Fault::bad_input);
  } catch (const std::exception& error) {
    print_err("{}\n", error.what());
    return static_cast<int>(Fault::bug);
  }
}

/// What the page says about a model that it has opened.
std::string facts_of(const Talk& open, const InputOptions& input) {
  const Model& about = open.native().about();
  const ModelSpec& spec = about.spec;
  int experts = 0;
  for (const LayerSpec& layer : spec.layers)
    experts = std::max(experts, layer.feed_forward.routed_experts);
  return Json{{"name", input.name},
              {"family", spec.family},
              {"is_sb3", is_sb3(input.file)},
              {"weights", weight_count(spec)},
              {"layers", spec.passes.size()},
              {"experts", experts},
              {"vocabulary", spec.vocabulary},
              {"context", spec.context},
              {"can_talk", open.can_talk()},
              {"has_chat", about.chat.present()},
              {"licence", about.licence},
              {"suggestions", suggested_questions(about, input.name)},
              {"notes", about.notes}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

int run_line(int argc, char** argv) {
  const CommandLine line = parse_command_line(argc, argv);
  PageProgress progress;
  return std::visit([&](const auto& options) { return run_command(options, progress); },
                    line.command);
}

int open_talk(int argc, char** argv) {
  const CommandLine line = parse_command_line(argc, argv);
  const RunOptions& options = std::get<RunOptions>(line.command);
  PageProgress progress;
  talk.reset();  // never two models at once
  talk = std::make_unique<Talk>(options, progress);
  answer = facts_of(*talk, options.input);
  return 0;
}

int go_on(double milliseconds) {
  const bool more = talk->go_on(milliseconds, [](std::string_view bytes) {
    page_text(bytes.data(), static_cast<int>(bytes.size()));
  });
  answer = Json{{"said", talk->said()},
                {"tokens", talk->tokens()},
                {"context", talk->context()},
                {"forgotten", talk->forgotten()},
                {"stop_reason", talk->stop_reason()}}
               .dump();
  return more ? kMore : 0;
}

}  // namespace
}  // namespace sb3lm

extern "C" {

/// `argv` as on the command line, of any subcommand.
EMSCRIPTEN_KEEPALIVE int page_command(int argc, char** argv) {
  return sb3lm::guarded([&] { return sb3lm::run_line(argc, argv); });
}

/// `argv` as of `sb3lm run`: opens a conversation, and tells facts.
EMSCRIPTEN_KEEPALIVE int page_open(int argc, char** argv) {
  return sb3lm::guarded([&] { return sb3lm::open_talk(argc, argv); });
}

EMSCRIPTEN_KEEPALIVE int page_say(const char* text) {
  return sb3lm::guarded([&] {
    sb3lm::talk->begin(text);
    return 0;
  });
}

/// -1: there is more to come.
EMSCRIPTEN_KEEPALIVE int page_go_on(double milliseconds) {
  return sb3lm::guarded([&] { return sb3lm::go_on(milliseconds); });
}

EMSCRIPTEN_KEEPALIVE void page_reset() {
  sb3lm::talk->reset();
}

/// Gives the model back, so that a build has the memory.
EMSCRIPTEN_KEEPALIVE void page_close() {
  sb3lm::talk.reset();
}

EMSCRIPTEN_KEEPALIVE const char* page_answer() {
  return sb3lm::answer.c_str();
}

EMSCRIPTEN_KEEPALIVE double page_memory() {
  return static_cast<double>(sb3lm::peak_resident_bytes());
}
}
