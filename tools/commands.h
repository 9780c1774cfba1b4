// One function per subcommand; each returns the exit code and throws Error.
#pragma once

#include "base/progress.h"
#include "options.h"

namespace sb3lm {

int run_command(const BuildOptions& options, Progress& progress);
int run_command(const ReportOptions& options, Progress& progress);
int run_command(const InspectOptions& options, Progress& progress);
int run_command(const CompareOptions& options, Progress& progress);
int run_command(const RunOptions& options, Progress& progress);
int run_command(const LogitsOptions& options, Progress& progress);
int run_command(const EvalOptions& options, Progress& progress);
int run_command(const ProbeOptions& options, Progress& progress);
int run_command(const PlanOptions& options, Progress& progress);
int run_command(const SitePlanOptions& options, Progress& progress);
int run_command(const PackageOptions& options, Progress& progress);
int run_command(const SynthCommand& options, Progress& progress);
int run_command(const ExportOptions& options, Progress& progress);

/// The part of run that talks.
class NativeModel;
int chat_command(const NativeModel& native, const RunOptions& options);

}  // namespace sb3lm
