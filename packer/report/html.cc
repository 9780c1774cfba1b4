#include "report/html.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "report/figures.h"
#include "report/page_style.h"
#include "report/text.h"
#include "report/treemap.h"

namespace sb3lm {
namespace {

// Names come from files that anybody may have made.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    switch (letter) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += letter;
    }
  }
  return out;
}

std::string bytes_text(double bytes) {
  return with_separators(static_cast<std::uint64_t>(std::llround(bytes)));
}

/// White letters stand on all of them. Neighbours in the list of components differ.
std::string_view colour_of(Component component) {
  constexpr std::string_view kColours[kComponents] = {
      "#2f6fc4", "#2a5fa8", "#2b8a57", "#37785a", "#3f7d3a", "#5b7a2a", "#b0602a",
      "#b8642b", "#a8473d", "#8a4fa0", "#7559a8", "#5c6bb0", "#4d7f97", "#a34a78",
      "#6a6f80", "#8b8f9c", "#7d7568", "#928a7a", "#5f7a86", "#80868f"};
  return kColours[static_cast<std::size_t>(component)];
}

/// What a component is measured by: its bytes in the file, or packed where there is no file.
double size_of(const Report& report, const ComponentRow& row) {
  return report.is_sb3 ? static_cast<double>(row.sb3_bytes)
                       : static_cast<double>(whole_bytes(row.packed_bits));
}

struct Part {
  std::string name;
  double share = 0;
};

/// The component's matrices by layer, with their shares of it; itself where it has none.
std::vector<Part> parts_of(const Report& report, Component component) {
  std::map<int, double> layers;
  double sum = 0;
  for (const TensorRow& tensor : report.tensors) {
    if (component_of(tensor.key.role) != component) continue;
    const auto bits = static_cast<double>(report.is_sb3 ? tensor.sb3_bits : tensor.packed_bits);
    layers[tensor.key.layer] += bits;
    sum += bits;
  }
  std::vector<Part> parts;
  for (const auto& [layer, bits] : layers) {
    if (sum <= 0) continue;
    parts.push_back({layer < 0 ? "" : fmt::format(", layer {}", layer), bits / sum});
  }
  if (parts.empty()) parts.push_back({"", 1});
  std::stable_sort(parts.begin(), parts.end(),
                   [](const Part& a, const Part& b) { return a.share > b.share; });
  return parts;
}

std::vector<const ComponentRow*> by_size(const Report& report) {
  std::vector<const ComponentRow*> rows;
  for (const ComponentRow& row : report.components) {
    if (size_of(report, row) > 0) rows.push_back(&row);
  }
  std::stable_sort(rows.begin(), rows.end(), [&](const ComponentRow* a, const ComponentRow* b) {
    return size_of(report, *a) > size_of(report, *b);
  });
  return rows;
}

/// One drawing of the treemap; `letter`: size of its letters in the drawing's own units.
struct Canvas {
  std::string_view name;
  double width, height, letter;
};

std::string label(const Canvas& canvas, const Box& box, std::string_view text, int line) {
  constexpr double kLetterWidth = 0.57;  // of the size, of the average letter
  const double room = kLetterWidth * canvas.letter * static_cast<double>(text.size()) + 10;
  const double bottom = (line + 1) * canvas.letter * 1.25;
  if (box.width < room || box.height < bottom + 5) return "";
  return fmt::format(R"(<text x="{:.1f}" y="{:.1f}" font-size="{:.0f}">{}</text>)", box.x + 6,
                     box.y + bottom, canvas.letter, escaped(text));
}

std::string component_boxes(const Report& report, const ComponentRow& row, const Box& box,
                            const Canvas& canvas) {
  const double size = size_of(report, row);
  const std::vector<Part> parts = parts_of(report, row.component);
  std::vector<double> shares;
  shares.reserve(parts.size());
  for (const Part& part : parts) shares.push_back(part.share);
  const std::vector<Box> boxes = squarify(shares, box);
  std::string svg;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Box& at = boxes[i];
    svg += fmt::format(
        R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}" stroke-width="{}">)"
        "<title>{}{}: {} bytes</title></rect>",
        at.x, at.y, at.width, at.height, colour_of(row.component), parts.size() > 1 ? 0.6 : 1.5,
        component_name(row.component), parts[i].name, bytes_text(parts[i].share * size));
  }
  if (parts.size() > 1) {
    svg += fmt::format(
        R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="none" stroke-width="2.5"/>)",
        box.x, box.y, box.width, box.height);
  }
  const std::string name = label(canvas, box, component_name(row.component), 0);
  if (name.empty()) return svg + "\n";
  return svg + name + label(canvas, box, bytes_text(size), 1) + "\n";
}

std::string treemap_svg(const Report& report, const Canvas& canvas) {
  const std::vector<const ComponentRow*> rows = by_size(report);
  std::vector<double> sizes;
  sizes.reserve(rows.size());
  for (const ComponentRow* row : rows) sizes.push_back(size_of(report, *row));
  const std::vector<Box> boxes = squarify(sizes, {0, 0, canvas.width, canvas.height});
  std::string svg = fmt::format(
      R"(<svg class="{}" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="Where the bytes go">)",
      canvas.name, canvas.width, canvas.height);
  svg += "\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    svg += component_boxes(report, *rows[i], boxes[i], canvas);
  }
  return svg + "</svg>\n";
}

