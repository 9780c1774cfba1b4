#include "lower/loader.h"

#include <algorithm>
#include <map>

#include "quant/encoding.h"
#include "quant/levels.h"

namespace sb3lm {

using namespace blocks;

namespace {

// Decoded list items per chunk: about a tenth of a second of vanilla Scratch.
constexpr std::int64_t kChunkItems = 20000;

// One decoding job, as a row of the job list.
struct Job {
  int kind = 0;  // index of the decoder
  std::int64_t item = 0, letter = 0, rows = 0, at = 0;
  double argument = 0;  // groups of codes, or the factor of halves
  std::int64_t letters_per_row = 0, items_per_row = 0;
  int smallest = 0;  // of halves
};
constexpr int kJobFields = 9;

struct Jobs {
  std::vector<Job> rows;
  std::map<std::pair<std::string, int>, int> kinds;  // (what, bits) to decoder; halves are 0
  std::int64_t total = 0;                            // list items to decode

  int kind(const std::string& what, int bits) {
    return kinds.try_emplace({what, bits}, static_cast<int>(kinds.size()) + 1).first->second;
  }
};

// Besides the encodings' names.
constexpr const char* kLevels = "levels";
constexpr const char* kRowScales = "row scales";

DecodeProc emit_decoder(Sprite& engine, const DecodeLists& lists, const std::string& what,
                        int bits) {
  if (what == kLevels) return emit_decode_levels(engine, lists, bits);
  if (what == kRowScales) return emit_scale_rows(engine, lists);
  return code_encoding(what).emit_decode(engine, lists, bits);
}

Job halves_job(const Layout& layout, const TensorPlace& place, std::int64_t letter,
               std::int64_t count, std::int64_t at, double factor) {
  return {.kind = 0,
          .item = layout.halves_item,
          .letter = letter,
          .rows = count,
          .at = at,
          .argument = factor,
          .letters_per_row = 1,
          .items_per_row = 1,
          .smallest = place.smallest};
}

void add_jobs(const Layout& layout, const TensorPlace& place, Jobs& jobs) {
  const int rows = place.shape.rows;
  if (place.is_coded()) {
    const int bits = place.format.bits, groups = place.groups(), cols = place.shape.cols;
    const bool numbers = place.storage == Storage::numbers;
    jobs.rows.push_back({.kind = jobs.kind(numbers ? kLevels : place.encoding, bits),
                         .item = place.text_item,
                         .letter = place.text_letter,
                         .rows = rows,
                         .at = place.codes_at,
                         .argument = static_cast<double>(numbers ? cols : groups),
                         .letters_per_row = code_encoding(place.encoding).row_letters(bits, groups),
                         .items_per_row = numbers ? cols : std::int64_t{groups} * bits});
    jobs.rows.push_back(
        halves_job(layout, place, place.scale_letter, rows, place.scales_at, place.scale_factor()));
    if (numbers) {
      jobs.rows.push_back({.kind = jobs.kind(kRowScales, 0),
                           .letter = place.scales_at,  // a list item: one per row
                           .rows = rows,
                           .at = place.codes_at,
                           .argument = static_cast<double>(cols),
                           .letters_per_row = 1,
                           .items_per_row = cols});
    }
  } else if (place.storage == Storage::halves) {
    const bool dense = place.stride == place.shape.cols;
    for (int row = 0; row < (dense ? 1 : rows); ++row) {
      const std::int64_t count = std::int64_t{dense ? rows : 1} * place.shape.cols;
      jobs.rows.push_back(halves_job(layout, place, place.text_letter + row * count, count,
                                     place.scales_at + std::int64_t{row} * place.stride, 1));
    }
  }
}

Jobs make_jobs(const Layout& layout) {
  Jobs jobs;
  for (const TensorPlace& place : layout.tensors) add_jobs(layout, place, jobs);
  for (const Job& job : jobs.rows) jobs.total += job.rows * job.items_per_row;
  return jobs;
}

std::vector<scratch::Scalar> job_items(const Jobs& jobs) {
  std::vector<scratch::Scalar> items;
  for (const Job& job : jobs.rows) {
    for (const double field :
         {static_cast<double>(job.kind), static_cast<double>(job.item),
          static_cast<double>(job.letter), static_cast<double>(job.rows),
          static_cast<double>(job.at), job.argument, static_cast<double>(job.letters_per_row),
          static_cast<double>(job.items_per_row), static_cast<double>(job.smallest)}) {
      items.emplace_back(field);
    }
  }
  return items;
}

std::vector<scratch::Scalar> text_items(const Layout& layout) {
  return {layout.text.begin(), layout.text.end()};
}

}  // namespace

LoaderBlocks emit_loader(Sprite& engine, const Workspace& w, const Layout& layout,
                         const StageNames& stage) {
  const Jobs jobs = make_jobs(layout);
  const auto loaded = engine.var<Num>("_loaded");
  const auto job_list = engine.list<Num>("_jobs", job_items(jobs));
  const DecodeLists lists{.text = engine.list<Str>("_text", text_items(layout)),
                          .codes = w.codes,
                          .scales = w.scales,
                          .spread = engine.list<Num>("_spread", spread_table())};
  const auto local = [&](const char* what) {
    return engine.var<Num>(std::string("_load ") + what);
  };
  const auto job = local("job"), letter_at = local("letter"), left = local("rows left"),
             at = local("at"), rows = local("rows"), chunk = local("chunk"), done = local("done");

  const HalvesProc decode_halves = emit_decode_halves(engine, lists);
  std::vector<std::pair<int, DecodeProc>> decoders;
  const std::size_t first_table = engine.target().lists.size();
  for (const auto& [kind, number] : jobs.kinds) {
    decoders.emplace_back(number, emit_decoder(engine, lists, kind.first, kind.second));
  }
  // What decoders fill for themselves.
  std::vector<List<Num>> tables;
  for (std::size_t i = first_table; i < engine.target().lists.size(); ++i) {
    const scratch::List& list = engine.target().lists[i];
    if (list.size() == 0) tables.emplace_back(list.name);
  }
  const auto field = [&](int k) { return job_list[job + k]; };
  const auto decode_chunk = engine.define<>("decode chunk", {}, [&](Script& s) {
    s.when(field(0) == 0, [&](Script& s) {
      s.call(decode_halves, field(1), letter_at, rows, at, field(5), field(8));
    });
    for (const auto& decoder : decoders) {
      s.when(field(0) == decoder.first,
             [&](Script& s) { s.call(decoder.second, field(1), letter_at, rows, at, field(5)); });
    }
  });
  const auto load = engine.define_yielding<>("load", {}, [&](Script& s) {
    s.set(stage.status, "loading");
    s.set(stage.progress, 0);
    s.set(done, 0);
    s.set(job, 1);
    s.repeat(static_cast<double>(jobs.rows.size()), [&](Script& s) {
      s.set(letter_at, field(2));
      s.set(left, field(3));
      s.set(at, field(4));
      s.set(chunk, floor(kChunkItems / field(7)) + 1);
      s.repeat_until(left < 1, [&](Script& s) {
        s.set(rows, chunk);
        s.when(left < chunk, [&](Script& s) { s.set(rows, left); });
        s.call(decode_chunk);
        s.change(letter_at, rows * field(6));
        s.change(at, rows * field(7));
        s.change(left, 0 - rows);
        s.change(done, rows * field(7));
        s.set(stage.progress,
              round(done * (100.0 / static_cast<double>(std::max<std::int64_t>(jobs.total, 1)))));
      });
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
    zero_list(s, w.codes, 1, layout.codes);
    zero_list(s, w.scales, static_cast<std::int64_t>(layout.floats.size()) + 1, layout.scales);
    zero_list(s, w.keys, 1, layout.cache);
    zero_list(s, w.values, 1, layout.cache);
    for (const List<Num>& table : tables) s.clear(table);
    s.set(stage.progress, 0);
    s.set(stage.status, "unloaded");
  });
  return {load, unload, loaded};
}

}  // namespace sb3lm
