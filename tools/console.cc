#include "console.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/error.h"

namespace sb3lm {
namespace {

bool holds_a_file = false;

[[noreturn]] void fail_standard_output() {
  fail(Fault::bad_input, "standard output: {}", std::strerror(errno));
}

}  // namespace

void write_out(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size()) fail_standard_output();
}

void flush_out() {
  if (std::fflush(stdout) != 0) fail_standard_output();
}

void give_standard_output_to_a_file() {
  holds_a_file = true;
}

void print_out_text(const std::string& text) {
  holds_a_file ? print_err_text(text) : write_out(text);
}

void print_err_text(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace sb3lm
