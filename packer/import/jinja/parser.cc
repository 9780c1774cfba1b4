#include <algorithm>

#include "import/jinja/syntax.h"

namespace sb3lm::jinja {
namespace {

using Kind = Expression::Kind;
constexpr int kMaxDepth = 100;  // of expressions and statements inside each other
constexpr int kMaxParts = 500;  // of one statement's expressions, which may all stand in each other

class Parser {
 public:
  Parser(const std::string& where, std::vector<Token> tokens)
      : where_(where), tokens_(std::move(tokens)) {}

  std::vector<Statement> all() {
    std::vector<Statement> body = statements({});
    if (now().kind != Token::Kind::end) bad("'{}' without a beginning", tokens_[at_ + 1].text);
    return body;
  }

 private:
  /// Counts how deep things stand in each other.
  class Deeper {
   public:
    explicit Deeper(Parser& parser) : depth_(parser.depth_) {
      if (++depth_ > kMaxDepth) parser.bad("more than {} things inside each other", kMaxDepth);
    }
    ~Deeper() { --depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    int& depth_;
  };

  template <class... Args>
  [[noreturn]] void bad(fmt::format_string<Args...> format, Args&&... args) const {
    fail_at(Fault::bad_input, where_, now().line, format, std::forward<Args>(args)...);
  }

  const Token& now() const { return tokens_[at_]; }
  bool is(Token::Kind kind) const { return now().kind == kind; }
  bool is_symbol(std::string_view text) const {
    return is(Token::Kind::symbol) && now().text == text;
  }
  bool is_word(std::string_view text) const { return is(Token::Kind::name) && now().text == text; }

  Token take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool take_symbol(std::string_view text) { return is_symbol(text) && (take(), true); }
  bool take_word(std::string_view text) { return is_word(text) && (take(), true); }

  static std::string shown(const Token& token) {
    switch (token.kind) {
      case Token::Kind::end:
        return "the end";
      case Token::Kind::value:
        return token.value.dump();
      case Token::Kind::close_print:
        return "}}";
      case Token::Kind::close_block:
        return "%}";
      default:
        return token.text;
    }
  }

  void want_symbol(std::string_view text) {
    if (!take_symbol(text)) bad("'{}' instead of '{}'", shown(now()), text);
  }
  void want(Token::Kind kind) {
    if (!is(kind)) bad("'{}' where the tag should end", shown(now()));
    take();
  }
  std::string want_name() {
    if (!is(Token::Kind::name)) bad("'{}' instead of a name", shown(now()));
    return take().text;
  }

  // Statements, up to a tag with one of the words.

  bool is_block(std::initializer_list<std::string_view> words) const {
    if (!is(Token::Kind::open_block)) return false;
    const Token& word = tokens_[at_ + 1];
    return word.kind == Token::Kind::name && std::ranges::find(words, word.text) != words.end();
  }

  std::vector<Statement> statements(std::initializer_list<std::string_view> ends) {
    const Deeper deeper(*this);
    std::vector<Statement> body;
    while (!is(Token::Kind::end) && !is_block(ends)) {
      if (is_block({"endif", "endfor", "else", "elif"})) break;  // of something around this
      if (is_block({"generation", "endgeneration"})) {           // only marks what was trained on
        at_ += 2;
        want(Token::Kind::close_block);
        continue;
      }
      body.push_back(statement());
    }
    return body;
  }

  Statement statement() {
    Statement made{.kind = Statement::Kind::text, .line = now().line};
    parts_ = 0;
    if (is(Token::Kind::text)) {
      made.text = take().text;
    } else if (is(Token::Kind::open_print)) {
      take();
      made.kind = Statement::Kind::print;
      made.expressions.push_back(expression());
      want(Token::Kind::close_print);
    } else {
      take();
      const Token word = now();
      if (take_word("if")) {
        choose(made);
      } else if (take_word("for")) {
        loop(made);
      } else if (take_word("set")) {
        assign(made);
      } else {
        fail_at(Fault::unsupported, where_, word.line, "'{{% {} %}}' is not understood",
                shown(word));
      }
    }
    return made;
  }

  void open_block_end(std::string_view word) {
    if (!is_block({word})) bad("no '{}'", word);
    at_ += 2;
    want(Token::Kind::close_block);
  }

  void choose(Statement& made) {
    made.kind = Statement::Kind::choose;
    do {
      made.expressions.push_back(expression());
      want(Token::Kind::close_block);
      made.bodies.push_back(statements({"elif", "else", "endif"}));
    } while (is_block({"elif"}) && (at_ += 2, true));
    if (is_block({"else"})) {
      open_block_end("else");
      made.bodies.push_back(statements({"endif"}));
    }
    open_block_end("endif");
  }

