#include "report/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "report/figures.h"

namespace sb3lm {
namespace {

std::uint64_t rounded_bytes(double bits) {
  return static_cast<std::uint64_t>(std::llround(bits / 8));
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

std::string limits_text(const Report& report) {
  std::vector<Cells> rows = {{"target", "measure", "here", "limit", "verdict"}};
  for (const Limit& limit : target_limits()) {
    const std::size_t size = report.measures.*limit.measure;
    rows.push_back({std::string(enum_name(limit.target)), std::string(limit.what),
                    with_separators(size), with_separators(limit.most),
                    std::string(verdict(limit, size))});
  }
  return table_text(rows, 5);
}

std::string load_text(const Report& report) {
  if (!report.load) return "loading: not estimated, one of its encodings is not measured\n";
  return fmt::format(
      "loading, about: {:.1f} s in TurboWarp, {:.0f} s in Scratch, and what an editor itself takes "
      "to open the file\n",
      report.load->turbowarp, report.load->scratch);
}

}  // namespace

std::string letters_text(const std::string& letters) {
  return fmt::format("letters that can be typed: {}; others arrive as U+FFFD\n", letters);
}

std::string resaved_text(const Report& report) {
  const std::string fresh = with_separators(report.resaved_bytes) + " bytes";
  if (!report.used) return fresh + " before it runs or after `unload`, else more";
  return fmt::format("{} before it runs or after `unload`, else about {} to {}", fresh,
                     with_separators(report.used->least), with_separators(report.used->most));
}

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

std::string advice_text(const Report& report) {
  if (report.advice.empty()) return "";
  const auto over = static_cast<double>(report.measures.sb3_bytes - report.fit);
  std::vector<Cells> rows = {{"what would make it fit", "saves about", "alone", "model", "how"}};
  double sum = 0;
  std::size_t enough = 0;
  for (const Advice& advice : report.advice) {
    if (sum < over) ++enough;
    sum += advice.bytes;
    rows.push_back({advice.what, with_separators(static_cast<std::uint64_t>(advice.bytes)),
                    advice.bytes >= over ? "fits" : "", advice.changes_numbers ? "changes" : "same",
                    advice.how});
  }
  std::string text = fmt::format("{} bytes are over the {} that it is to fit\n\n{}",
                                 with_separators(static_cast<std::uint64_t>(over)),
                                 with_separators(report.fit), table_text(rows, 5));
  if (sum < over) return text + "all of them together do not fit\n";
  return text + fmt::format("the first {} would fit{}\n", enough, enough > 1 ? " together" : "");
}

std::string sense_text(const Sense& sense) {
  std::string text = fmt::format("sense: samples/english.txt ({} tokens) has perplexity {:.4g}",
                                 sense.tokens, sense.perplexity);
  if (sense.perplexity_before) {
    text += fmt::format(", {:.4g} before rounding", *sense.perplexity_before);
  }
  text += '\n';
  for (const Continuation& one : sense.continuations) {
    text += fmt::format("  {} \u2192 {}\n", one.prompt, nlohmann::json(one.text).dump());
  }
  return sense.advice.empty() ? text : text + fmt::format("  {}\n", sense.advice);
}

std::string report_text(const Report& report) {
  std::string text = fmt::format("{}: {}, {} parameters, {} row scales\n\n{}", report.file,
                                 report.family, count_text(report.parameters),
                                 count_text(scale_count(report)), components_text(report));
  if (!report.letters.empty()) text += "\n" + letters_text(report.letters);
  if (!report.vocabulary.empty()) text += fmt::format("\nvocabulary: {}\n", report.vocabulary);
  if (report.rounding.any()) text += fmt::format("\nrounded: {}\n", rounding_text(report.rounding));
  if (report.sense) text += "\n" + sense_text(*report.sense);
  if (!report.is_sb3) return text;
  const Measures& m = report.measures;
  text += fmt::format("\nproject.json: {} bytes, {} blocks, largest list {} items\n",
                      with_separators(m.project_json_bytes), with_separators(m.blocks),
                      with_separators(m.largest_list));
  text += fmt::format("saved again by an editor: {}\n{}\n{}", resaved_text(report),
                      load_text(report), limits_text(report));
  const std::string advice = advice_text(report);
  return advice.empty() ? text : text + "\n" + advice;
}

}  // namespace sb3lm
