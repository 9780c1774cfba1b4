#include "lower/loader.h"

#include <algorithm>

#include "lower/field_row.h"
#include "lower/loading_jobs.h"
#include "model/project_names.h"
#include "quant/encoding.h"
#include "quant/levels.h"

namespace sb3lm {

using namespace blocks;

namespace {

// Decoded list items per chunk: about a tenth of a second of vanilla Scratch.
constexpr std::int64_t kChunkItems = 20000;
// One more than scratch-vm adds to a list.
constexpr int kMoreThanVanilla = 200'001;

// What decodes the codes of each kind, numbered from 1; 0 is the decoder of halves.
struct Decoders {
  std::vector<std::pair<std::string, int>> kinds;  // what, bits
  std::vector<DecodeProc> procedures;

  std::size_t number(const DecodeKind& kind) const {
    const auto found = std::find(kinds.begin(), kinds.end(), std::pair(kind.what, kind.bits));
    return found == kinds.end() ? 0 : static_cast<std::size_t>(found - kinds.begin()) + 1;
  }
};

DecodeProc emit_decoder(Sprite& engine, const DecodeLists& lists, const DecodeKind& kind) {
  if (kind.what == DecodeKind::kLevels) return emit_decode_levels(engine, lists, kind.bits);
  if (kind.what == DecodeKind::kRowScales) return emit_scale_rows(engine, lists);
  return code_encoding(kind.what).emit_decode(engine, lists, kind.bits);
}

Decoders emit_decoders(Sprite& engine, const DecodeLists& lists, const DecodeJobs& jobs) {
  Decoders decoders;
  for (const DecodeKind& kind : jobs.kinds) {
    if (kind.what == DecodeKind::kHalves || decoders.number(kind) > 0) continue;
    decoders.procedures.push_back(emit_decoder(engine, lists, kind));
    decoders.kinds.emplace_back(kind.what, kind.bits);
  }
  return decoders;
}

// Where each kind stands: an item for its decoder's number, its text item, the next letter and the
// next list item.
enum class CursorField { decoder, text_item, letter, at, end };

std::vector<scratch::Scalar> cursor_items(const DecodeJobs& jobs, const Decoders& decoders) {
  std::vector<scratch::Scalar> items;
  for (const DecodeKind& kind : jobs.kinds) {
    FieldRow<CursorField> row;
    row.put(CursorField::decoder, decoders.number(kind));
    row.put(CursorField::text_item, kind.item);
    row.put(CursorField::letter, 1);
    row.put(CursorField::at, 1);
    row.append_to(items);
  }
  return items;
}

// What decoders fill for themselves: the empty lists from `first` on.
std::vector<List<Num>> empty_lists(Sprite& engine, std::size_t first) {
  std::vector<List<Num>> found;
  const auto& lists = engine.target().lists;
  for (std::size_t i = first; i < lists.size(); ++i) {
    if (lists[i].size() == 0) found.emplace_back(lists[i].name);
  }
  return found;
}

std::vector<scratch::Scalar> text_items(const Layout& layout) {
  return {layout.text.begin(), layout.text.end()};
}

class LoaderEmitter {
 public:
  LoaderEmitter(Sprite& engine, const Workspace& w, const Layout& layout, const LoaderParts& parts)
      : engine_(engine), w_(w), layout_(layout), parts_(parts) {}

  LoaderBlocks emit() {
    if (layout_.in_lists()) keep_ = emit_keep();
    const auto decode_chunk = emit_decode_chunk();
    const auto load = emit_load(decode_chunk);
    return {load, emit_unload(), loaded_};
  }

 private:
  Var<Num> local(const char* what) { return engine_.var<Num>(std::string("_load ") + what); }
  Expr<Num> field(JobField which) const { return job_list_[job_ + static_cast<int>(which)]; }
  Expr<Num> place(CursorField which) const { return cursor_ + static_cast<int>(which); }
  Expr<Num> cursor(CursorField which) const { return cursors_[place(which)]; }

  // Decodes `rows` rows of the job.
  Proc<> emit_decode_chunk() {
    return engine_.define<>("decode chunk", {}, [&](Script& s) {
      s.when(cursor(CursorField::decoder) == 0, [&](Script& s) {
        s.call(decode_halves_, cursor(CursorField::text_item), letter_, rows_, at_,
               field(JobField::argument), field(JobField::base));
      });
      for (std::size_t i = 0; i < decoders_.procedures.size(); ++i) {
        s.when(cursor(CursorField::decoder) == static_cast<double>(i + 1), [&](Script& s) {
          s.call(decoders_.procedures[i], cursor(CursorField::text_item), letter_, rows_,
                 layout_.in_lists() ? Expr<Num>(1) : Expr<Num>(at_), field(JobField::argument));
        });
      }
      if (layout_.in_lists()) keep_chunk(s);
    });
  }

