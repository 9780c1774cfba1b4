// A part of Jinja2, as much as chat templates of Hugging Face's models use (docs/chat-template.md
// lists it). The language: jinja.palletsprojects.com/en/stable/templates; blocks are trimmed as
// transformers does (trim_blocks, lstrip_blocks). Nothing that a template says costs more than a
// bounded number of steps and bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "import/jinja/syntax.h"
#include "import/json.h"

namespace sb3lm::jinja {

class Template {
 public:
  /// Errors begin with `where` and the line. Throws unsupported with the name of what is not
  /// understood, bad_input for what is no Jinja.
  Template(std::string where, std::string_view source);

  /// The text with these variables (an object). Throws as above, and bad_input where the template
  /// itself calls raise_exception.
  std::string render(const Json& variables) const;

 private:
  std::string where_;
  std::vector<Statement> body_;
};

}  // namespace sb3lm::jinja
