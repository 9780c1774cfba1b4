#include "runtime_ref/block_eval_machine.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace sb3lm::eval {
namespace {

constexpr std::size_t kMaxFrames = 20000;
// How far up scratch-vm looks for the same procedure to call it recursive.
constexpr std::size_t kRecursionWindow = 5;
// While no script runs, a step takes as long as a player's, and after a time nothing more is
// expected of hats that watch the timer.
constexpr double kStepSeconds = 1.0 / 30;
constexpr int kIdleSteps = 300;

void assign(const Instruction& now, const Scope& scope) {
  if (now.a->gives_number()) {
    now.variable->set(now.a->raw(scope));
  } else {
    *now.variable = now.a->value(scope);
  }
}

void replace_number(const Instruction& now, const Scope& scope) {
  const double index = now.a->number(scope), item = now.b->raw(scope);
  const std::size_t at = number_to_index(index, now.list->size());
  if (at != 0) now.list->replace(at, item);
}

void replace_item(const Instruction& now, const Scope& scope) {
  const Value index = now.a->value(scope);
  Value item = now.b->value(scope);
  const std::size_t at = to_index(index, now.list->size());
  if (at != 0) now.list->replace(at, std::move(item));
}

void append_item(const Instruction& now, const Scope& scope, std::size_t limit) {
  if (now.list->size() < limit) now.list->append(now.a->value(scope));
}

void insert_item(const Instruction& now, const Scope& scope, std::size_t limit) {
  Value item = now.a->value(scope);
  ItemList& list = *now.list;
  const std::size_t at = to_index(now.b->value(scope), list.size() + 1);
  if (at == 0 || at > limit) return;
  list.insert(at, std::move(item));
  if (list.size() > limit) list.pop();
}

void erase_item(const Instruction& now, const Scope& scope) {
  const Value index = now.a->value(scope);
  if (index.is_text() && index.str() == "all") return now.list->clear();
  const std::size_t at = to_index(index, now.list->size());
  if (at != 0) now.list->erase(at);
}

}  // namespace

Machine::Machine(const scratch::Program& program)
    : world_(program), project_(compile(program, world_)) {
  for (std::size_t i = 0; i < world_.actors.size(); ++i) order_.push_back(i);
  std::stable_sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
    return world_.actors[a].layer < world_.actors[b].layer;
  });
  for (const CompiledScript& script : project_.scripts) {
    if (script.seconds != nullptr) timed_.emplace_back(&script, false);
  }
}

void Machine::green_flag() {
  stop_all();
  world_.timer_start = world_.clock.now();
  world_.answer = Text();
  for (auto& [script, was_over] : timed_) was_over = false;
  start_hats(scratch::Op::when_flag, "");
}

void Machine::broadcast(const std::string& message) {
  start_hats(scratch::Op::when_received, lower_case(Text(message)));
}

void Machine::press_key(const std::string& key) {
  start_hats(scratch::Op::when_key, lower_case(Text(key)));
}

bool Machine::click(std::string_view name) {
  const auto& actors = world_.actors;
  const auto found = std::find_if(actors.begin(), actors.end(),
                                  [&](const Actor& actor) { return actor.name == name; });
  if (found == actors.end()) return false;
  const auto index = static_cast<std::size_t>(found - actors.begin());
  const scratch::Op hat = index == 0 ? scratch::Op::when_stage_clicked : scratch::Op::when_clicked;
  for (const CompiledScript& script : project_.scripts) {
    if (script.actor == index && script.hat == hat) start(script);
  }
  return true;
}

bool Machine::step() {
  blocks_left_ = blocks_per_step_;
  start_timed();
  // Threads that start meanwhile join the end and still run in this pass.
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    const ThreadPtr thread = threads_[i];
    if (!thread->done) run(thread);
  }
  std::erase_if(threads_, [](const ThreadPtr& thread) { return thread->done; });
  return skip_time();
}

bool Machine::is_running(const CompiledScript& script) const {
  return std::any_of(threads_.begin(), threads_.end(),
                     [&](const ThreadPtr& thread) { return thread->script == &script; });
}

// "When timer >" is looked at before every step, unless its script still runs, and starts it where
// the answer has become yes.
void Machine::start_timed() {
  for (auto& [script, was_over] : timed_) {
    if (is_running(*script)) continue;
    const double timer = world_.clock.now() - world_.timer_start;
    const bool over = timer > script->seconds->number(Scope{});
    if (over && !was_over) start(*script);
    was_over = over;
  }
}

