#include "report/text.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "report/separators.h"

namespace sb3lm {
namespace {

using Json = nlohmann::ordered_json;

std::uint64_t whole_bytes(std::uint64_t bits) {
  return bits / 8 + (bits % 8 != 0);
}

std::uint64_t rounded_bytes(double bits) {
  return static_cast<std::uint64_t>(bits / 8 + 0.5);
}

double share_of_budget(std::size_t bytes) {
  return static_cast<double>(bytes) / static_cast<double>(budget_of("sb3"));
}

bool is_shown(const ComponentRow& row) {
  return row.values != 0 || row.sb3_bits != 0;
}

ComponentRow total_of(const Report& report) {
  ComponentRow total;
  for (const ComponentRow& row : report.components) {
    total.values += row.values;
    total.packed_bits += row.packed_bits;
    total.entropy_bits += row.entropy_bits;
    total.sb3_bits += row.sb3_bits;
    total.sb3_bytes += row.sb3_bytes;
  }
  return total;
}

std::string count_text(std::int64_t number) {
  return with_separators(static_cast<std::uint64_t>(number));
}

constexpr std::size_t kColumns = 8;
using Cells = std::array<std::string, kColumns>;

Cells cells_of(std::string_view name, const ComponentRow& row) {
  Cells cells = {std::string(name)};
  if (row.values != 0) {
    const auto values = static_cast<double>(row.values);
    cells[1] = count_text(row.values);
    cells[2] = fmt::format("{:.2f}", static_cast<double>(row.packed_bits) / values);
    cells[3] = with_separators(whole_bytes(row.packed_bits));
    cells[4] = with_separators(rounded_bytes(row.entropy_bits));
    cells[6] = fmt::format("{:.2f}", static_cast<double>(row.sb3_bits) / values);
  }
  cells[5] = with_separators(row.sb3_bytes);
  cells[7] = fmt::format("{:.2f} %", 100 * share_of_budget(row.sb3_bytes));
  return cells;
}

// The first column is aligned left; columns from `columns` on are left out.
std::string table_text(const std::vector<Cells>& rows, std::size_t columns) {
  std::array<std::size_t, kColumns> widths{};
  for (const Cells& row : rows) {
    for (std::size_t i = 0; i < columns; ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Cells& row : rows) {
    text += fmt::format("{:<{}}", row[0], widths[0]);
    for (std::size_t i = 1; i < columns; ++i) text += fmt::format("  {:>{}}", row[i], widths[i]);
    text += '\n';
  }
  return text;
}

std::string components_text(const Report& report) {
  std::vector<Cells> rows = {{"component", "values", "bits", "packed bytes", "entropy bytes",
                              ".sb3 bytes", "bits in .sb3", "share of limit"}};
  for (const ComponentRow& row : report.components) {
    if (is_shown(row)) rows.push_back(cells_of(component_name(row.component), row));
  }
  Cells total = cells_of("total", total_of(report));
  total[2] = total[6] = "";  // not all of the file is values
  rows.push_back(std::move(total));
  return table_text(rows, report.is_sb3 ? kColumns : 5);
}

std::string_view verdict(const Limit& limit, std::size_t size) {
  if (size <= limit.most) return "ok";
  return limit.is_warning ? "large" : "over";
}

std::string limits_text(const Report& report) {
  std::vector<Cells> rows = {{"target", "measure", "here", "limit", "verdict"}};
  for (const Limit& limit : target_limits()) {
    const std::size_t size = report.measures.*limit.measure;
    rows.push_back({std::string(limit.target), std::string(limit.what), with_separators(size),
                    with_separators(limit.most), std::string(verdict(limit, size))});
  }
  return table_text(rows, 5);
}

Json component_json(const ComponentRow& row, bool is_sb3) {
  Json json = {{"name", component_name(row.component)},
               {"values", row.values},
               {"packed_bytes", whole_bytes(row.packed_bits)},
               {"entropy_bytes", row.entropy_bits / 8}};
  if (row.values != 0) {
    json["bits_per_value"] = static_cast<double>(row.packed_bits) / static_cast<double>(row.values);
  }
  if (is_sb3) {
    json["sb3_bytes"] = row.sb3_bytes;
    json["share_of_limit"] = share_of_budget(row.sb3_bytes);
  }
  return json;
}

Json tensor_json(const TensorRow& row, bool is_sb3) {
  Json json = {{"name", tensor_key_text(row.key)},
               {"component", component_name(component_of(row.key.role))},
               {"shape", {row.shape.rows, row.shape.cols}},
               {"bits", row.bits},
               {"packed_bytes", whole_bytes(row.packed_bits)},
               {"entropy_bytes", row.entropy_bits / 8}};
  if (is_sb3) json["sb3_bytes"] = static_cast<double>(row.sb3_bits) / 8;
  return json;
}

Json limits_json(const Report& report) {
  Json limits = Json::array();
  for (const Limit& limit : target_limits()) {
    const std::size_t size = report.measures.*limit.measure;
    limits.push_back({{"target", limit.target},
                      {"what", limit.what},
                      {"value", size},
                      {"limit", limit.most},
                      {"verdict", verdict(limit, size)}});
  }
  return limits;
}

Json rounding_json(const Rounding& rounding) {
  Json json = {{"scale_bits", rounding.scale_bits}, {"router_bits", rounding.router_bits}};
  if (!rounding.change) return json;
  const ModelChange& change = *rounding.change;
  json["tokens"] = change.tokens;
  json["logit_change"] = change.logits;
  if (change.perplexity_before != 0) {
    json["perplexity_before"] = change.perplexity_before;
    json["perplexity_after"] = change.perplexity_after;
  }
  return json;
}

std::int64_t scale_count(const Report& report) {
  return report.components[static_cast<std::size_t>(Component::row_scales)].values;
}

}  // namespace

std::string rounding_text(const Rounding& rounding) {
  std::string text;
  if (rounding.scale_bits != 0) {
    text += fmt::format("scales and norms keep {} of 10 mantissa bits", rounding.scale_bits);
  }
  if (rounding.router_bits != 0) {
    text += fmt::format("{}routers have {} bits", text.empty() ? "" : ", ", rounding.router_bits);
  }
  if (!rounding.change) return text;
  const ModelChange& change = *rounding.change;
  text += fmt::format("; over {} tokens logits change by at most {:.2g} of the largest",
                      change.tokens, change.logits);
  if (change.perplexity_before == 0) return text;
  return text + fmt::format(", perplexity {:.5g} becomes {:.5g}", change.perplexity_before,
                            change.perplexity_after);
}

std::string report_text(const Report& report) {
  std::string text = fmt::format("{}: {}, {} parameters, {} row scales\n\n{}", report.file,
                                 report.family, count_text(report.parameters),
                                 count_text(scale_count(report)), components_text(report));
  if (report.rounding.any()) text += fmt::format("\nrounded: {}\n", rounding_text(report.rounding));
  if (!report.is_sb3) return text;
  const Measures& m = report.measures;
  return text + fmt::format("\nproject.json: {} bytes, {} blocks, largest list {} items\n\n{}",
                            with_separators(m.project_json_bytes), with_separators(m.blocks),
                            with_separators(m.largest_list), limits_text(report));
}

std::string report_json(const Report& report) {
  const ComponentRow total = total_of(report);
  Json json = {{"file", report.file},
               {"kind", report.is_sb3 ? "sb3" : "checkpoint"},
               {"family", report.family},
               {"parameters", report.parameters},
               {"row_scales", scale_count(report)},
               {"packed_bytes", whole_bytes(total.packed_bits)},
               {"entropy_bytes", total.entropy_bits / 8}};
  if (report.rounding.any()) json["rounding"] = rounding_json(report.rounding);
  if (report.is_sb3) {
    json["sb3_bytes"] = report.measures.sb3_bytes;
    json["project_json_bytes"] = report.measures.project_json_bytes;
    json["blocks"] = report.measures.blocks;
    json["largest_list"] = report.measures.largest_list;
    json["largest_asset"] = report.measures.largest_asset;
    json["limits"] = limits_json(report);
  }
  Json& components = json["components"] = Json::array();
  for (const ComponentRow& row : report.components) {
    if (is_shown(row)) components.push_back(component_json(row, report.is_sb3));
  }
  Json& tensors = json["tensors"] = Json::array();
  for (const TensorRow& row : report.tensors) tensors.push_back(tensor_json(row, report.is_sb3));
  return json.dump(2) + "\n";
}

}  // namespace sb3lm
