// The files that a command writes: never one that it reads, and never two of one name.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

namespace sb3lm {

class Outputs {
 public:
  /// Of a command that reads `inputs`.
  explicit Outputs(std::vector<std::filesystem::path> inputs) : inputs_(std::move(inputs)) {}

  /// To be called before the work for whatever will be written; "-" is standard output. Throws
  /// usage if `out` is an input or another output, by links too, and as check_writable does.
  void expect(const std::filesystem::path& out);
  /// Throws usage if a file goes where JSON is to be printed.
  void keep_standard_output() const;

  /// Whether the name leads to a file of its own, beside which others may be put: not to standard
  /// output or a device.
  static bool is_file(const std::filesystem::path& out);

  /// `out` was expected.
  void write(const std::filesystem::path& out, std::string_view contents) const;
  /// Says how many bytes it wrote, too.
  void write_result(const std::filesystem::path& out, std::string_view contents) const;
  /// Without contents the file goes, for an old one would be read with its new neighbour.
  void write_or_remove(const std::filesystem::path& out, std::string_view contents) const;

 private:
  void refuse_inputs(const std::filesystem::path& out) const;

  std::vector<std::filesystem::path> inputs_, outs_;
  bool takes_standard_output_ = false;
};

/// The input's name with another extension, never the input itself.
std::filesystem::path default_out(const std::filesystem::path& input, std::string_view extension);

}  // namespace sb3lm
