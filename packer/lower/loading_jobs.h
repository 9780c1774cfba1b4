// What is to be decoded at the green flag, as rows of a list that the loader goes through.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lower/layout.h"
#include "scratch/ir.h"

namespace sb3lm {

/// A decoder and the text items that it reads.
struct DecodeKind {
  static constexpr const char* kHalves = "halves";
  static constexpr const char* kLevels = "levels";
  static constexpr const char* kRowScales = "row scales";

  std::string what;  // an encoding's name, or one of these
  int bits = 0;
  std::int64_t item = 0;
  bool operator==(const DecodeKind&) const = default;
};

/// Letters that a decoder finds by itself (see DecodeProc).
inline constexpr int kGoOn = 0, kNextTensor = -1;

struct DecodeJob {
  int kind = 0;  // of DecodeJobs::kinds
  std::int64_t rows = 0;
  double argument = 0;  // groups of codes, or the factor of halves
  std::int64_t letters_per_row = 0, items_per_row = 0;
  int base = 0;                     // of halves
  std::int64_t letter = 0, at = 0;  // where it begins (see DecodeProc)
};

/// What a job's row of the list says, in this order. Positions in text and list are the loader's to
/// keep, because jobs of one kind follow each other: a job says only how much it skips, so that
/// jobs of alike layers are alike.
enum class JobField {
  kind,
  rows,
  argument,
  letters_per_row,
  items_per_row,
  base,
  skipped_letters,
  skipped_items,
  end,
};

struct DecodeJobs {
  std::vector<DecodeJob> rows;
  std::vector<DecodeKind> kinds;
  std::int64_t total = 0;  // list items to decode
};

DecodeJobs decode_jobs(const Layout& layout);
std::vector<scratch::Scalar> job_items(const DecodeJobs& jobs);

/// Per cent of loading after which the vocabulary and then each layer is unpacked.
std::vector<double> loading_marks(const Layout& layout);

}  // namespace sb3lm