  void loop(Statement& made) {
    made.kind = Statement::Kind::loop;
    do {
      made.names.push_back(want_name());
    } while (take_symbol(","));
    if (!take_word("in")) bad("'{}' instead of 'in'", shown(now()));
    made.expressions.push_back(either());
    if (take_word("if")) made.expressions.push_back(expression());
    want(Token::Kind::close_block);
    made.bodies.push_back(statements({"else", "endfor"}));
    if (is_block({"else"})) {
      open_block_end("else");
      made.bodies.push_back(statements({"endfor"}));
    }
    open_block_end("endfor");
  }

  void assign(Statement& made) {
    made.kind = Statement::Kind::assign;
    made.names.push_back(want_name());
    if (take_symbol(".")) made.names.push_back(want_name());
    if (is(Token::Kind::close_block)) {
      fail_at(Fault::unsupported, where_, made.line, "'{{% set {} %}}' without = is not understood",
              made.names.front());
    }
    want_symbol("=");
    made.expressions.push_back(expression());
    want(Token::Kind::close_block);
  }

  // Expressions, from what binds least to what binds most.

  Expression node(Kind kind, std::string name = {}) {
    if (++parts_ > kMaxParts) bad("an expression of more than {} parts", kMaxParts);
    return {.kind = kind, .line = now().line, .name = std::move(name)};
  }
  Expression pair(Kind kind, std::string name, Expression left, Expression right) {
    Expression made = node(kind, std::move(name));
    made.operands.push_back(std::move(left));
    made.operands.push_back(std::move(right));
    return made;
  }

  Expression expression() {
    const Deeper deeper(*this);
    Expression value = either();
    while (take_word("if")) {
      Expression made = pair(Kind::choice, {}, std::move(value), either());
      made.operands.push_back(take_word("else") ? expression() : node(Kind::variable, ""));
      value = std::move(made);
    }
    return value;
  }

  Expression either() {
    Expression left = both();
    while (take_word("or")) left = pair(Kind::operation, "or", std::move(left), both());
    return left;
  }

  Expression both() {
    Expression left = negation();
    while (take_word("and")) left = pair(Kind::operation, "and", std::move(left), negation());
    return left;
  }

  Expression negation() {
    const Deeper deeper(*this);
    if (!take_word("not")) return comparison();
    Expression made = node(Kind::operation, "not");
    made.operands.push_back(negation());
    return made;
  }

  Expression comparison() {
    Expression left = sum();
    for (;;) {
      std::string name;
      if (take_word("in")) {
        name = "in";
      } else if (is_word("not") && tokens_[at_ + 1].kind == Token::Kind::name &&
                 tokens_[at_ + 1].text == "in") {
        at_ += 2;
        name = "not in";
      } else {
        for (const std::string_view symbol : {"==", "!=", "<=", ">=", "<", ">"}) {
          if (name.empty() && take_symbol(symbol)) name = symbol;
        }
      }
      if (name.empty()) return left;
      left = pair(Kind::operation, name, std::move(left), sum());
    }
  }

  /// Operands that one of the symbols joins, from the left.
  template <class Operand>
  Expression joined(std::initializer_list<std::string_view> symbols, Operand operand) {
    Expression left = operand();
    for (bool found = true; found;) {
      found = false;
      for (const std::string_view symbol : symbols) {
        if (!take_symbol(symbol)) continue;
        left = pair(Kind::operation, std::string(symbol), std::move(left), operand());
        found = true;
        break;
      }
    }
    return left;
  }

  Expression sum() {
    return joined({"+", "-"}, [this] { return glued(); });
  }
  Expression glued() {
    return joined({"~"}, [this] { return product(); });
  }
  Expression product() {
    return joined({"*", "//", "/", "%"}, [this] { return signed_value(); });
  }

  Expression signed_value() {
    const Deeper deeper(*this);
    for (const std::string_view sign : {"-", "+"}) {
      if (!take_symbol(sign)) continue;
      Expression made = node(Kind::operation, std::string(sign));
      made.operands.push_back(signed_value());
      return made;
    }
    return with_filters(postfixes(primary()));
  }

