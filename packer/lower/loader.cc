#include "lower/loader.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "model/project_names.h"
#include "quant/encoding.h"
#include "quant/levels.h"

namespace sb3lm {

using namespace blocks;

namespace {

// Decoded list items per chunk: about a tenth of a second of vanilla Scratch.
constexpr std::int64_t kChunkItems = 20000;

// One decoding job. Positions in text and list are the loader's to keep, because jobs of one kind
// follow each other: a job says only how much it skips, so that jobs of alike layers are alike.
struct Job {
  int kind = 0;  // which decoder and which text
  std::int64_t rows = 0;
  double argument = 0;  // groups of codes, or the factor of halves
  std::int64_t letters_per_row = 0, items_per_row = 0;
  int base = 0;                     // of halves
  std::int64_t letter = 0, at = 0;  // where it begins (see DecodeProc)
};
constexpr int kJobFields = 8;
// Letters that a decoder finds by itself (see DecodeProc).
constexpr int kGoOn = 0, kNextTensor = -1;

// A decoder and the text items that it reads.
struct Kind {
  std::string what;  // an encoding's name, or one of the following
  int bits = 0;
  std::int64_t item = 0;
  bool operator==(const Kind&) const = default;
};
constexpr const char* kHalves = "halves";
constexpr const char* kLevels = "levels";
constexpr const char* kRowScales = "row scales";

struct Jobs {
  std::vector<Job> rows;
  std::vector<Kind> kinds;
  std::int64_t total = 0;  // list items to decode

