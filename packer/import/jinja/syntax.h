// What a template consists of: from source to tokens to a tree.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "import/json.h"

namespace sb3lm::jinja {

struct Token {
  enum class Kind {
    text,
    open_print,
    close_print,
    open_block,
    close_block,
    name,
    value,
    symbol,
    end
  };
  Kind kind = Kind::end;
  int line = 1;
  std::string text;  // of a text, a name or a symbol
  Json value;        // of a string or a number
};

struct Expression {
  enum class Kind {
    literal,
    variable,   // name
    list,       // of the operands
    dict,       // keys and values in turn
    attribute,  // operand . name
    item,       // operand [ operand ]
    slice,      // operand [ start : stop : step ], null where nothing stands
    function,   // name ( operands )
    method,     // operand . name ( operands )
    filter,     // operand | name ( operands )
    test,       // operand is name ( operands )
    operation,  // name is the operator, for one operand or two
    choice,     // operand if operand else operand
  };
  Kind kind = Kind::literal;
  int line = 1;
  std::string name;
  Json literal;
  std::vector<Expression> operands;
  std::vector<std::string> named;  // the last so many operands are arguments with these names
};

struct Statement {
  enum class Kind {
    text,
    print,   // an expression
    choose,  // the first body whose condition holds; a body more than conditions is the else
    loop,    // `names` over the first expression, where the second holds; a second body if never
    assign,  // the expression to a name, or to an attribute of one
  };
  Kind kind = Kind::text;
  int line = 1;
  std::string text;
  std::vector<std::string> names;
  std::vector<Expression> expressions;
  std::vector<std::vector<Statement>> bodies;
};

/// Throws Error: "WHERE: line N: ...".
template <class... Args>
[[noreturn]] void fail_at(Fault fault, const std::string& where, int line,
                          fmt::format_string<Args...> format, Args&&... args) {
  fail(fault, "{}: line {}: {}", where, line, fmt::format(format, std::forward<Args>(args)...));
}

/// Tokens, an end last.
std::vector<Token> tokens_of(const std::string& where, std::string_view source);

std::vector<Statement> parse(const std::string& where, std::vector<Token> tokens);

}  // namespace sb3lm::jinja
