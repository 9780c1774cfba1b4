#include "import/conventions.h"

#include <fmt/ranges.h>

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "base/number_text.h"
#include "import/json.h"

namespace sb3lm {
namespace {

using Kind = ConventionRow::Kind;

const std::array<ConventionRow, 16> kRows{{
    {"bit-order", Kind::choice, {"msb", "lsb"}, "", "which bit of a packed byte comes first"},
    {"sign", Kind::choice, {"plus", "minus"}, "", "what a 1 bit means: +scale or -scale"},
    {"nibble-order", Kind::choice, {"low", "high"}, "", "which half of a byte comes first"},
    {"nibble-code",
     Kind::choice,
     {"auto", "offset8", "twos", "offset4"},
     "",
     "how a nibble stores its value; auto: by histogram"},
    {"embedding-code",
     Kind::choice,
     {"auto", "offset8", "twos", "offset4"},
     "",
     "the same for embedding and head; auto: as nibble-code if that is given"},
    {"rope", Kind::choice, {"half-split", "interleaved", "none"}, "", "which elements are paired"},
    {"rope-sign", Kind::choice, {"plus", "minus"}, "", "the direction of rotation"},
    {"rope-base", Kind::number, {}, "10000", "theta of the rotary embedding"},
    {"norm-eps", Kind::number, {}, "1e-5", "added to the mean square in norms"},
    {"router-norm", Kind::choice, {"chosen", "all"}, "", "softmax over the chosen experts or all"},
    {"swiglu", Kind::choice, {"gate", "up"}, "", "which side goes through silu"},
    {"context", Kind::count, {}, "", "positions that the model was trained for"},
    {"heads", Kind::count, {}, "", "query heads"},
    {"kv-heads", Kind::count, {}, "", "key/value heads"},
    {"head-size", Kind::count, {}, "", "elements of a head"},
    {"top-k", Kind::count, {}, "", "experts that run per token"},
}};

const ConventionRow* find_row(std::string_view name) {
  for (const ConventionRow& row : kRows) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

std::string all_names() {
  std::vector<std::string_view> names;
  names.reserve(kRows.size());
  for (const ConventionRow& row : kRows) names.push_back(row.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

bool is_count(std::string_view text) {
  int value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc() && end == text.data() + text.size() && value >= 1;
}

bool is_number(std::string_view text) {
  const std::optional<double> value = js_parse_number(text);
  return value && !text.empty() && std::isfinite(*value) && *value >= 0;
}

/// How other programs spell what we call by a convention.
struct Alias {
  std::string_view theirs;
  std::string_view ours;
};
constexpr std::array<Alias, 26> kAliases{{
    {"n_heads", "heads"},
    {"num_heads", "heads"},
    {"num_attention_heads", "heads"},
    {"n_head", "heads"},
    {"n_q_heads", "heads"},
    {"n_kv_heads", "kv-heads"},
    {"num_kv_heads", "kv-heads"},
    {"num_key_value_heads", "kv-heads"},
    {"n_kv_head", "kv-heads"},
    {"head_dim", "head-size"},
    {"top_k", "top-k"},
    {"moe_top_k", "top-k"},
    {"n_experts_per_token", "top-k"},
    {"num_experts_per_tok", "top-k"},
    {"experts_per_token", "top-k"},
    {"context", "context"},
    {"context_length", "context"},
    {"max_seq_len", "context"},
    {"seq_len", "context"},
    {"max_position_embeddings", "context"},
    {"rope_theta", "rope-base"},
    {"rope_base", "rope-base"},
    {"norm_eps", "norm-eps"},
    {"rms_norm_eps", "norm-eps"},
    {"rms_eps", "norm-eps"},
    {"eps", "norm-eps"},
}};

}  // namespace

std::span<const ConventionRow> convention_rows() {
  return kRows;
}

Conventions::Conventions() {
  for (const ConventionRow& row : kRows) {
    const std::string_view value = row.kind == Kind::choice ? row.allowed.front() : row.fallback;
    values_.emplace(row.name, value);
  }
}

void Conventions::set(std::string_view origin, std::string_view name, std::string_view value) {
  const ConventionRow* row = find_row(name);
  if (row == nullptr) {
    fail(Fault::usage, "{}: there is no convention '{}'; there are {}", origin, name, all_names());
  }
  switch (row->kind) {
    case Kind::choice:
      for (const std::string_view choice : row->allowed) {
        if (choice == value) {
          values_.find(name)->second = value;
          return;
        }
      }
      fail(Fault::usage, "{}: convention '{}' cannot be '{}'; it can be {}", origin, name, value,
           fmt::join(row->allowed, ", "));
    case Kind::number:
      if (!is_number(value)) {
        fail(Fault::usage, "{}: convention '{}' cannot be '{}'; it is a number, at least 0", origin,
             name, value);
      }
      break;
    case Kind::count:
      if (!is_count(value)) {
        fail(Fault::usage, "{}: convention '{}' cannot be '{}'; it is a count, at least 1", origin,
             name, value);
      }
      break;
  }
  values_.find(name)->second = value;
}

const std::string& Conventions::text(std::string_view name) const {
  const auto found = values_.find(name);
  check(found != values_.end(), "a convention that is in no row");
  return found->second;
}

double Conventions::number(std::string_view name) const {
  return *js_parse_number(text(name));
}

int Conventions::count(std::string_view name) const {
  const std::string& value = text(name);
  return value.empty() ? 0 : std::stoi(value);
}

RopeSpec Conventions::rope(int head_size) const {
  if (is("rope", "none")) return {};
  return {.layout = is("rope", "interleaved") ? RopeLayout::interleaved : RopeLayout::half_split,
          .base = number("rope-base"),
          .dims = head_size,
          .sign = is("rope-sign", "plus") ? 1 : -1};
}

RouterNorm Conventions::router_norm() const {
  return is("router-norm", "all") ? RouterNorm::all : RouterNorm::chosen;
}

std::map<std::string, std::string> Conventions::in_force() const {
  std::map<std::string, std::string> all;
  for (const auto& [name, value] : values_) {
    if (!value.empty()) all.emplace(name, value);
  }
  return all;
}

std::string_view convention_named(std::string_view theirs) {
  for (const Alias& alias : kAliases) {
    if (alias.theirs == theirs) return alias.ours;
  }
  return {};
}

void set_from_file(const std::string& file, std::string_view name, std::string_view value,
                   Conventions& conventions) {
  try {
    conventions.set(file, name, value);
  } catch (const Error& problem) {
    throw Error(Fault::bad_input, problem.what());
  }
}

void read_metadata_conventions(const std::string& file,
                               const std::map<std::string, std::string>& metadata,
                               Conventions& conventions) {
  for (const auto& [key, value] : metadata) {
    const std::string_view ours = convention_named(key);
    if (!ours.empty()) set_from_file(file, ours, value, conventions);
  }
}

void read_sidecar(const std::string& file, std::string_view json, Conventions& conventions) {
  for (const auto& [name, value] : sidecar_entries(file, json)) {
    set_from_file(file, name, value, conventions);
  }
}

std::map<std::string, std::string> sidecar_entries(const std::string& file, std::string_view json) {
  const Json sidecar = parse_json(file, json);
  if (!sidecar.is_object()) fail(Fault::bad_input, "{}: not a JSON object", file);
  std::map<std::string, std::string> entries;
  Conventions checked;
  for (const auto& [key, value] : sidecar.items()) {
    const std::optional<std::string> text = plain_text(value);
    if (!text) fail(Fault::bad_input, "{}: '{}' is neither a text nor a number", file, key);
    set_from_file(file, key, *text, checked);
    entries[key] = *text;
  }
  return entries;
}

std::string sidecar_text(const std::map<std::string, std::string>& entries) {
  return Json(entries).dump(2) + "\n";
}

}  // namespace sb3lm