  // Adds what was decoded to one of several lists. They are too long to lie in the file as zeros.
  std::vector<Proc<Num>> emit_keep() {
    std::vector<Proc<Num>> procedures;
    const auto item = local("kept");
    for (const List<Num>& list : code_lists_) {
      const std::string name = fmt::format("keep codes {}", procedures.size() + 1);
      procedures.push_back(engine_.define<Num>(name, {"count"}, [&](Script& s, Arg<Num> count) {
        s.set(item, 1);
        s.repeat(count, [&](Script& s) {
          s.append(list, lists_.codes[item + 0] + 0);
          s.change(item, 1);
        });
      }));
    }
    return procedures;
  }

  void keep_chunk(Script& s) {
    for (std::size_t i = 0; i < keep_.size(); ++i) {
      const auto before = static_cast<double>(static_cast<std::int64_t>(i) * layout_.codes_apart);
      const auto behind = before + static_cast<double>(layout_.codes_apart) + 1;
      s.when(cursor(CursorField::decoder) > 0 && at_ > before && at_ < behind,
             [&](Script& s) { s.call(keep_[i], rows_ * field(JobField::items_per_row)); });
    }
  }

  // A player that adds no more than 200,000 items can go no further.
  void empty_lists_of_codes(Script& s) {
    const List<Num>& first = code_lists_.front();
    const auto try_list = engine_.define<>("try long list", {}, [&](Script& s) {
      s.clear(first);
      s.repeat(kMoreThanVanilla, [&](Script& s) { s.append(first, 0); });
    });
    s.call(try_list);
    s.when(first.length() < kMoreThanVanilla, [&](Script& s) {
      s.set(parts_.stage.status, "error: this model needs TurboWarp");
      s.forever([&](Script& s) { s.wait(1); });
    });
    for (const List<Num>& list : code_lists_) s.clear(list);
  }

  Proc<> emit_load(const Proc<>& decode_chunk) {
    return engine_.define_yielding<>("load", {}, [&](Script& s) {
      s.set(parts_.stage.status, "loading");
      s.set(parts_.stage.progress, 0);
      s.set(done_, 0);
      if (parts_.tables) s.call(parts_.tables->fill);
      if (layout_.in_lists()) empty_lists_of_codes(s);
      rewind_cursors(s);
      s.set(job_, 1);
      s.repeat(static_cast<double>(jobs_.rows.size()), [&](Script& s) {
        begin_job(s);
        s.repeat_until(left_ < 1, [&](Script& s) { work_on_job(s, decode_chunk); });
        s.replace(cursors_, place(CursorField::letter), letter_ + 0);
        s.replace(cursors_, place(CursorField::at), at_ + 0);
        s.change(job_, kFieldCount<JobField>);
      });
      s.set(loaded_, 1);
      s.set(parts_.stage.progress, 100);
    });
  }

  void rewind_cursors(Script& s) const {
    s.set(cursor_, 1);
    s.repeat(static_cast<double>(jobs_.kinds.size()), [&](Script& s) {
      s.replace(cursors_, place(CursorField::letter), 1);
      s.replace(cursors_, place(CursorField::at), 1);
      s.change(cursor_, kFieldCount<CursorField>);
    });
  }

  void begin_job(Script& s) const {
    s.set(cursor_, field(JobField::kind) * kFieldCount<CursorField> + 1);
    s.set(letter_, cursor(CursorField::letter) + field(JobField::skipped_letters));
    s.set(at_, cursor(CursorField::at) + field(JobField::skipped_items));
    s.set(left_, field(JobField::rows) + 0);
    s.set(chunk_, floor(kChunkItems / field(JobField::items_per_row)) + 1);
  }

  void work_on_job(Script& s, const Proc<>& decode_chunk) const {
    s.set(rows_, chunk_);
    s.when(left_ < chunk_, [&](Script& s) { s.set(rows_, left_); });
    s.call(decode_chunk);
    s.when_else(
        field(JobField::letters_per_row) == 0, [&](Script& s) { s.set(letter_, kGoOn); },
        [&](Script& s) { s.change(letter_, rows_ * field(JobField::letters_per_row)); });
    s.change(at_, rows_ * field(JobField::items_per_row));
    s.change(left_, 0 - rows_);
    s.change(done_, rows_ * field(JobField::items_per_row));
    s.set(parts_.stage.progress,
          round(done_ * (100.0 / static_cast<double>(std::max<std::int64_t>(jobs_.total, 1)))));
  }

