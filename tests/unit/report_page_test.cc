// The report as a page: its treemap, what it says, and how Chromium shows it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/file.h"
#include "pack.h"
#include "report/html.h"
#include "report/separators.h"
#include "report/treemap.h"
#include "sb3/sb3.h"
#include "support/skip.h"
#include "support/temp_folder.h"
#include "support/tiny_model.h"
#include "synth/random.h"

namespace {

using namespace sb3lm;

constexpr int kMissingProgram = 4;

Report report_of(const std::string& file, std::size_t fit) {
  SilentProgress silent;
  const Model model = tiny_model("tiny-moe");
  return make_report(file, as_bytes(pack(model, {.deflate_level = 6}, silent)), fit);
}

}  // namespace

TEST_CASE("squarify: areas in proportion, no overlap, no slivers") {
  Random random(2);
  for (const std::size_t count : {1, 2, 7, 40}) {
    std::vector<double> sizes;
    for (std::size_t i = 0; i < count; ++i) sizes.push_back(std::exp(1.5 * random.normal()));
    std::sort(sizes.rbegin(), sizes.rend());
    double sum = 0;
    for (const double size : sizes) sum += size;
    const Box whole{10, 20, 300, 200};
    const std::vector<Box> boxes = squarify(sizes, whole);
    REQUIRE(boxes.size() == count);
    double ratios = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const Box& a = boxes[i];
      CHECK(a.area() == doctest::Approx(sizes[i] / sum * whole.area()));
      CHECK(a.x >= 10 - 1e-9);
      CHECK(a.y >= 20 - 1e-9);
      CHECK(a.x + a.width <= 310 + 1e-9);
      CHECK(a.y + a.height <= 220 + 1e-9);
      ratios += std::max(a.width / a.height, a.height / a.width);
      for (std::size_t j = 0; j < i; ++j) {
        const Box& b = boxes[j];
        const double wide = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
        const double high = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
        CHECK(std::min(wide, high) < 1e-9);
      }
    }
    CHECK(ratios / static_cast<double>(count) < (count < 3 ? 10 : 2.5));
  }
  CHECK(squarify({}, {0, 0, 1, 1}).empty());
  const std::vector<double> nothing = {0, 0};
  CHECK(squarify(nothing, {0, 0, 1, 1}).size() == 2);
}

TEST_CASE("the page says what the report says, and escapes what files say") {
  const Report report = report_of("<b>\"x\"&.sb3", 50'000);
  const std::string html = report_html(report);
  CHECK(html.find("<b>") == std::string::npos);
  CHECK(html.find("&lt;b&gt;&quot;x&quot;&amp;.sb3") != std::string::npos);
  for (const ComponentRow& row : report.components) {
    if (row.sb3_bytes == 0) continue;
    CAPTURE(component_name(row.component));
    CHECK(html.find(">" + std::string(component_name(row.component)) + "<") != std::string::npos);
    CHECK(html.find(with_separators(row.sb3_bytes)) != std::string::npos);
  }
  for (const Advice& advice : report.advice) CHECK(html.find(advice.what) != std::string::npos);
  REQUIRE(report.advice.size() > 2);
  for (const char* part : {"<script", "http://", "https://", "url(", "@import", "src="}) {
    CAPTURE(part);
    CHECK(html.find(part) == std::string::npos);
  }
  const std::string checkpoint = report_html(make_report("x", tiny_model("tiny-moe")));
  CHECK(checkpoint.find("Limits") == std::string::npos);
  CHECK(checkpoint.find("routed experts") != std::string::npos);
}

TEST_CASE("Chromium shows it on a desktop and on a phone, without fetching anything") {
  const test::TempFolder folder;
  const std::filesystem::path page = folder.path() / "report.html";
  write_file(page,
             report_html(report_of("a-rather-long-name-of-a-project-on-a-phone.sb3", 50'000)));
  const std::string command =
      fmt::format("node '{}/tools/vm/picture_page.mjs' '{}'", SB3LM_SOURCE_DIR, page.string());
  const int status = std::system(command.c_str());
  const int exit_code = status == -1 ? -1 : status / 256;
  if (exit_code == kMissingProgram || exit_code == 127) {
    return test::skip_case("Node, Chromium or an npm package is missing");
  }
  CHECK(exit_code == 0);
}
