#include "lower/loading_jobs.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "lower/field_row.h"
#include "quant/encoding.h"

namespace sb3lm {
namespace {

int kind_number(const DecodeKind& wanted, DecodeJobs& jobs) {
  const auto found = std::find(jobs.kinds.begin(), jobs.kinds.end(), wanted);
  if (found != jobs.kinds.end()) return static_cast<int>(found - jobs.kinds.begin());
  jobs.kinds.push_back(wanted);
  return static_cast<int>(jobs.kinds.size()) - 1;
}

struct HalvesRun {
  std::int64_t item, letter, count, at;
  double factor;
  int base;
};

void add_halves(const HalvesRun& run, DecodeJobs& jobs) {
  jobs.rows.push_back({.kind = kind_number({.what = DecodeKind::kHalves, .item = run.item}, jobs),
                       .rows = run.count,
                       .argument = run.factor,
                       .letters_per_row = 1,
                       .items_per_row = 1,
                       .base = run.base,
                       .letter = run.letter,
                       .at = run.at});
}

void add_codes(const TensorPlace& place, DecodeJobs& jobs) {
  const int rows = place.shape.rows, cols = place.shape.cols;
  const int bits = place.format.bits, groups = place.groups();
  const bool numbers = place.storage == Storage::numbers;
  const int row_letters = code_encoding(place.encoding).row_letters(bits, groups);
  jobs.rows.push_back(
      {.kind = kind_number({numbers ? DecodeKind::kLevels : place.encoding, bits, place.text_item},
                           jobs),
       .rows = rows,
       .argument = static_cast<double>(numbers ? cols : groups),
       .letters_per_row = row_letters,
       .items_per_row = numbers ? cols : std::int64_t{groups} * bits,
       .letter = row_letters > 0 || place.text_letter == 1 ? place.text_letter : kNextTensor,
       .at = place.codes_at});
  add_halves({.item = place.scale_item,
              .letter = place.scale_letter,
              .count = rows,
              .at = place.scales_at,
              .factor = place.scale_factor(),
              .base = place.base},
             jobs);
  if (!numbers) return;
  jobs.rows.push_back({.kind = kind_number({.what = DecodeKind::kRowScales}, jobs),
                       .rows = rows,
                       .argument = static_cast<double>(cols),
                       .letters_per_row = 1,
                       .items_per_row = cols,
                       .letter = place.scales_at,  // a list item: one per row
                       .at = place.codes_at});
}

void add_jobs(const TensorPlace& place, DecodeJobs& jobs) {
  if (place.is_coded()) return add_codes(place, jobs);
  if (place.storage != Storage::halves) return;
  const bool dense = place.stride == place.shape.cols;
  for (int row = 0; row < (dense ? 1 : place.shape.rows); ++row) {
    const std::int64_t count = std::int64_t{dense ? place.shape.rows : 1} * place.shape.cols;
    add_halves({.item = place.text_item,
                .letter = place.text_letter + row * count,
                .count = count,
                .at = place.scales_at + std::int64_t{row} * place.stride,
                .factor = 1,
                .base = place.base},
               jobs);
  }
}

}  // namespace

DecodeJobs decode_jobs(const Layout& layout) {
  DecodeJobs jobs;
  for (const TensorPlace& place : layout.tensors) add_jobs(place, jobs);
  for (const DecodeJob& job : jobs.rows) jobs.total += job.rows * job.items_per_row;
  return jobs;
}

std::vector<scratch::Scalar> job_items(const DecodeJobs& jobs) {
  struct Next {
    std::int64_t letter = 1, at = 1;
  };
  std::vector<Next> of_kind(jobs.kinds.size());
  std::vector<scratch::Scalar> items;
  for (const DecodeJob& job : jobs.rows) {
    Next& next = of_kind[static_cast<std::size_t>(job.kind)];
    FieldRow<JobField> row;
    row.put(JobField::kind, job.kind);
    row.put(JobField::rows, job.rows);
    row.put(JobField::argument, job.argument);
    row.put(JobField::letters_per_row, job.letters_per_row);
    row.put(JobField::items_per_row, job.items_per_row);
    row.put(JobField::base, job.base);
    row.put(JobField::skipped_letters, job.letter - next.letter);
    row.put(JobField::skipped_items, job.at - next.at);
    row.append_to(items);
    next = {job.letters_per_row > 0 ? job.letter + job.rows * job.letters_per_row : kGoOn,
            job.at + job.rows * job.items_per_row};
  }
  return items;
}

std::vector<double> loading_marks(const Layout& layout) {
  std::vector<double> marks;
  double done = 0;
  int layer = -1;  // neither the vocabulary nor what follows the layers has one
  for (const TensorPlace& place : layout.tensors) {
    if (place.key.layer != layer) marks.push_back(done);
    layer = place.key.layer;
    DecodeJobs jobs;
    add_jobs(place, jobs);
    for (const DecodeJob& job : jobs.rows)
      done += static_cast<double>(job.rows * job.items_per_row);
  }
  for (double& mark : marks) mark = done > 0 ? std::floor(1000 * mark / done) / 10 : 0;
  return marks;
}

}  // namespace sb3lm
