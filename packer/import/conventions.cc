#include "import/conventions.h"

#include <fmt/ranges.h>

#include <array>

#include "base/error.h"

namespace sb3lm {
namespace {

const std::array<ConventionRow, 7> kRows{{
    {"bit-order", {"msb", "lsb"}, "which bit of a packed byte comes first"},
    {"sign", {"plus", "minus"}, "what a 1 bit means: +scale or -scale"},
    {"nibble-order", {"low", "high"}, "which half of a byte comes first"},
    {"nibble-code",
     {"auto", "offset8", "twos", "offset4"},
     "how a nibble stores its value; auto: by histogram"},
    {"embedding-code",
     {"auto", "offset8", "twos", "offset4"},
     "the same for embedding and head; auto: as nibble-code if that is given"},
    {"swiglu", {"gate", "up"}, "which side goes through silu"},
    {"embedding-rounding",
     {"none", "bf16"},
     "whether tables of codes are rounded to bfloat16, as parameter-golf's programs load them",
     false},
}};

const ConventionRow* find_row(std::string_view name) {
  for (const ConventionRow& row : kRows) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace

std::span<const ConventionRow> convention_rows() {
  return kRows;
}

bool is_convention(std::string_view name) {
  return find_row(name) != nullptr;
}

Conventions::Conventions() {
  for (const ConventionRow& row : kRows) values_.emplace(row.name, row.allowed.front());
}

void Conventions::set(std::string_view origin, std::string_view name, std::string_view value) {
  const ConventionRow* row = find_row(name);
  check(row != nullptr, "a convention that is in no row");
  for (const std::string_view choice : row->allowed) {
    if (choice == value) {
      values_.find(name)->second = value;
      return;
    }
  }
  fail(Fault::usage, "{}: '{}' cannot be '{}'; it can be {}", origin, name, value,
       fmt::join(row->allowed, ", "));
}

const std::string& Conventions::text(std::string_view name) const {
  const auto found = values_.find(name);
  check(found != values_.end(), "a convention that is in no row");
  return found->second;
}

}  // namespace sb3lm