  Expression with_filters(Expression value) {
    for (;;) {
      if (take_symbol("|")) {
        value = call(Kind::filter, want_name(), std::move(value));
      } else if (take_word("is")) {
        const bool negated = take_word("not");
        value = test(std::move(value));
        if (!negated) continue;
        Expression made = node(Kind::operation, "not");
        made.operands.push_back(std::move(value));
        value = std::move(made);
      } else {
        return value;
      }
    }
  }

  /// A filter: arguments only in parentheses.
  Expression call(Kind kind, std::string name, Expression first) {
    Expression made = node(kind, std::move(name));
    made.operands.push_back(std::move(first));
    if (take_symbol("(")) arguments(made);
    return made;
  }

  /// A test: one argument without parentheses too ("is divisibleby 3").
  Expression test(Expression first) {
    const std::string name = is_word("in") ? take().text : want_name();
    Expression made = node(Kind::test, name);
    made.operands.push_back(std::move(first));
    if (take_symbol("(")) {
      arguments(made);
    } else if (is(Token::Kind::value) || is_symbol("[")) {
      made.operands.push_back(postfixes(primary()));
    }
    return made;
  }

  void arguments(Expression& made) {
    while (!take_symbol(")")) {
      if (is(Token::Kind::name) && tokens_[at_ + 1].kind == Token::Kind::symbol &&
          tokens_[at_ + 1].text == "=") {
        made.named.push_back(take().text);
        take();
      } else if (!made.named.empty()) {
        bad("an argument without a name after one with a name");
      }
      made.operands.push_back(expression());
      if (!is_symbol(")")) want_symbol(",");
    }
  }

  Expression postfixes(Expression value) {
    for (;;) {
      if (take_symbol(".")) {
        std::string name = want_name();
        const bool is_call = take_symbol("(");
        Expression made = node(is_call ? Kind::method : Kind::attribute, std::move(name));
        made.operands.push_back(std::move(value));
        if (is_call) arguments(made);
        value = std::move(made);
      } else if (take_symbol("[")) {
        value = subscript(std::move(value));
      } else {
        return value;
      }
    }
  }

  Expression subscript(Expression value) {
    Expression made = node(Kind::item);
    made.operands.push_back(std::move(value));
    while (!take_symbol("]")) {
      if (take_symbol(":")) {
        made.kind = Kind::slice;
        if (made.operands.size() < 2) made.operands.push_back(node(Kind::literal));
        if (is_symbol(":") || is_symbol("]")) made.operands.push_back(node(Kind::literal));
      } else {
        made.operands.push_back(expression());
        if (!is_symbol(":") && !is_symbol("]")) want_symbol("]");
      }
      if (made.operands.size() > 4) bad("a slice with more than three parts");
    }
    if (made.operands.size() < 2) bad("nothing between [ and ]");
    if (made.kind == Kind::slice) {
      while (made.operands.size() < 4) made.operands.push_back(node(Kind::literal));
    }
    return made;
  }

  Expression primary() {
    const Deeper deeper(*this);
    if (is(Token::Kind::value)) {
      Expression made = node(Kind::literal);
      made.literal = take().value;
      return made;
    }
    if (is(Token::Kind::name)) return named_value();
    if (take_symbol("(")) {
      Expression made = expression();
      if (is_symbol(",")) {
        fail_at(Fault::unsupported, where_, now().line, "a tuple is not understood");
      }
      want_symbol(")");
      return made;
    }
    if (take_symbol("[")) {
      Expression made = node(Kind::list);
      while (!take_symbol("]")) {
        made.operands.push_back(expression());
        if (!is_symbol("]")) want_symbol(",");
      }
      return made;
    }
    if (take_symbol("{")) {
      Expression made = node(Kind::dict);
      while (!take_symbol("}")) {
        made.operands.push_back(expression());
        want_symbol(":");
        made.operands.push_back(expression());
        if (!is_symbol("}")) want_symbol(",");
      }
      return made;
    }
    bad("'{}' where a value should stand", shown(now()));
  }

  Expression named_value() {
    const std::string name = take().text;
    Expression made = node(Kind::literal);
    if (name == "true" || name == "True") {
      made.literal = true;
    } else if (name == "false" || name == "False") {
      made.literal = false;
    } else if (name != "none" && name != "None") {
      made.kind = take_symbol("(") ? Kind::function : Kind::variable;
      made.name = name;
      if (made.kind == Kind::function) arguments(made);
    }
    return made;
  }

  const std::string& where_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0, parts_ = 0;
};

}  // namespace

std::vector<Statement> parse(const std::string& where, std::vector<Token> tokens) {
  return Parser(where, std::move(tokens)).all();
}

}  // namespace sb3lm::jinja
