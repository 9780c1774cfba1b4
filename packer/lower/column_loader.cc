#include "lower/column_loader.h"

#include "kernels/columns.h"
#include "lower/field_row.h"
#include "model/project_names.h"
#include "quant/range.h"
#include "quant/range_blocks.h"

namespace sb3lm {

using namespace blocks;

namespace {

// Decoding gives way to the screen after so long.
constexpr double kChunkMs = 200;
// Fewer zeros are cheaper in the file than the blocks that add them.
constexpr std::size_t kFewZeros = 200;
constexpr int kByte = 256;  // planes of codes are so far apart while a group is put together

// One text after the other: rows of codes, or numbers.
struct Job {
  int planes = 0;  // 0: numbers
  int tuple = 1;   // codes of a symbol
  int field = 2;   // see RangeBlocks::open
  std::int64_t count = 0;
  int groups = 0, stride = 0;  // of a row of codes: groups, and items of a plane
  double factor = 1;           // of numbers
};
// What a job's row of the list says, in this order.
enum class JobField { planes, tuple, field, count, groups, stride, factor, end };

std::vector<Job> make_jobs(const Layout& layout) {
  std::vector<const TensorPlace*> in_runs;
  for (const TensorPlace& place : layout.tensors) {
    if (place.storage != Storage::floats) in_runs.push_back(&place);
  }
  std::vector<Job> jobs;
  for (const TextRun& run : layout.runs) {
    std::int64_t rows = 0, numbers = 0;
    for (const std::size_t i : run.tensors) {
      const Shape shape = in_runs[i]->shape;
      rows += shape.rows;
      numbers += std::int64_t{shape.rows} * shape.cols;
    }
    if (run.bits == 0) {
      jobs.push_back({.count = numbers});
      continue;
    }
    const int groups = group_count(run.cols);
    jobs.push_back({.planes = run.bits,
                    .tuple = range_tuple(run.bits),
                    .field = kByte,
                    .count = rows,
                    .groups = groups,
                    .stride = column_turns(groups, layout.columns) * layout.columns});
    jobs.push_back({.count = rows, .factor = in_runs[run.tensors.front()]->scale_factor()});
  }
  return jobs;
}

std::vector<scratch::Scalar> job_items(const std::vector<Job>& jobs) {
  std::vector<scratch::Scalar> items;
  for (const Job& job : jobs) {
    FieldRow<JobField> row;
    row.put(JobField::planes, job.planes);
    row.put(JobField::tuple, job.tuple);
    row.put(JobField::field, job.field);
    row.put(JobField::count, job.count);
    row.put(JobField::groups, job.groups);
    row.put(JobField::stride, job.stride);
    row.put(JobField::factor, job.factor);
    row.append_to(items);
  }
  return items;
}

// Lists of preloaded zeros, which are zeros no more.
std::vector<std::pair<List<Num>, std::size_t>> take_zeros(Sprite& engine) {
  std::vector<std::pair<List<Num>, std::size_t>> taken;
  for (scratch::List& list : engine.target().lists) {
    if (!list.items.empty() || list.zeros < kFewZeros) continue;
    taken.emplace_back(List<Num>(list.name), list.zeros);
    list.zeros = 0;
  }
  return taken;
}

class LoaderEmitter {
 public:
  LoaderEmitter(Sprite& engine, const Workspace& w, const Layout& layout, const ExpBlocks& exp,
                const LoaderParts& parts)
      : engine_(engine),
        w_(w),
        layout_(layout),
        exp_(exp),
        parts_(parts),
        zeros_(take_zeros(engine)),
        jobs_(make_jobs(layout)),
        job_list_(engine.list<Num>(names::kJobs, job_items(jobs_))),
        lists_{.text = engine.list<Str>(names::kText, {layout.text.begin(), layout.text.end()}),
               .codes = w.codes,
               .scales = w.scales,
               .spread = List<Num>("")},
        range_(emit_range(engine, lists_, "range")),
        loaded_(engine.var<Num>(names::kLoaded)),
        job_(var("job")),
        item_(var("item")),
        left_(var("left")),
        start_(var("start")),
        letters_(var("letters")) {}

