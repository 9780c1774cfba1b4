#include "runtime_ref/block_eval.h"

#include "base/error.h"
#include "runtime_ref/block_eval_machine.h"

namespace sb3lm {

struct BlockEvaluator::Impl {
  explicit Impl(const scratch::Program& program) : machine(program) {}

  Value& variable(std::string_view name) {
    Value* found = machine.world().find_variable(name);
    if (found == nullptr) fail(Fault::bug, "the project has no variable '{}'", name);
    return *found;
  }
  eval::ItemList& list(std::string_view name) {
    eval::ItemList* found = machine.world().find_list(name);
    if (found == nullptr) fail(Fault::bug, "the project has no list '{}'", name);
    return *found;
  }

  eval::Machine machine;
};

BlockEvaluator::BlockEvaluator(const scratch::Program& program)
    : impl_(std::make_unique<Impl>(program)) {}
BlockEvaluator::~BlockEvaluator() = default;

void BlockEvaluator::green_flag() {
  impl_->machine.green_flag();
}
void BlockEvaluator::broadcast(std::string_view message) {
  impl_->machine.broadcast(std::string(message));
}
void BlockEvaluator::stop_all() {
  impl_->machine.stop_all();
}
void BlockEvaluator::press_key(std::string_view key) {
  impl_->machine.press_key(std::string(key));
}
void BlockEvaluator::click(std::string_view sprite) {
  if (!impl_->machine.click(sprite)) fail(Fault::bug, "the project has no sprite '{}'", sprite);
}
void BlockEvaluator::move_mouse(double x, double y, bool down) {
  eval::World& world = impl_->machine.world();
  world.mouse_x = x;
  world.mouse_y = y;
  world.mouse_down = down;
}
bool BlockEvaluator::step() {
  return impl_->machine.step();
}

bool BlockEvaluator::run_until(const std::function<bool()>& done, std::size_t max_steps) {
  for (std::size_t i = 0; i < max_steps; ++i) {
    const bool more = step();
    if (done()) return true;
    if (!more) return false;
  }
  return false;
}

bool BlockEvaluator::answer(std::string_view text) {
  return impl_->machine.answer(text);
}
std::string BlockEvaluator::question() const {
  return impl_->machine.question();
}

scratch::Scalar BlockEvaluator::variable(std::string_view name) const {
  return impl_->variable(name).scalar();
}
double BlockEvaluator::number(std::string_view name) const {
  return to_number(impl_->variable(name));
}
std::string BlockEvaluator::text(std::string_view name) const {
  return to_text(impl_->variable(name)).str();
}
void BlockEvaluator::set_variable(std::string_view name, scratch::Scalar value) {
  impl_->variable(name) = Value(value);
}

std::size_t BlockEvaluator::list_size(std::string_view name) const {
  return impl_->list(name).size();
}

scratch::Scalar BlockEvaluator::list_item(std::string_view name, std::size_t index) const {
  const eval::ItemList& list = impl_->list(name);
  check(index < list.size(), "a list item outside its list");
  return list.value(index + 1).scalar();
}

std::vector<double> BlockEvaluator::list_numbers(std::string_view name) const {
  const eval::ItemList& list = impl_->list(name);
  std::vector<double> numbers;
  numbers.reserve(list.size());
  for (std::size_t i = 1; i <= list.size(); ++i) numbers.push_back(to_number(list.value(i)));
  return numbers;
}

void BlockEvaluator::set_list(std::string_view name, const std::vector<scratch::Scalar>& items) {
  eval::ItemList& list = impl_->list(name);
  list.clear();
  for (const scratch::Scalar& item : items) list.append(Value(item));
}

void BlockEvaluator::limit_blocks(std::size_t per_step) {
  impl_->machine.limit_blocks(per_step);
}
void BlockEvaluator::limit_lists(std::size_t items) {
  impl_->machine.world().list_limit = items;
}

}  // namespace sb3lm
