// report: where the bytes of an .sb3 go, or what a checkpoint would take.
#include "base/error.h"
#include "base/file.h"
#include "commands.h"
#include "console.h"
#include "input_check.h"
#include "load.h"
#include "outputs.h"
#include "report/html.h"
#include "report/report.h"
#include "report/text.h"
#include "text_source.h"

namespace sb3lm {
namespace {

Report report_of(const ReportOptions& options, Progress& progress) {
  const InputOptions& input = options.input;
  const std::string file = input.file.string();
  if (!is_sb3(input.file)) {
    if (options.fit != 0) fail(Fault::usage, "{}: --fit is for an .sb3; build makes one", file);
    Model model = load_any(input, progress);
    Report report = make_report(file, model);
    report.sense = sense_of_sample(std::move(model), nats_before(input, progress), progress);
    return report;
  }
  check_built_input(input);
  progress.report("measuring " + input.file.filename().string(), -1);
  const MappedFile mapped(input.file);
  Report report = make_report(file, mapped.bytes(), options.fit);
  report.sense = sense_of_sample(load_any(input, progress), std::nullopt, progress);
  return report;
}

}  // namespace

int run_command(const ReportOptions& options, Progress& progress) {
  Outputs outputs(input_files(options.input));
  if (!options.html.empty()) outputs.expect(options.html);
  if (options.json) outputs.keep_standard_output();
  const Report report = report_of(options, progress);
  progress.report("measured", 1);
  if (!options.html.empty()) outputs.write(options.html, report_html(report));
  print_out("{}", options.json ? report_json(report) : report_text(report));
  return 0;
}

}  // namespace sb3lm
