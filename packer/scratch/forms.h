// The two forms of a tuned procedure (kernels/tuned.h) are told apart by the end of their names.
#pragma once

#include <string_view>

namespace sb3lm {

/// Whether the custom block of this code is the "compiled" or the "interpreted" `form` of another.
inline bool is_form(std::string_view code, std::string_view form) {
  std::string_view name = code.substr(0, code.find('%'));
  while (name.ends_with(' ')) name.remove_suffix(1);
  return name.ends_with(form) && name.size() > form.size() &&
         name[name.size() - form.size() - 1] == ' ';
}

}  // namespace sb3lm
