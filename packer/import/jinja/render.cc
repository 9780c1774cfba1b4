#include <algorithm>
#include <map>

#include "import/jinja/jinja.h"
#include "import/jinja/values.h"
#include "model/unicode.h"

namespace sb3lm::jinja {
namespace {

using Kind = Expression::Kind;

constexpr std::size_t kMaxSource = 256 * 1024;
constexpr std::size_t kMaxOutput = 1024 * 1024;
constexpr std::int64_t kMaxWork = 5'000'000;  // steps and bytes handled
constexpr std::int64_t kMaxRange = 10'000;

std::int64_t size_of(const Json& value) {
  if (value.is_string()) return std::ssize(value.get_ref<const std::string&>());
  std::int64_t size = 1;
  if (value.is_structured()) {
    for (const auto& [key, item] : value.items()) size += std::ssize(key) + size_of(item);
  }
  return size;
}

class Renderer {
 public:
  Renderer(const std::string& where, const Json& variables) : where_(where) {
    for (const auto& [name, value] : variables.items()) scopes_.front()[name] = value;
  }

  void run(const std::vector<Statement>& body) {
    for (const Statement& statement : body) run(statement);
  }

  std::string take_output() { return std::move(output_); }

 private:
  using Scope = std::map<std::string, Json, std::less<>>;