  LoaderBlocks emit() {
    const auto empty = emit_empty();
    const auto fill = engine_.define<>("fill lists", {}, [&](Script& s) {
      for (const auto& zeros : zeros_) {
        s.repeat(static_cast<double>(zeros.second), [&](Script& s) { s.append(zeros.first, 0); });
      }
      if (parts_.tables) s.call(parts_.tables->fill);
    });
    const auto begin = emit_begin();
    const auto decode = emit_decode();
    std::size_t letters = 1;
    for (const std::string& text : layout_.text) letters += text.size();
    const auto load = engine_.define_yielding<>("load", {}, [&](Script& s) {
      s.set(parts_.stage.status, "loading");
      s.set(parts_.stage.progress, 0);
      s.call(empty);
      s.call(fill);
      s.set(job_, 1);
      s.set(item_, 0);
      s.set(letters_, 0);
      s.repeat(static_cast<double>(jobs_.size()), [&](Script& s) {
        s.change(item_, 2);
        s.call(begin);
        s.repeat_until(left_ < 1, [&](Script& s) {
          s.call(decode);
          s.set(parts_.stage.progress,
                round((letters_ + range_.letter) * (100.0 / static_cast<double>(letters))));
        });
        s.change(letters_, length(lists_.text[item_]));
        s.change(job_, kFieldCount<JobField>);
      });
      s.call(range_.forget);
      s.clear(w_.codes);
      s.set(loaded_, 1);
      s.set(parts_.stage.progress, 100);
    });
    const auto unload = engine_.define_yielding<>("unload", {}, [&](Script& s) {
      s.set(loaded_, 0);
      if (parts_.tables) s.call(parts_.tables->empty);
      s.call(empty);
      for (const List<Num>& list : parts_.empties) s.clear(list);
      s.set(parts_.stage.progress, 0);
      s.set(parts_.stage.status, "unloaded");
    });
    return {load, unload, loaded_};
  }

 private:
  Var<Num> var(const char* what) { return engine_.var<Num>(std::string("_load ") + what); }
  Expr<Num> field(JobField which) { return job_list_[job_ + static_cast<int>(which)]; }

  Proc<> emit_empty() {
    return engine_.define<>("empty lists", {}, [&](Script& s) {
      s.call(range_.forget);
      for (const List<Num>& column : w_.columns) s.clear(column);
      for (const auto& [list, count] : zeros_) s.clear(list);
      s.clear(w_.codes);
      const auto floats = static_cast<double>(layout_.floats.size());
      if (floats == 0) {
        s.clear(w_.scales);
      } else {
        s.repeat_until(w_.scales.length() == floats,
                       [&](Script& s) { s.erase(w_.scales, floats + 1); });
      }
    });
  }

  // The tables of the job's text, and a row that is filled up with the table's zeros.
  Proc<> emit_begin() {
    return engine_.define<>("begin decoding", {}, [&](Script& s) {
      s.call(range_.open, item_, field(JobField::tuple), field(JobField::field));
      s.call(range_.begin);
      s.set(left_, field(JobField::count));
      s.clear(w_.codes);
      s.repeat(field(JobField::planes) * field(JobField::stride),
               [&](Script& s) { s.append(w_.codes, 1); });
    });
  }

  // Rows or numbers, until the screen wants to be redrawn.
  Proc<> emit_decode() {
    const auto number = emit_number();
    const auto append =
        w_.columns.empty() ? std::nullopt : std::optional(emit_append_to_columns(engine_, w_));
    return engine_.define<>("decode text", {}, [&](Script& s) {
      s.set(start_, milliseconds());
      s.repeat_until(left_ < 1 || milliseconds() - start_ > kChunkMs, [&](Script& s) {
        if (append) {
          s.when_else(
              field(JobField::planes) == 0, [&](Script& s) { s.call(number); },
              [&](Script& s) {
                s.set(range_.to, 1);
                s.call(range_.row, field(JobField::groups), field(JobField::planes),
                       field(JobField::stride));
                s.call(*append, field(JobField::planes) * field(JobField::stride) /
                                    static_cast<double>(w_.columns.size()));
              });
        } else {
          s.call(number);
        }
        s.change(left_, -1);
      });
    });
  }

  // A binary16 number: sign, five bits of exponent, ten of mantissa.
  Proc<> emit_number() {
    const auto top = var("top"), exponent = var("exponent"), bits = var("bits");
    return engine_.define<>("decode number", {}, [&](Script& s) {
      s.set(range_.acc, 0);
      s.call(range_.next);
      s.set(bits, range_.acc * 256 + mod(range_.state, 256));
      s.set(range_.state, floor(range_.state / 256));
      s.call(range_.fill);
      s.set(top, floor(bits / 1024));
      s.set(exponent, mod(top, 32));
      s.set(bits, mod(bits, 1024));
      s.when_else(
          exponent == 0, [&](Script& s) { s.set(exponent, 1); },
          [&](Script& s) { s.change(bits, 1024); });
      s.when(top > 31, [&](Script& s) { s.set(bits, bits * -1); });
      s.append(w_.scales,
               bits * exp_.powers[exponent + (exp_.one_at - 25)] * field(JobField::factor));
    });
  }

  Sprite& engine_;
  const Workspace& w_;
  const Layout& layout_;
  const ExpBlocks& exp_;
  const LoaderParts& parts_;
  std::vector<std::pair<List<Num>, std::size_t>> zeros_;
  std::vector<Job> jobs_;
  List<Num> job_list_;
  DecodeLists lists_;
  RangeBlocks range_;
  Var<Num> loaded_, job_, item_, left_, start_, letters_;
};

}  // namespace

LoaderBlocks emit_column_loader(Sprite& engine, const Workspace& w, const Layout& layout,
                                const ExpBlocks& exp, const LoaderParts& parts) {
  return LoaderEmitter(engine, w, layout, exp, parts).emit();
}

}  // namespace sb3lm