std::string head_html(const Report& report) {
  std::string html = fmt::format(
      "<h1>{}</h1>\n<p class=\"dim\">{}, {} parameters, {} row scales</p>\n", escaped(report.file),
      escaped(report.family), with_separators(static_cast<std::uint64_t>(report.parameters)),
      with_separators(static_cast<std::uint64_t>(scale_count(report))));
  if (!report.is_sb3) return html;
  const std::size_t size = report.measures.sb3_bytes;
  const double share = static_cast<double>(size) / static_cast<double>(report.fit);
  const bool over = size > report.fit;
  html += fmt::format(
      "<p class=\"big\">{} bytes</p>\n<div class=\"gauge{}\"><i "
      "style=\"width:{:.2f}%\"></i></div>\n"
      "<p>{:.1f} % of {} bytes, {} {}</p>\n",
      with_separators(size), over ? " over" : "", std::min(100.0, 100 * share), 100 * share,
      with_separators(report.fit), with_separators(over ? size - report.fit : report.fit - size),
      over ? "over" : "left");
  html += fmt::format("<p>Saved again by an editor: {}. ", resaved_text(report));
  if (report.load) {
    html += fmt::format(
        "Loading takes about {:.1f} s in TurboWarp, {:.0f} s in Scratch, and what an editor "
        "itself takes to open the file.",
        report.load->turbowarp, report.load->scratch);
  }
  html += "</p>\n";
  if (!report.vocabulary.empty()) {
    html += fmt::format("<p>Vocabulary: {}.</p>\n", escaped(report.vocabulary));
  }
  if (report.rounding.any()) {
    html += fmt::format("<p>Rounded: {}.</p>\n", escaped(rounding_text(report.rounding)));
  }
  return html;
}

/// A bar is as long as the bytes spent, its solid part as the entropy of what they hold.
std::string bars_html(const Report& report) {
  std::string html = fmt::format(
      "<h2>Components</h2>\n<p class=\"dim\">Bar: {}; solid: the entropy of the numbers in "
      "it.</p>\n",
      report.is_sb3 ? "bytes in the file" : "bytes at nominal width");
  double largest = 1;
  for (const ComponentRow& row : report.components) {
    largest = std::max(largest, size_of(report, row));
  }
  for (const ComponentRow* row : by_size(report)) {
    const double size = size_of(report, *row), entropy = row->entropy_bits / 8;
    const std::string_view colour = colour_of(row->component);
    html += fmt::format(
        "<div class=\"row\"><span>{}</span><span class=\"bar\"><i style=\"width:{:.2f}%;"
        "background:{}\"></i><b style=\"width:{:.2f}%;background:{}\"></b></span><span>{}</span>",
        component_name(row->component), 100 * size / largest, colour,
        100 * std::min(size, row->values != 0 ? entropy : size) / largest, colour,
        bytes_text(size));
    if (row->values != 0) {
      const auto values = static_cast<double>(row->values);
      html += fmt::format(
          "<span class=\"note\">{} values of {:.2f} bits; entropy {} bytes, {:.3f} bits a value{}"
          "</span>",
          with_separators(static_cast<std::uint64_t>(row->values)),
          static_cast<double>(row->packed_bits) / values, bytes_text(entropy),
          row->entropy_bits / values,
          report.is_sb3
              ? fmt::format("; {:.3f} in the file", static_cast<double>(row->sb3_bits) / values)
              : "");
    }
    html += "</div>\n";
  }
  return html;
}

std::string limits_html(const Report& report) {
  std::string html =
      "<h2>Limits</h2>\n<div class=\"scroll\"><table><tr><th>target</th><th "
      "class=\"word\">measure</th>"
      "<th>here</th><th>limit</th><th></th></tr>\n";
  for (const Limit& limit : target_limits()) {
    const std::size_t size = report.measures.*limit.measure;
    const std::string_view word = verdict(limit, size);
    html += fmt::format(
        "<tr><td>{}</td><td class=\"word\">{}</td><td>{}</td><td>{}</td><td{}>{}</td></tr>\n",
        enum_name(limit.target), limit.what, with_separators(size), with_separators(limit.most),
        word == "over" ? " class=\"over\"" : "", word);
  }
  return html + "</table></div>\n";
}

std::string sense_html(const Report& report) {
  if (!report.sense) return "";
  return fmt::format("<h2>What it says</h2>\n<pre>{}</pre>\n", escaped(sense_text(*report.sense)));
}

std::string advice_html(const Report& report) {
  if (report.advice.empty()) return "";
  const auto over = static_cast<double>(report.measures.sb3_bytes - report.fit);
  std::string html = fmt::format(
      "<h2>What would make it fit</h2>\n<p>{} bytes too many. Savings are estimates.</p>\n"
      "<div class=\"scroll\"><table><tr><th>change</th><th>saves</th><th>alone</th><th>how</th>"
      "</tr>\n",
      bytes_text(over));
  for (const Advice& advice : report.advice) {
    html += fmt::format("<tr><td>{}{}</td><td>{}</td><td>{}</td><td><code>{}</code></td></tr>\n",
                        advice.what,
                        advice.changes_numbers ? "" : " <span class=\"dim\">(same model)</span>",
                        bytes_text(advice.bytes), advice.bytes >= over ? "fits" : "", advice.how);
  }
  return html + "</table></div>\n";
}

}  // namespace

std::string report_html(const Report& report) {
  constexpr Canvas kWide{"wide", 1100, 520, 15}, kNarrow{"narrow", 400, 600, 14};
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" "
      "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
      "<title>{}: where the bytes go</title>\n<style>{}</style>\n</head>\n<body>\n",
      escaped(report.file), kPageStyle);
  html += head_html(report);
  html += treemap_svg(report, kWide) + treemap_svg(report, kNarrow);
  if (report.is_sb3) html += advice_html(report);
  html += sense_html(report) + bars_html(report);
  if (report.is_sb3) html += limits_html(report);
  return html + "</body>\n</html>\n";
}

}  // namespace sb3lm
