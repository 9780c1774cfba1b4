// What the program says. The only place that prints: a result that does not arrive is an error.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace sb3lm {

/// To standard output. Throws bad_input with the system's reason, here or at flush_out().
void write_out(std::string_view bytes);
void flush_out();

/// From now on standard output holds a file, and what print_out says goes to standard error.
void give_standard_output_to_a_file();

void print_out_text(const std::string& text);
/// To standard error; there is nobody to tell if that fails.
void print_err_text(const std::string& text);

template <class... Args>
void print_out(fmt::format_string<Args...> format, Args&&... args) {
  print_out_text(fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void print_err(fmt::format_string<Args...> format, Args&&... args) {
  print_err_text(fmt::format(format, std::forward<Args>(args)...));
}

/// One line; bytes of names that are no UTF-8 become U+FFFD.
template <class Json>
void print_json(const Json& json) {
  print_out("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace sb3lm
