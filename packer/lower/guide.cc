#include "lower/guide.h"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <vector>

namespace sb3lm {
namespace {

// Columns from left to right: what people look for first, then what needs much room.
enum Part {
  scripts,
  requests,
  model,
  reading,
  writing,
  choosing,
  loading,
  maths,
  attention,
  matrices,
  others,
};

struct Row {
  Part part;
  std::string_view name, comment;
};

constexpr Row kRows[] = {
#define GUIDE(part, name, comment) {part, name, comment},
#include "lower/guide.def"
#undef GUIDE
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool matches(std::string_view pattern, std::string_view name) {
  std::size_t at = 0;
  for (const char c : pattern) {
    if (c == '*') return true;
    if (c == '#') {
      if (at == name.size() || !is_digit(name[at])) return false;
      while (at < name.size() && is_digit(name[at])) ++at;
    } else if (at == name.size() || name[at++] != c) {
      return false;
    }
  }
  return at == name.size();
}

const Row* find_row(std::string_view name) {
  for (const Row& row : kRows) {
    if (matches(row.name, name)) return &row;
  }
  return nullptr;
}

// A procedure's words: its code up to the first place for an argument.
std::string_view words_of(const scratch::Procedure& procedure) {
  const std::string_view code = procedure.code;
  return code.substr(0, code.find(" %"));
}

std::string name_of(const scratch::Script& script) {
  if (script.hat == nullptr) return "[";
  return "[" + (script.hat->fields.empty() ? "flag" : script.hat->fields[0]) + "]";
}

std::string settings_of(const Model& model, const Notes& notes) {
  return fmt::format(
      "Remembers {} tokens. Recommended: temperature {:g}, top k {}, top p {:g}, repetition "
      "penalty "
      "{:g}.",
      notes.context, model.temperature, model.top_k, model.top_p, model.repetition_penalty);
}

// Names and licences come from files and may be of any length.
std::string shortened(const std::string& text) {
  constexpr std::size_t kBytes = 400;
  if (text.size() <= kBytes) return text;
  std::size_t end = kBytes;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string notes_text(const Model& model, const Notes& notes) {
  const std::string& family = model.spec.family;
  std::string text = "NOTES\n" + shortened(notes.title) + (notes.title.empty() ? "" : ": ") +
                     (family.empty() ? "a language model" : shortened(family)) + " of " +
                     notes.parameters + ".\n";
  text +=
      "Licence of the model: " + (model.licence.empty() ? "not stated" : shortened(model.licence)) +
      ".\n";
  text += settings_of(model, notes) +
          "\nIt guesses what sounds right. Its answers may be wrong.\nMade with sb3lm" +
          (notes.version.empty() ? "" : " " + notes.version) +
          ", which turns language models into blocks.";
  return text;
}

}  // namespace

void add_guide(scratch::Target& engine, const Model& model, const Notes& notes) {
  std::array<bool, std::size(kRows)> said = {};
  const auto place = [&](std::string_view name, scratch::Shelf& shelf, std::string& comment) {
    const Row* row = find_row(name);
    if (row == nullptr) {
      shelf = {others, 0};
      return;
    }
    const auto rank = static_cast<std::size_t>(row - kRows);
    shelf = {row->part, static_cast<int>(rank)};
    if (!said[rank]) comment = row->comment;
    said[rank] = true;
  };
  for (scratch::Script& script : engine.scripts) {
    place(name_of(script), script.shelf, script.comment);
  }
  for (scratch::Procedure& procedure : engine.procedures) {
    place(words_of(procedure), procedure.shelf, procedure.comment);
  }
  engine.notes.push_back(notes_text(model, notes));
}

std::string_view guide_row(const scratch::Procedure& procedure) {
  const Row* row = find_row(words_of(procedure));
  return row == nullptr ? "" : row->name;
}

std::string_view guide_row(const scratch::Script& script) {
  const Row* row = find_row(name_of(script));
  return row == nullptr ? "" : row->name;
}

}  // namespace sb3lm