// While all threads only wait, the clock need not be waited for.
bool Machine::skip_time() {
  if (threads_.empty() && !timed_.empty()) {
    world_.clock.skip_to(world_.clock.now() + kStepSeconds);
    return ++idle_steps_ < kIdleSteps;
  }
  idle_steps_ = 0;
  double earliest = HUGE_VAL;
  bool only_waiting = true, only_answers = true;
  for (const ThreadPtr& thread : threads_) {
    if (thread->wait == Thread::Wait::none) only_waiting = false;
    if (thread->wait == Thread::Wait::time) earliest = std::fmin(earliest, thread->wake);
    if (thread->wait != Thread::Wait::answer) only_answers = false;
  }
  if (threads_.empty() || only_answers) return false;
  if (!only_waiting) return true;
  // Threads that wait for a thread which waits for an answer wait for the answer, too.
  if (earliest < HUGE_VAL) world_.clock.skip_to(earliest);
  return earliest < HUGE_VAL || questions_.empty();
}

bool Machine::answer(std::string_view text) {
  if (questions_.empty()) return false;
  world_.answer = Text(std::string(text));
  Thread& thread = *questions_.front().thread;
  thread.wait = Thread::Wait::none;
  ++thread.at;
  questions_.erase(questions_.begin());
  return true;
}

std::string Machine::question() const {
  return questions_.empty() ? "" : questions_[0].text;
}

std::vector<ThreadPtr> Machine::start_hats(scratch::Op hat, const std::string& message) {
  std::vector<ThreadPtr> started;
  for (auto actor = order_.rbegin(); actor != order_.rend(); ++actor) {
    for (const CompiledScript& script : project_.scripts) {
      if (script.actor != *actor || script.hat != hat || script.message != message) continue;
      started.push_back(start(script));
    }
  }
  return started;
}

// A script that runs already starts again in its old place.
ThreadPtr Machine::start(const CompiledScript& script) {
  auto thread = std::make_shared<Thread>();
  thread->script = &script;
  thread->at = script.start;
  for (ThreadPtr& old : threads_) {
    if (old->script != &script) continue;
    std::erase_if(questions_, [&](const Question& asked) { return asked.thread == old; });
    old = thread;
    return thread;
  }
  threads_.push_back(thread);
  return thread;
}

void Machine::run(const ThreadPtr& shared) {
  Thread& thread = *shared;
  Scope scope;
  scope.arguments =
      thread.frames.empty() ? nullptr : thread.arguments.data() + thread.frames.back().arguments;
  while (true) {
    if (blocks_left_-- == 0) {
      fail(Fault::bad_input, "a script ran {} blocks without a pause", blocks_per_step_);
    }
    const Instruction& now = project_.instructions[thread.at];
    // All codes, so that the compiler notices one that is missing. Most go on to the next
    // instruction.
    switch (now.code) {
      case Code::set:
        assign(now, scope);
        break;
      case Code::change:
        now.variable->set(to_number(*now.variable) + now.a->number(scope));
        break;
      case Code::replace_number:
        replace_number(now, scope);
        break;
      case Code::jump:
        thread.at = now.target;
        continue;
      case Code::unless:
        if (now.a->boolean(scope)) break;
        thread.at = now.target;
        continue;
      case Code::when:
        if (!now.a->boolean(scope)) break;
        thread.at = now.target;
        continue;
      case Code::repeat_begin:
        thread.loops.push_back(round_half_up(now.a->number(scope)));
        break;
      case Code::repeat_next:
        if (--thread.loops.back() >= 0) break;
        thread.loops.pop_back();
        thread.at = now.target;
        continue;
      case Code::loop:
        thread.at = now.target;
        if (!thread.warp) return;
        continue;
      case Code::call:
        if (!call(thread, now, scope)) return;
        continue;
      case Code::finish:
      case Code::stop_script:
        if (!leave(thread, scope)) return;
        continue;
      case Code::append:
        append_item(now, scope, world_.list_limit);
        break;
      case Code::clear:
        now.list->clear();
        break;
      case Code::erase:
        erase_item(now, scope);
        break;
      case Code::replace:
        replace_item(now, scope);
        break;
      case Code::insert:
        insert_item(now, scope, world_.list_limit);
        break;
      case Code::wait:
        if (!wait_seconds(thread, now, scope)) return;
        break;
      case Code::wait_until:
        if (!now.a->boolean(scope)) return;
        break;
      case Code::broadcast:
      case Code::broadcast_wait:
        if (!send(thread, now, scope)) return;
        break;
      case Code::ask:
        return ask(shared, now, scope);
      case Code::stop_all:
        return stop_all();
      case Code::stop_others:
        stop_others(thread);
        break;
      case Code::evaluate:
        now.a->value(scope);
        break;
      case Code::switch_costume:
        world_.switch_costume(world_.actors[thread.script->actor], now.a->value(scope));
        break;
      case Code::go_front:
      case Code::go_back:
        move_layer(thread.script->actor, now.code == Code::go_front);
        break;
      case Code::reset_timer:
        world_.timer_start = world_.clock.now();
        break;
    }
    ++thread.at;
  }
}

