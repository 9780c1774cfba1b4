// Measures were taken from scratch-blocks: a command is 48 units high, every level of reporters
// inside it adds 8, a letter is about 9 wide, a comment's line 20 high.
#include "scratch/arrange.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace sb3lm::scratch {
namespace {

constexpr double kRow = 48, kLevel = 8, kFoot = 32, kHat = 72, kLetter = 9, kPadding = 24;
constexpr double kGap = 64, kColumnGap = 120;
constexpr double kCommentWidth = 360, kCommentHead = 64, kCommentLine = 20, kCommentLetters = 38;
constexpr int kDeepest = 40;  // levels that are measured

double text_width(std::string_view text) {
  return kLetter * static_cast<double>(text.size());
}

// The words of an opcode's text, without the places for inputs and fields.
double words_width(std::string_view form) {
  return kLetter * static_cast<double>(std::count_if(form.begin(), form.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || c == ' ';
         }));
}

// A reporter or the words of a command, without bodies.
struct Size {
  double width = 0;
  int levels = 0;
};

Size measure(const Node& node, int depth) {
  Size size{kPadding, 0};
  if (depth > kDeepest) return size;
  size.width += text_width(node.text);
  for (const std::string& field : node.fields) size.width += text_width(field) + kPadding;
  if (node.text.empty()) size.width += words_width(info(node.op).text);
  for (const NodePtr& input : node.inputs) {
    if (input == nullptr) continue;
    const Size inside = measure(*input, depth + 1);
    size.width += inside.width;
    size.levels = std::max(size.levels, inside.levels + 1);
  }
  return size;
}

Size measure(const Stack& stack, int depth, double& height) {
  Size size;
  for (const NodePtr& block : stack) {
    const Size row = measure(*block, 0);
    size.width = std::max(size.width, row.width);
    height += kRow + kLevel * std::max(row.levels - 1, 0);
    for (const Stack& body : block->bodies) {
      height += kFoot;
      if (depth > kDeepest) continue;
      size.width = std::max(size.width, 16 + measure(body, depth + 1, height).width);
    }
  }
  return size;
}

Box comment_box(const std::string& text) {
  if (text.empty()) return {};
  double lines = 1, letters = 0;
  for (const char c : text) {
    const bool full = c == '\n' || ++letters > kCommentLetters;
    lines += full ? 1 : 0;
    if (full) letters = 0;
  }
  return {0, 0, kCommentWidth, kCommentHead + kCommentLine * lines};
}

struct Item {
  Shelf shelf;
  Spot* spot;
};

// The spot at the origin: the comment rises above the script, to the right of its head.
Spot lie_at_origin(double head, const Stack& body, const std::string& comment) {
  Spot spot;
  spot.comment = comment_box(comment);
  spot.comment.x = comment.empty() ? 0 : head + kGap;
  spot.script.y = std::max(0.0, spot.comment.height - kRow);
  double height = kHat;
  const double width = std::max(head, measure(body, 0, height).width);
  spot.script.width = std::max(width, spot.comment.x + spot.comment.width);
  spot.script.height = height;
  return spot;
}

double head_width(const Procedure& procedure) {
  double width = 3 * kPadding + text_width(procedure.code);
  for (const Parameter& parameter : procedure.parameters) {
    width += kPadding + text_width(parameter.name);
  }
  return width;
}

void move(Spot& spot, double x, double y) {
  spot.script.x += x, spot.comment.x += x;
  spot.script.y += y, spot.comment.y += y;
}

}  // namespace

Arrangement arrange(const Target& target) {
  Arrangement all;
  for (const Procedure& procedure : target.procedures) {
    all.procedures.push_back(
        lie_at_origin(head_width(procedure), procedure.body, procedure.comment));
  }
  for (const Script& script : target.scripts) {
    const double head = script.hat ? kPadding + measure(*script.hat, 0).width : 0;
    all.scripts.push_back(lie_at_origin(head, script.body, script.comment));
  }
  std::vector<Item> items;
  for (std::size_t i = 0; i < all.scripts.size(); ++i) {
    items.push_back({target.scripts[i].shelf, &all.scripts[i]});
  }
  for (std::size_t i = 0; i < all.procedures.size(); ++i) {
    items.push_back({target.procedures[i].shelf, &all.procedures[i]});
  }
  std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
    return std::tie(a.shelf.column, a.shelf.rank) < std::tie(b.shelf.column, b.shelf.rank);
  });
  double top = 0;
  for (const std::string& note : target.notes) {
    Box box = comment_box(note);
    box.y = top;
    top += box.height + kGap;
    all.notes.push_back(box);
  }
  double x = 0, y = top, widest = all.notes.empty() ? 0 : kCommentWidth;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0 && items[i].shelf.column != items[i - 1].shelf.column) {
      x += widest + kColumnGap;
      y = 0, widest = 0;
    }
    Spot& spot = *items[i].spot;
    widest = std::max(widest, spot.script.width);
    const double height = spot.script.y + spot.script.height;
    move(spot, x, y);
    y += height + kGap;
  }
  return all;
}

}  // namespace sb3lm::scratch
