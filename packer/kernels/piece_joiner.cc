#include "kernels/piece_joiner.h"

#include <map>
#include <utility>

#include "model/rule_names.h"

namespace sb3lm {

using namespace blocks;

JoinedTables joined_tables(const Tokenizer& tokenizer) {
  JoinedTables tables;
  const auto add = [](std::vector<scratch::Scalar>& list, std::size_t value) {
    list.emplace_back(static_cast<double>(value));
  };
  int start = -1;
  for (const auto& [ids, token] : tokenizer.joined) {  // ascending
    if (ids.front() != start) {
      if (start >= 0) add(tables.parts, 0);
      start = ids.front();
      tables.starts.emplace_back(static_cast<double>(start));
      add(tables.places, tables.parts.size() + 1);
    }
    add(tables.parts, ids.size());
    for (std::size_t k = 1; k < ids.size(); ++k)
      tables.parts.emplace_back(static_cast<double>(ids[k]));
    tables.parts.emplace_back(static_cast<double>(token));
  }
  if (start >= 0) add(tables.parts, 0);
  return tables;
}

Proc<Num> emit_piece_joiner(Sprite& engine, const Tokenizer& tokenizer, const List<Num>& ids) {
  JoinedTables tables = joined_tables(tokenizer);
  const auto starts = engine.list<Num>(names::kJoinedStarts, std::move(tables.starts));
  const auto places = engine.list<Num>(names::kJoinedPlaces, std::move(tables.places));
  const auto parts = engine.list<Num>(names::kJoinedParts, std::move(tables.parts));
  const auto place = engine.var<Num>("_join place"), k = engine.var<Num>("_join at"),
             size = engine.var<Num>("_join size");
  const auto replace = [&](Script& s, const Arg<Num>& before) {
    s.repeat(size, [&](Script& s) { s.erase(ids, before + 1); });
    s.append(ids, parts[place + size]);
    s.set(size, 0);
  };
  return engine.define<Num>("_merge to token", {"before"}, [&](Script& s, Arg<Num> before) {
    s.set(size, ids.length() - before);
    s.set(place, starts.index_of(ids[before + 1]));
    s.when(size > 0 && place > 0, [&](Script& s) {
      s.set(place, places[place + 0] + 0);
      s.repeat_until(parts[place + 0] == 0 || size == 0, [&](Script& s) {
        s.set(k, 1);
        s.when(parts[place + 0] == size, [&](Script& s) {
          s.repeat_until(!(k < size) || !(parts[place + k] == ids[before + k + 1]),
                         [&](Script& s) { s.change(k, 1); });
        });
        s.when_else(
            parts[place + 0] == size && k == size, [&](Script& s) { replace(s, before); },
            [&](Script& s) { s.change(place, parts[place + 0] + 1); });
      });
    });
  });
}

}  // namespace sb3lm