bool Machine::wait_seconds(Thread& thread, const Instruction& now, const Scope& scope) {
  if (thread.wait == Thread::Wait::none) {
    thread.wake = world_.clock.now() + std::fmax(0, now.a->number(scope));
    thread.wait = Thread::Wait::time;
    return false;
  }
  if (world_.clock.now() < thread.wake) return false;
  thread.wait = Thread::Wait::none;
  return true;
}

bool Machine::send(Thread& thread, const Instruction& now, const Scope& scope) {
  if (thread.wait == Thread::Wait::threads) return wait_for_threads(thread);
  const std::string message = lower_case(now.a->text(scope));
  const auto& known = project_.broadcasts;
  std::vector<ThreadPtr> started;
  if (std::find(known.begin(), known.end(), message) != known.end()) {
    started = start_hats(scratch::Op::when_received, message);
  }
  if (now.code == Code::broadcast || started.empty()) return true;
  thread.awaited = std::move(started);
  thread.wait = Thread::Wait::threads;
  return wait_for_threads(thread);
}

bool Machine::wait_for_threads(Thread& thread) {
  // Threads count as running until the pass in which they end is over.
  const bool waiting =
      std::any_of(thread.awaited.begin(), thread.awaited.end(), [&](const ThreadPtr& awaited) {
        return std::find(threads_.begin(), threads_.end(), awaited) != threads_.end();
      });
  if (waiting) return false;
  thread.awaited.clear();
  thread.wait = Thread::Wait::none;
  return true;
}

void Machine::ask(const ThreadPtr& shared, const Instruction& now, const Scope& scope) {
  if (shared->wait != Thread::Wait::none) return;
  questions_.push_back({shared, now.a->text(scope).str()});
  shared->wait = Thread::Wait::answer;
}

bool Machine::call(Thread& thread, const Instruction& now, Scope& scope) {
  const CompiledProcedure& procedure = project_.procedures[now.target];
  if (thread.frames.size() >= kMaxFrames) {
    fail(Fault::bad_input, "'{}' calls itself more than {} deep", procedure.code, kMaxFrames);
  }
  const std::size_t base = thread.arguments.size();
  for (const Expr* argument : now.arguments) {
    Value value = argument->value(scope);
    thread.arguments.push_back(std::move(value));
    // Growing moves the arguments that the next expression reads.
    if (!thread.frames.empty()) {
      scope.arguments = thread.arguments.data() + thread.frames.back().arguments;
    }
  }
  const bool recursive = is_recursive(thread, now.target);
  thread.frames.push_back({thread.at + 1, now.target, base, thread.loops.size(), thread.warp});
  thread.warp = thread.warp || procedure.warp;
  thread.at = procedure.start;
  scope.arguments = thread.arguments.data() + base;
  return thread.warp || !recursive;
}

bool Machine::is_recursive(const Thread& thread, std::size_t procedure) const {
  const std::size_t depth = thread.frames.size();
  for (std::size_t up = 0; up < std::min(depth, kRecursionWindow); ++up) {
    if (thread.frames[depth - 1 - up].procedure == procedure) return true;
  }
  return false;
}

bool Machine::leave(Thread& thread, Scope& scope) {
  if (thread.frames.empty()) {
    thread.done = true;
    return false;
  }
  const Frame frame = thread.frames.back();
  thread.frames.pop_back();
  thread.arguments.resize(frame.arguments);
  thread.loops.resize(frame.loops);
  thread.warp = frame.caller_warps;
  thread.at = frame.back;
  scope.arguments =
      thread.frames.empty() ? nullptr : thread.arguments.data() + thread.frames.back().arguments;
  return true;
}

void Machine::stop_all() {
  for (const ThreadPtr& thread : threads_) thread->done = true;
  threads_.clear();
  questions_.clear();
}

void Machine::stop_others(const Thread& thread) {
  for (const ThreadPtr& other : threads_) {
    if (other.get() != &thread && other->script->actor == thread.script->actor) kill(*other);
  }
}

void Machine::kill(Thread& thread) {
  thread.done = true;
  std::erase_if(questions_, [&](const Question& asked) { return asked.thread.get() == &thread; });
}

void Machine::move_layer(std::size_t actor, bool front) {
  if (actor == 0) return;  // the stage is always at the back
  std::erase(order_, actor);
  order_.insert(front ? order_.end() : order_.begin() + 1, actor);
}

}  // namespace sb3lm::eval