  template <class... Args>
  [[noreturn]] void bad(int line, fmt::format_string<Args...> format, Args&&... args) const {
    fail_at(Fault::bad_input, where_, line, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  [[noreturn]] void refuse(int line, fmt::format_string<Args...> format, Args&&... args) const {
    fail_at(Fault::unsupported, where_, line, "{} is not understood",
            fmt::format(format, std::forward<Args>(args)...));
  }

  void work(std::int64_t amount, int line) {
    work_ += amount;
    if (work_ > kMaxWork) bad(line, "this takes too long");
  }

  void run(const Statement& statement) {
    work(1, statement.line);
    switch (statement.kind) {
      case Statement::Kind::text:
        return print(statement.text, statement.line);
      case Statement::Kind::print: {
        const std::optional<std::string> text = printed(value_of(statement.expressions.front()));
        if (!text) refuse(statement.line, "a list or dict that is printed");
        return print(*text, statement.line);
      }
      case Statement::Kind::choose:
        return choose(statement);
      case Statement::Kind::loop:
        return loop(statement);
      case Statement::Kind::assign:
        return assign(statement);
    }
  }

  void print(std::string_view text, int line) {
    output_ += text;
    if (output_.size() > kMaxOutput) bad(line, "more than {} bytes of text", kMaxOutput);
  }

  void choose(const Statement& statement) {
    for (std::size_t i = 0; i < statement.expressions.size(); ++i) {
      if (is_true(value_of(statement.expressions[i]))) return run(statement.bodies[i]);
    }
    if (statement.bodies.size() > statement.expressions.size()) run(statement.bodies.back());
  }

  void loop(const Statement& statement) {
    const Json list = value_of(statement.expressions.front());
    if (!list.is_array() && !list.is_discarded()) refuse(statement.line, "a loop over no list");
    std::vector<Json> items;
    scopes_.emplace_back();
    for (const Json& item : list.is_array() ? list : Json::array()) {
      unpack(statement, item);
      if (statement.expressions.size() > 1 && !is_true(value_of(statement.expressions[1])))
        continue;
      items.push_back(item);
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
      scopes_.back().clear();
      unpack(statement, items[i]);
      scopes_.back()["loop"] = {{"index", i + 1},
                                {"index0", i},
                                {"revindex", items.size() - i},
                                {"revindex0", items.size() - i - 1},
                                {"length", items.size()},
                                {"first", i == 0},
                                {"last", i + 1 == items.size()},
                                {"previtem", i > 0 ? items[i - 1] : undefined()},
                                {"nextitem", i + 1 < items.size() ? items[i + 1] : undefined()}};
      run(statement.bodies.front());
    }
    scopes_.pop_back();
    if (items.empty() && statement.bodies.size() > 1) run(statement.bodies.back());
  }

  /// A loop's item to its variable, or its parts to its variables.
  void unpack(const Statement& statement, const Json& item) {
    const std::vector<std::string>& names = statement.names;
    work(size_of(item), statement.line);
    if (names.size() == 1) {
      scopes_.back()[names.front()] = item;
      return;
    }
    if (!item.is_array() || item.size() != names.size()) {
      bad(statement.line, "{} names for an item that has not so many parts", names.size());
    }
    for (std::size_t i = 0; i < names.size(); ++i) scopes_.back()[names[i]] = item[i];
  }

  void assign(const Statement& statement) {
    Json value = value_of(statement.expressions.front());
    const std::string& name = statement.names.front();
    if (statement.names.size() == 1) {
      scopes_.back()[name] = std::move(value);
      return;
    }
    Json* space = find(name);
    if (space == nullptr || !space->is_object()) bad(statement.line, "{} is no namespace", name);
    (*space)[statement.names.back()] = std::move(value);
    work(size_of(*space), statement.line);
  }

  Json* find(std::string_view name) {
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
      if (const auto found = scope->find(name); found != scope->end()) return &found->second;
    }
    return nullptr;
  }

  Json value_of(const Expression& expression) {
    Json value = computed(expression);
    work(1 + size_of(value), expression.line);
    return value;
  }

  Json computed(const Expression& expression) {
    const std::vector<Expression>& operands = expression.operands;
    switch (expression.kind) {
      case Kind::literal:
        return expression.literal;
      case Kind::variable: {
        const Json* found = find(expression.name);
        return found != nullptr ? *found : undefined();
      }
      case Kind::list: {
        Json list = Json::array();
        for (const Expression& operand : operands) list.push_back(value_of(operand));
        return list;
      }
      case Kind::dict:
        return dict_of(expression);
      case Kind::attribute:
        return item(expression, value_of(operands[0]), expression.name);
      case Kind::item:
        return item(expression, value_of(operands[0]), value_of(operands[1]));
      case Kind::slice: {
        auto cut = slice_of(value_of(operands[0]), value_of(operands[1]), value_of(operands[2]),
                            value_of(operands[3]));
        if (!cut) refuse(expression.line, "this slice");
        return *std::move(cut);
      }
      case Kind::function:
        return function_result(call_of(expression), expression.line);
      case Kind::method: {
        auto result = method_result(call_of(expression));
        if (!result) refuse(expression.line, "the method '{}' of such a value", expression.name);
        return *std::move(result);
      }
      case Kind::filter: {
        auto result = filtered(call_of(expression));
        if (!result) refuse(expression.line, "the filter '{}' of such a value", expression.name);
        return *std::move(result);
      }
      case Kind::test: {
        const std::optional<bool> result = tested(call_of(expression));
        if (!result) refuse(expression.line, "the test 'is {}'", expression.name);
        return *result;
      }
      case Kind::operation:
        return operation(expression);
      case Kind::choice:
        return value_of(operands[is_true(value_of(operands[1])) ? 0 : 2]);
    }
    return undefined();
  }

  Json dict_of(const Expression& expression) {
    Json dict = Json::object();
    for (std::size_t i = 0; i + 1 < expression.operands.size(); i += 2) {
      const Json key = value_of(expression.operands[i]);
      if (!key.is_string()) refuse(expression.line, "a key that is no text");
      dict[key.get<std::string>()] = value_of(expression.operands[i + 1]);
    }
    return dict;
  }

  Json item(const Expression& expression, const Json& value, const Json& key) const {
    if (value.is_discarded()) {
      bad(expression.line, "'{}' of something undefined", printed(key).value_or("an item"));
    }
    return item_of(value, key);
  }

  Json operation(const Expression& expression) {
    const std::string& name = expression.name;
    const Json left = value_of(expression.operands[0]);
    if (name == "not") return !is_true(left);
    if (name == "and" || name == "or") {
      return is_true(left) == (name == "or") ? left : value_of(expression.operands[1]);
    }
    auto result = expression.operands.size() == 1
                      ? operated(name, 0, left)
                      : operated(name, left, value_of(expression.operands[1]));
    if (!result) refuse(expression.line, "'{}' between such values", name);
    return *std::move(result);
  }

  Call call_of(const Expression& expression) {
    Call call{.name = expression.name, .values = {}, .named = expression.named};
    for (const Expression& operand : expression.operands) call.values.push_back(value_of(operand));
    if (expression.kind == Kind::function) call.values.insert(call.values.begin(), undefined());
    return call;
  }

  Json function_result(const Call& call, int line) const {
    if (call.name == "raise_exception") {
      bad(line, "the template says: {}", printed(call.argument(1)).value_or(""));
    }
    if (call.name == "namespace" || call.name == "dict") {
      Json space = Json::object();
      const std::size_t first = call.values.size() - call.named.size();
      for (std::size_t i = 0; i < call.named.size(); ++i) {
        space[call.named[i]] = call.values[first + i];
      }
      return space;
    }
    if (call.name == "range" && call.values.size() > 1 && call.values.size() < 4) {
      return range(call, line);
    }
    refuse(line, "the function '{}'", call.name);
  }

  Json range(const Call& call, int line) const {
    std::vector<std::int64_t> bounds;
    for (std::size_t i = 1; i < call.values.size(); ++i) {
      if (!call.values[i].is_number_integer())
        refuse(line, "range of something else than integers");
      bounds.push_back(call.values[i].get<std::int64_t>());
      if (std::abs(bounds.back()) > kMaxRange) bad(line, "a range beyond {}", kMaxRange);
    }
    if (bounds.size() == 1) bounds.insert(bounds.begin(), 0);
    Json list = Json::array();
    for (std::int64_t i = bounds[0]; i < bounds[1]; ++i) list.push_back(i);
    return list;
  }

  const std::string& where_;
  std::vector<Scope> scopes_{Scope{}};
  std::string output_;
  std::int64_t work_ = 0;
};

std::vector<Statement> parsed(const std::string& where, std::string_view source) {
  if (source.size() > kMaxSource) {
    fail(Fault::unsupported, "{}: a template of more than {} bytes", where, kMaxSource);
  }
  if (const std::size_t byte = invalid_byte(source); byte != source.npos) {
    fail(Fault::bad_input, "{}: byte {}: not UTF-8", where, byte);
  }
  return parse(where, tokens_of(where, source));
}

}  // namespace

Template::Template(std::string where, std::string_view source)
    : where_(std::move(where)), body_(parsed(where_, source)) {}

std::string Template::render(const Json& variables) const {
  Renderer renderer(where_, variables);
  renderer.run(body_);
  return renderer.take_output();
}

}  // namespace sb3lm::jinja