  Proc<> emit_unload() {
    return engine_.define_yielding<>("unload", {}, [&](Script& s) {
      s.set(parts_.stage.status, "unloading");
      s.set(loaded_, 0);
      if (parts_.tables) s.call(parts_.tables->empty);
      if (layout_.in_lists()) {
        for (const List<Num>& list : code_lists_) s.clear(list);
        zero_list(s, lists_.codes, 1, chunk_size());
      } else {
        zero_list(s, w_.codes, 1, layout_.codes);
      }
      zero_list(s, w_.scales, static_cast<std::int64_t>(layout_.floats.size()) + 1, layout_.scales);
      zero_list(s, w_.keys, 1, layout_.cache);
      zero_list(s, w_.values, 1, layout_.cache);
      for (const auto& [list, count] : parts_.zeros) zero_list(s, list, 1, count);
      for (const List<Num>& list : parts_.empties) s.clear(list);
      for (const List<Num>& table : tables_) s.clear(table);
      s.set(parts_.stage.progress, 0);
      s.set(parts_.stage.status, "unloaded");
    });
  }

  // Zeros `count` items of one list in chunks.
  void zero_list(Script& s, const List<Num>& list, std::int64_t first, std::int64_t count) {
    if (count == 0) return;
    const auto zero = engine_.define<Num, Num>("zero " + list.name.substr(1), {"at", "count"},
                                               [&](Script& s, Arg<Num> from, Arg<Num> how_many) {
                                                 s.set(rows_, from + 0);
                                                 s.repeat(how_many, [&](Script& s) {
                                                   s.replace(list, rows_ + 0, 0);
                                                   s.change(rows_, 1);
                                                 });
                                               });
    s.set(at_, static_cast<double>(first));
    s.set(left_, static_cast<double>(count));
    s.repeat_until(left_ < 1, [&](Script& s) {
      s.set(chunk_, 4 * kChunkItems);
      s.when(left_ < chunk_, [&](Script& s) { s.set(chunk_, left_); });
      s.call(zero, at_, chunk_);
      s.change(at_, chunk_);
      s.change(left_, 0 - chunk_);
    });
  }

  // The longest chunk of any job.
  std::int64_t chunk_size() const {
    std::int64_t longest = 0;
    for (const DecodeJob& job : jobs_.rows) longest = std::max(longest, job.items_per_row);
    return kChunkItems + longest;
  }

  List<Num> decoded_codes() {
    if (!layout_.in_lists()) return w_.codes;
    return engine_.list<Num>("_chunk", {}, static_cast<std::size_t>(chunk_size()));
  }

  Sprite& engine_;
  const Workspace& w_;
  const Layout& layout_;
  const LoaderParts& parts_;
  const DecodeJobs jobs_ = decode_jobs(layout_);
  const std::vector<List<Num>> code_lists_ = layout_.code_lists();
  const Var<Num> loaded_ = engine_.var<Num>(names::kLoaded);
  const List<Num> job_list_ = engine_.list<Num>(names::kJobs, job_items(jobs_));
  const DecodeLists lists_{.text = engine_.list<Str>(names::kText, text_items(layout_)),
                           .codes = decoded_codes(),
                           .scales = w_.scales,
                           .spread = engine_.list<Num>("_spread", spread_table())};
  const Var<Num> job_ = local("job"), cursor_ = local("cursor"), letter_ = local("letter"),
                 left_ = local("rows left"), at_ = local("at"), rows_ = local("rows"),
                 chunk_ = local("chunk"), done_ = local("done");
  const HalvesProc decode_halves_ = emit_decode_halves(engine_, lists_);
  const std::size_t first_table_ = engine_.target().lists.size();
  const Decoders decoders_ = emit_decoders(engine_, lists_, jobs_);
  const std::vector<List<Num>> tables_ = empty_lists(engine_, first_table_);
  std::vector<Proc<Num>> keep_;  // by list
  const List<Num> cursors_ = engine_.list<Num>("_cursors", cursor_items(jobs_, decoders_));
};

}  // namespace

LoaderBlocks emit_loader(Sprite& engine, const Workspace& w, const Layout& layout,
                         const LoaderParts& parts) {
  return LoaderEmitter(engine, w, layout, parts).emit();
}

}  // namespace sb3lm
