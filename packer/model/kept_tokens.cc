#include "model/kept_tokens.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <string>

#include "base/error.h"

namespace sb3lm {
namespace {

using Marks = std::vector<bool>;  // by id

constexpr std::size_t at(int id) {
  return static_cast<std::size_t>(id);
}

void mark(int id, Marks& marks) {
  if (id >= 0 && at(id) < marks.size()) marks[at(id)] = true;
}

/// What no text decides about: without these the model could not be talked to, or a text would have
/// letters that no token stands for.
Marks always_kept(const Model& model) {
  const Tokenizer& tokenizer = model.tokenizer;
  Marks marks(at(model.spec.vocabulary), false);
  for (std::size_t id = 0; id < tokenizer.tokens.size(); ++id) {
    const TokenType type = tokenizer.tokens[id].type;
    marks[id] = type == TokenType::special || type == TokenType::byte || type == TokenType::whole ||
                type == TokenType::unknown;
  }
  for (const int id : tokenizer.byte_token) mark(id, marks);
  const bool has_bytes = std::ranges::none_of(tokenizer.byte_token, [](int id) { return id < 0; });
  for (const auto& [letter, id] : tokenizer.alphabet) {
    if (!has_bytes) mark(id, marks);
  }
  for (const int id : {tokenizer.bos, tokenizer.unknown}) mark(id, marks);
  for (const int id : tokenizer.stop_ids) mark(id, marks);
  for (const int id : model.chat.stop_ids) mark(id, marks);
  for (const auto* parts : {&model.chat.first, &model.chat.next}) {
    for (const TemplatePart& part : *parts) {
      if (part.kind == TemplatePart::Kind::token) mark(part.token, marks);
      if (part.kind == TemplatePart::Kind::text) mark_needed(tokenizer, part.text, marks);
    }
  }
  return marks;
}

int count(const Marks& marks) {
  return static_cast<int>(std::ranges::count(marks, true));
}

/// Tokens by the rank of the first merge that makes them; those that nothing makes are not among
/// them.
std::vector<int> by_rank(const Tokenizer& tokenizer) {
  constexpr int kNever = std::numeric_limits<int>::max();
  std::vector<int> rank(tokenizer.tokens.size(), kNever);
  for (const Merge& merge : tokenizer.merges) {
    rank[at(merge.result)] = std::min(rank[at(merge.result)], merge.rank);
  }
  std::vector<int> ids(rank.size());
  std::iota(ids.begin(), ids.end(), 0);
  std::erase_if(ids, [&](int id) { return rank[at(id)] == kNever; });
  std::ranges::stable_sort(ids, {}, [&](int id) { return rank[at(id)]; });
  return ids;
}

/// Adds tokens, each with what it needs, until the next one would be too many.
void add_first(const Tokenizer& tokenizer, int most, Marks& marks) {
  for (const int id : by_rank(tokenizer)) {
    if (marks[at(id)]) continue;
    Marks more = marks;
    mark(id, more);
    mark_made(tokenizer, tokenizer.tokens[at(id)].text, more);
    if (count(more) > most) return;
    marks = std::move(more);
  }
}

/// New ids by old ones, -1 for tokens that go.
std::vector<int> new_ids(const std::vector<int>& ids, int vocabulary) {
  std::vector<int> by_old(at(vocabulary), -1);
  for (std::size_t i = 0; i < ids.size(); ++i) by_old[at(ids[i])] = static_cast<int>(i);
  return by_old;
}

void renumber(std::vector<int>& ids, const std::vector<int>& by_old) {
  std::vector<int> renumbered;
  for (const int id : ids) {
    if (by_old[at(id)] >= 0) renumbered.push_back(by_old[at(id)]);
  }
  ids = std::move(renumbered);
}

void renumber(int& id, const std::vector<int>& by_old) {
  if (id >= 0) id = by_old[at(id)];
}

void renumber(std::map<std::string, int>& ids, const std::vector<int>& by_old) {
  for (auto& [text, id] : ids) id = by_old[at(id)];
  std::erase_if(ids, [](const auto& entry) { return entry.second < 0; });
}

void renumber(std::vector<TemplatePart>& parts, const std::vector<int>& by_old) {
  for (TemplatePart& part : parts) renumber(part.token, by_old);
}

std::map<std::vector<int>, int> kept_joins(const std::map<std::vector<int>, int>& joins,
                                           const std::vector<int>& by_old) {
  std::map<std::vector<int>, int> kept;
  for (const auto& [parts, whole] : joins) {
    std::vector<int> renumbered = parts;
    renumber(renumbered, by_old);
    if (by_old[at(whole)] >= 0 && renumbered.size() == parts.size()) {
      kept[renumbered] = by_old[at(whole)];
    }
  }
  return kept;
}

void keep_in_tokenizer(Tokenizer& tokenizer, const std::vector<int>& ids,
                       const std::vector<int>& by_old) {
  std::vector<Token> tokens;
  for (const int id : ids) {
    if (at(id) < tokenizer.tokens.size()) tokens.push_back(std::move(tokenizer.tokens[at(id)]));
  }
  tokenizer.tokens = std::move(tokens);
  std::erase_if(tokenizer.merges, [&](Merge& merge) {
    for (int* id : {&merge.left, &merge.right, &merge.result}) renumber(*id, by_old);
    return merge.left < 0 || merge.right < 0 || merge.result < 0;
  });
  // Ids keep their order, so that the merges are still sorted.
  std::map<int, std::pair<int, int>> undone;
  for (const auto& [old, pair] : tokenizer.undone) {
    const int id = by_old[at(old)], left = by_old[at(pair.first)], right = by_old[at(pair.second)];
    if (id >= 0 && left >= 0 && right >= 0) undone[id] = {left, right};
  }
  tokenizer.undone = std::move(undone);
  std::map<int, WholeFlags> flags;
  for (const auto& [old, own] : tokenizer.whole_flags) {
    if (by_old[at(old)] >= 0) flags[by_old[at(old)]] = own;
  }
  tokenizer.whole_flags = std::move(flags);
  tokenizer.joined = kept_joins(tokenizer.joined, by_old);
  for (int& id : tokenizer.byte_token) renumber(id, by_old);
  for (int* id : {&tokenizer.bos, &tokenizer.unknown}) renumber(*id, by_old);
  for (auto* texts : {&tokenizer.alphabet, &tokenizer.whole}) renumber(*texts, by_old);
  renumber(tokenizer.stop_ids, by_old);
}

template <class T>
std::vector<T> rows_of(const std::vector<T>& all, std::size_t row_size,
                       const std::vector<int>& ids) {
  std::vector<T> rows;
  rows.reserve(ids.size() * row_size);
  for (const int id : ids) {
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(at(id) * row_size);
    rows.insert(rows.end(), first, first + static_cast<std::ptrdiff_t>(row_size));
  }
  return rows;
}

/// A token's part is a row, or a number of the only row.
void keep_in_tensor(Tensor& tensor, Shape shape, const std::vector<int>& ids) {
  const Shape old = shape_of(tensor);
  const std::size_t size = old.rows == shape.rows ? 1 : at(old.cols);
  if (auto* floats = std::get_if<FloatTensor>(&tensor)) {
    floats->values = rows_of(floats->values, size, ids);
    floats->shape = shape;
    return;
  }
  auto& coded = std::get<CodedTensor>(tensor);
  coded.codes = rows_of(coded.codes, size, ids);
  if (old.rows != shape.rows) coded.row_scale = rows_of(coded.row_scale, 1, ids);
  coded.shape = shape;
}

/// The file's shapes, as export writes them.
void keep_in_source(Model& model, const TensorKey& key, int count) {
  const auto name = model.names.find(key);
  if (name == model.names.end()) return;
  for (SourceTensor& source : model.source.tensors) {
    const bool is_it = source.name == name->second || source.name.starts_with(name->second + "__");
    if (!is_it) continue;
    for (std::int64_t& extent : source.shape) {
      if (extent == model.spec.vocabulary) extent = count;
    }
  }
}

}  // namespace

void mark_needed(const Tokenizer& tokenizer, std::string_view text, Marks& marks) {
  Marks made(marks.size(), false);
  for (const int id : encode(tokenizer, text, true)) mark(id, made);
  // What merges within a token is what merges in its text alone: nothing crossed its ends.
  const Marks ends = made;
  for (std::size_t id = 0; id < ends.size(); ++id) {
    const bool is_text = ends[id] && tokenizer.tokens[id].type != TokenType::special;
    if (is_text) mark_made(tokenizer, tokenizer.tokens[id].text, made);
  }
  // Unused tokens are made and taken apart again, which their parts do not show.
  for (bool more = true; more;) {
    more = false;
    for (const auto& [id, parts] : tokenizer.undone) {
      if (made[at(id)] || !made[at(parts.first)] || !made[at(parts.second)]) continue;
      more = true;
      mark(id, made);
      mark_made(tokenizer, tokenizer.tokens[at(id)].text, made);
    }
  }
  for (std::size_t id = 0; id < made.size(); ++id) {
    if (made[id]) marks[id] = true;
  }
}

std::vector<int> chosen_tokens(const Model& model, const TokenChoice& choice) {
  if (!choice.ids.empty()) return choice.ids;
  if (!model.tokenizer.present()) {
    fail(Fault::unsupported, "--keep-tokens: the model has no tokenizer that tells tokens apart");
  }
  Marks marks = always_kept(model);
  if (choice.text.empty()) {
    const int least = count(marks);
    if (choice.most < least) {
      fail(Fault::usage, "--keep-tokens {}: {} must stay (special tokens, bytes, the template's)",
           choice.most, least);
    }
    add_first(model.tokenizer, choice.most, marks);
  } else {
    mark_needed(model.tokenizer, choice.text, marks);
  }
  std::vector<int> ids;
  for (std::size_t id = 0; id < marks.size(); ++id) {
    if (marks[id]) ids.push_back(static_cast<int>(id));
  }
  return ids;
}

void keep_tokens(Model& model, const std::vector<int>& ids) {
  ModelSpec& spec = model.spec;
  if (!model.kept.all()) {
    fail(Fault::unsupported, "--keep-tokens: tokens were left out of this model before");
  }
  if (spec.bigram_buckets > 0) {
    fail(Fault::unsupported,
         "--keep-tokens: the model computes with ids (bigrams), which would change");
  }
  const bool in_order = std::ranges::adjacent_find(ids, std::ranges::greater_equal()) == ids.end();
  if (ids.empty() || !in_order || ids.front() < 0 || ids.back() >= spec.vocabulary) {
    fail(Fault::bad_input, "the kept tokens are not ids of a vocabulary of {}, in order",
         spec.vocabulary);
  }
  ModelSpec kept = spec;
  kept.vocabulary = static_cast<int>(ids.size());
  for (auto& [key, tensor] : model.tensors) {
    const Shape shape = *shape_of_role(key.role, kept, key.layer);
    if (shape == shape_of(tensor)) continue;
    keep_in_source(model, key, kept.vocabulary);
    keep_in_tensor(tensor, shape, ids);
  }
  const std::vector<int> by_old = new_ids(ids, spec.vocabulary);
  if (model.tokenizer.present()) keep_in_tokenizer(model.tokenizer, ids, by_old);
  renumber(model.chat.stop_ids, by_old);
  for (auto* parts : {&model.chat.first, &model.chat.next}) renumber(*parts, by_old);
  model.kept = {.of = spec.vocabulary, .ids = ids};
  spec.vocabulary = kept.vocabulary;
}

std::string kept_text(const Model& model) {
  const ModelSpec& spec = model.spec;
  ModelSpec whole = spec;
  whole.vocabulary = model.kept.of;
  return fmt::format("{} of {} tokens kept, {} of {} weights", spec.vocabulary, model.kept.of,
                     weight_count(spec), weight_count(whole));
}

}  // namespace sb3lm
