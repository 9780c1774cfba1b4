#include "sb3/ids.h"

#include <algorithm>
#include <numeric>
#include <string_view>

#include "base/error.h"

namespace sb3lm {
namespace {

// The first letter is never a digit. Scratch's own ids use the same characters and more.
constexpr std::string_view kFirst =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_!#%()*+,-./:;=?@[]^`{|}~";
constexpr std::string_view kRest =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_!#%()*+,-./:;=?@[]^`{|}~0123456789";

std::string spell(std::size_t index) {
  std::size_t length = 1;
  for (std::size_t count = kFirst.size(); index >= count; count *= kRest.size()) {
    index -= count;
    ++length;
  }
  std::string id(length, ' ');
  for (std::size_t at = length - 1; at > 0; --at) {
    id[at] = kRest[index % kRest.size()];
    index /= kRest.size();
  }
  id[0] = kFirst[index];
  return id;
}

// "of" as a variable's id is not told from the field of a "(...) of (...)" block by some tools.
std::size_t reserved_index() {
  return kFirst.size() + kFirst.find('o') * kRest.size() + kRest.find('f');
}

}  // namespace

std::string nth_id(std::size_t index) {
  return spell(index < reserved_index() ? index : index + 1);
}

const std::string& IdTable::use(Handle handle) {
  static const std::string none;
  if (assigned_) {
    check(handle < ids_.size(), "an id is used that was not counted");
    return ids_[handle];
  }
  if (handle >= uses_.size()) uses_.resize(handle + 1);
  ++uses_[handle];
  return none;
}

void IdTable::assign() {
  std::vector<Handle> order(uses_.size());
  std::iota(order.begin(), order.end(), Handle{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](Handle a, Handle b) { return uses_[a] > uses_[b]; });
  ids_.resize(uses_.size());
  for (std::size_t rank = 0; rank < order.size(); ++rank) ids_[order[rank]] = nth_id(rank);
  assigned_ = true;
}

}  // namespace sb3lm
