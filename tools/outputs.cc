#include "outputs.h"

#include "base/error.h"
#include "base/file.h"
#include "base/streams.h"
#include "console.h"

namespace sb3lm {
namespace {

namespace fs = std::filesystem;

/// "-", or another name of the same thing.
bool is_standard_output(const fs::path& out) {
  return out == "-" || leads_to(out, Stream::out);
}

/// Of names that may both be new.
bool same_name(const fs::path& one, const fs::path& other) {
  const auto whole = [](const fs::path& name) {
    std::error_code error;
    const fs::path absolute = fs::absolute(name, error);
    const fs::path canonical = fs::weakly_canonical(absolute, error);
    return error ? absolute.lexically_normal() : canonical;
  };
  return whole(one) == whole(other);
}

}  // namespace

void Outputs::expect(const fs::path& out) {
  refuse_inputs(out);
  if (is_standard_output(out)) {
    if (takes_standard_output_) fail(Fault::usage, "two files cannot both go to standard output");
    takes_standard_output_ = true;
    give_standard_output_to_a_file();
    return;
  }
  check_writable(out);
  for (const fs::path& other : outs_) {
    if (!same_file(out, other) && !same_name(out, other)) continue;
    if (is_file(out))
      fail(Fault::usage, "{}: two files of this name would be written", out.string());
  }
  outs_.push_back(out);
}

void Outputs::keep_standard_output() const {
  if (takes_standard_output_) {
    fail(Fault::usage, "--json and a file would both go to standard output");
  }
}

bool Outputs::is_file(const fs::path& out) {
  std::error_code ignored;
  const fs::file_status status = fs::status(out, ignored);
  return !is_standard_output(out) && (!fs::exists(status) || fs::is_regular_file(status));
}

void Outputs::write(const fs::path& out, std::string_view contents) const {
  refuse_inputs(out);  // links may have changed
  if (!is_standard_output(out)) return write_file(out, contents);
  write_out(contents);
  flush_out();
}

void Outputs::write_result(const fs::path& out, std::string_view contents) const {
  write(out, contents);
  if (!is_standard_output(out)) print_out("{}: {} bytes\n", out.string(), contents.size());
}

void Outputs::write_or_remove(const fs::path& out, std::string_view contents) const {
  if (!contents.empty()) return write(out, contents);
  std::error_code ignored;
  fs::remove(out, ignored);
}

void Outputs::refuse_inputs(const fs::path& out) const {
  std::error_code ignored;
  for (const fs::path& input : inputs_) {
    const bool is_input = out == "-" ? leads_to(input, Stream::out) : same_file(out, input);
    if (!is_input || !fs::is_regular_file(input, ignored)) continue;
    fail(Fault::usage, "{}: not written: it is the input {}", out.string(), input.string());
  }
}

fs::path default_out(const fs::path& input, std::string_view extension) {
  fs::path out = input;
  out.replace_extension(extension);
  if (out == input) out += extension;
  return out;
}

}  // namespace sb3lm
