// report: where the bytes of an .sb3 go, or what a checkpoint would take.
#include <fmt/format.h>

#include "base/file.h"
#include "commands.h"
#include "load.h"
#include "report/html.h"
#include "report/report.h"
#include "report/text.h"

namespace sb3lm {
namespace {

Report report_of(const ReportOptions& options, Progress& progress) {
  const InputOptions& input = options.input;
  const std::string file = input.file.string();
  if (!is_sb3(input.file)) return make_report(file, load_any(input, progress));
  progress.report("measuring " + input.file.filename().string(), -1);
  const MappedFile mapped(input.file);
  return make_report(file, mapped.bytes(), options.fit);
}

}  // namespace

int run_command(const ReportOptions& options, Progress& progress) {
  const Report report = report_of(options, progress);
  progress.report("measured", 1);
  if (!options.html.empty()) write_file(options.html, report_html(report));
  fmt::print("{}", options.json ? report_json(report) : report_text(report));
  return 0;
}

}  // namespace sb3lm