  int kind(const Kind& wanted) {
    const auto found = std::find(kinds.begin(), kinds.end(), wanted);
    if (found != kinds.end()) return static_cast<int>(found - kinds.begin());
    kinds.push_back(wanted);
    return static_cast<int>(kinds.size()) - 1;
  }
};

struct HalvesRun {
  std::int64_t item, letter, count, at;
  double factor;
  int base;
};

void add_halves(const HalvesRun& run, Jobs& jobs) {
  jobs.rows.push_back({.kind = jobs.kind({.what = kHalves, .item = run.item}),
                       .rows = run.count,
                       .argument = run.factor,
                       .letters_per_row = 1,
                       .items_per_row = 1,
                       .base = run.base,
                       .letter = run.letter,
                       .at = run.at});
}

void add_codes(const TensorPlace& place, Jobs& jobs) {
  const int rows = place.shape.rows, cols = place.shape.cols;
  const int bits = place.format.bits, groups = place.groups();
  const bool numbers = place.storage == Storage::numbers;
  const int row_letters = code_encoding(place.encoding).row_letters(bits, groups);
  jobs.rows.push_back(
      {.kind = jobs.kind({numbers ? kLevels : place.encoding, bits, place.text_item}),
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
  jobs.rows.push_back({.kind = jobs.kind({.what = kRowScales}),
                       .rows = rows,
                       .argument = static_cast<double>(cols),
                       .letters_per_row = 1,
                       .items_per_row = cols,
                       .letter = place.scales_at,  // a list item: one per row
                       .at = place.codes_at});
}

void add_jobs(const TensorPlace& place, Jobs& jobs) {
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

Jobs make_jobs(const Layout& layout) {
  Jobs jobs;
  for (const TensorPlace& place : layout.tensors) add_jobs(place, jobs);
  for (const Job& job : jobs.rows) jobs.total += job.rows * job.items_per_row;
  return jobs;
}

// What decodes the codes of each kind, numbered from 1; 0 is the decoder of halves.
struct Decoders {
  std::vector<std::pair<std::string, int>> kinds;  // what, bits
  std::vector<DecodeProc> procedures;

  std::size_t number(const Kind& kind) const {
    const auto found = std::find(kinds.begin(), kinds.end(), std::pair(kind.what, kind.bits));
    return found == kinds.end() ? 0 : static_cast<std::size_t>(found - kinds.begin()) + 1;
  }
};

DecodeProc emit_decoder(Sprite& engine, const DecodeLists& lists, const Kind& kind) {
  if (kind.what == kLevels) return emit_decode_levels(engine, lists, kind.bits);
  if (kind.what == kRowScales) return emit_scale_rows(engine, lists);
  return code_encoding(kind.what).emit_decode(engine, lists, kind.bits);
}

Decoders emit_decoders(Sprite& engine, const DecodeLists& lists, const Jobs& jobs) {
  Decoders decoders;
  for (const Kind& kind : jobs.kinds) {
    if (kind.what == kHalves || decoders.number(kind) > 0) continue;
    decoders.procedures.push_back(emit_decoder(engine, lists, kind));
    decoders.kinds.emplace_back(kind.what, kind.bits);
  }
  return decoders;
}

std::vector<scratch::Scalar> job_items(const Jobs& jobs) {
  std::vector<std::pair<std::int64_t, std::int64_t>> next(jobs.kinds.size(), {1, 1});
  std::vector<scratch::Scalar> items;
  for (const Job& job : jobs.rows) {
    auto& [letter, at] = next[static_cast<std::size_t>(job.kind)];
    for (const double field :
         {static_cast<double>(job.kind), static_cast<double>(job.rows), job.argument,
          static_cast<double>(job.letters_per_row), static_cast<double>(job.items_per_row),
          static_cast<double>(job.base), static_cast<double>(job.letter - letter),
          static_cast<double>(job.at - at)}) {
      items.emplace_back(field);
    }
    letter = job.letters_per_row > 0 ? job.letter + job.rows * job.letters_per_row : kGoOn;
    at = job.at + job.rows * job.items_per_row;
  }
  return items;
}

// For each kind its decoder, the text item, and the next letter and list item.
constexpr int kCursorFields = 4;
std::vector<scratch::Scalar> cursor_items(const Jobs& jobs, const Decoders& decoders) {
  std::vector<scratch::Scalar> items;
  for (const Kind& kind : jobs.kinds) {
    items.emplace_back(static_cast<double>(decoders.number(kind)));
    items.emplace_back(static_cast<double>(kind.item));
    items.insert(items.end(), {1.0, 1.0});
  }
  return items;
}

std::vector<scratch::Scalar> text_items(const Layout& layout) {
  return {layout.text.begin(), layout.text.end()};
}

}  // namespace

std::vector<double> loading_marks(const Layout& layout) {
  std::vector<double> marks;
  double done = 0;
  int layer = -1;  // neither the vocabulary nor what follows the layers has one
  for (const TensorPlace& place : layout.tensors) {
    if (place.key.layer != layer) marks.push_back(done);
    layer = place.key.layer;
    Jobs jobs;
    add_jobs(place, jobs);
    for (const Job& job : jobs.rows) done += static_cast<double>(job.rows * job.items_per_row);
  }
  for (double& mark : marks) mark = done > 0 ? std::floor(1000 * mark / done) / 10 : 0;
  return marks;
}

LoaderBlocks emit_loader(Sprite& engine, const Workspace& w, const Layout& layout,
                         const LoaderParts& parts) {
  const StageNames& stage = parts.stage;
  const Jobs jobs = make_jobs(layout);
  const auto loaded = engine.var<Num>(names::kLoaded);
  const auto job_list = engine.list<Num>(names::kJobs, job_items(jobs));
  const DecodeLists lists{.text = engine.list<Str>(names::kText, text_items(layout)),
                          .codes = w.codes,
                          .scales = w.scales,
                          .spread = engine.list<Num>("_spread", spread_table())};
  const auto local = [&](const char* what) {
    return engine.var<Num>(std::string("_load ") + what);
  };
  const auto job = local("job"), cursor = local("cursor"), letter_at = local("letter"),
             left = local("rows left"), at = local("at"), rows = local("rows"),
             chunk = local("chunk"), done = local("done");

  const HalvesProc decode_halves = emit_decode_halves(engine, lists);
  const std::size_t first_table = engine.target().lists.size();
  const Decoders decoders = emit_decoders(engine, lists, jobs);
  // What decoders fill for themselves.
  std::vector<List<Num>> tables;
  for (std::size_t i = first_table; i < engine.target().lists.size(); ++i) {
    const scratch::List& list = engine.target().lists[i];
    if (list.size() == 0) tables.emplace_back(list.name);
  }
  const auto cursors = engine.list<Num>("_cursors", cursor_items(jobs, decoders));
  const auto field = [&](int k) { return job_list[job + k]; };
  const auto decode_chunk = engine.define<>("decode chunk", {}, [&](Script& s) {
    s.when(cursors[cursor + 0] == 0, [&](Script& s) {
      s.call(decode_halves, cursors[cursor + 1], letter_at, rows, at, field(2), field(5));
    });
    for (std::size_t i = 0; i < decoders.procedures.size(); ++i) {
      s.when(cursors[cursor + 0] == static_cast<double>(i + 1), [&](Script& s) {
        s.call(decoders.procedures[i], cursors[cursor + 1], letter_at, rows, at, field(2));
      });
    }
  });
  const auto load = engine.define_yielding<>("load", {}, [&](Script& s) {
    s.set(stage.status, "loading");
    s.set(stage.progress, 0);
    s.set(done, 0);
    if (parts.tables) s.call(parts.tables->fill);
    s.set(cursor, 1);
    s.repeat(static_cast<double>(jobs.kinds.size()), [&](Script& s) {
      s.replace(cursors, cursor + 2, 1);
      s.replace(cursors, cursor + 3, 1);
      s.change(cursor, kCursorFields);
    });
    s.set(job, 1);
    s.repeat(static_cast<double>(jobs.rows.size()), [&](Script& s) {
      s.set(cursor, field(0) * kCursorFields + 1);
      s.set(letter_at, cursors[cursor + 2] + field(6));
      s.set(at, cursors[cursor + 3] + field(7));
      s.set(left, field(1) + 0);
      s.set(chunk, floor(kChunkItems / field(4)) + 1);
      s.repeat_until(left < 1, [&](Script& s) {
        s.set(rows, chunk);
        s.when(left < chunk, [&](Script& s) { s.set(rows, left); });
        s.call(decode_chunk);
        s.when_else(
            field(3) == 0, [&](Script& s) { s.set(letter_at, kGoOn); },
            [&](Script& s) { s.change(letter_at, rows * field(3)); });
        s.change(at, rows * field(4));
        s.change(left, 0 - rows);
        s.change(done, rows * field(4));
        s.set(stage.progress,
              round(done * (100.0 / static_cast<double>(std::max<std::int64_t>(jobs.total, 1)))));
      });
      s.replace(cursors, cursor + 2, letter_at + 0);
      s.replace(cursors, cursor + 3, at + 0);
      s.change(job, kJobFields);
    });
    s.set(loaded, 1);
    s.set(stage.progress, 100);
  });

  // Zeros `count` items of one list in chunks.
  const auto zero_list = [&](Script& s, const List<Num>& list, std::int64_t first,
                             std::int64_t count) {
    if (count == 0) return;
    const auto zero = engine.define<Num, Num>("zero " + list.name.substr(1), {"at", "count"},
                                              [&](Script& s, Arg<Num> from, Arg<Num> how_many) {
                                                s.set(rows, from + 0);
                                                s.repeat(how_many, [&](Script& s) {
                                                  s.replace(list, rows + 0, 0);
                                                  s.change(rows, 1);
                                                });
                                              });
    s.set(at, static_cast<double>(first));
    s.set(left, static_cast<double>(count));
    s.repeat_until(left < 1, [&](Script& s) {
      s.set(chunk, 4 * kChunkItems);
      s.when(left < chunk, [&](Script& s) { s.set(chunk, left); });
      s.call(zero, at, chunk);
      s.change(at, chunk);
      s.change(left, 0 - chunk);
    });
  };
  const auto unload = engine.define_yielding<>("unload", {}, [&](Script& s) {
    s.set(stage.status, "unloading");
    s.set(loaded, 0);
    if (parts.tables) s.call(parts.tables->empty);
    zero_list(s, w.codes, 1, layout.codes);
    zero_list(s, w.scales, static_cast<std::int64_t>(layout.floats.size()) + 1, layout.scales);
    zero_list(s, w.keys, 1, layout.cache);
    zero_list(s, w.values, 1, layout.cache);
    for (const auto& [list, count] : parts.zeros) zero_list(s, list, 1, count);
    for (const List<Num>& list : parts.empties) s.clear(list);
    for (const List<Num>& table : tables) s.clear(table);
    s.set(stage.progress, 0);
    s.set(stage.status, "unloaded");
  });
  return {load, unload, loaded};
}

}  // namespace sb3lm
