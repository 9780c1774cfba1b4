#include "sb3/ids.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"

namespace sb3lm {
namespace {

// The first letter is never a digit. Scratch's own ids use the same characters and more.
constexpr std::string_view kFirst =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_!#%()*+,-./:;=?@[]^`{|}~";
constexpr std::string_view kRest =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_!#%()*+,-./:;=?@[]^`{|}~0123456789";

// Deflate pays for a letter by how many are about as common, whether it could be foreseen or not:
// few letters make the step from one id to the next cheap, and an id out of order no dearer.
constexpr std::size_t kNeighbourLetters = 6;

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

std::vector<std::string> neighbour_ids(std::size_t count, std::size_t others) {
  // One letter more than the last of the other ids, or than `count` needs.
  std::size_t length = nth_id(others).size() + 1, capacity = 1;
  for (std::size_t letter = 0; letter < length || capacity < count; ++letter) {
    capacity *= kNeighbourLetters;
    length = std::max(length, letter + 1);
  }
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < count; ++i) {
    std::string id;
    for (std::size_t rest = i; id.size() < length; rest /= kNeighbourLetters) {
      // Its digit less the next one: one letter alone differs between neighbours.
      const std::size_t digit = rest % kNeighbourLetters,
                        next = rest / kNeighbourLetters % kNeighbourLetters;
      id += kFirst[(digit + kNeighbourLetters - next) % kNeighbourLetters];
    }
    ids.push_back(std::move(id));
  }
  return ids;
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

void IdTable::assign(const std::vector<Handle>& ordered, const std::set<std::string>& taken,
                     const std::map<Handle, std::string>& fixed) {
  ids_.resize(uses_.size());
  std::vector<bool> is_done(uses_.size(), false);
  for (const Handle handle : ordered) is_done.at(handle) = true;
  for (const auto& [handle, id] : fixed) {
    is_done.at(handle) = true;
    ids_[handle] = id;
  }
  std::vector<Handle> by_uses;
  for (Handle handle = 0; handle < uses_.size(); ++handle) {
    if (!is_done[handle]) by_uses.push_back(handle);
  }
  std::stable_sort(by_uses.begin(), by_uses.end(),
                   [&](Handle a, Handle b) { return uses_[a] > uses_[b]; });
  std::size_t next = 0;
  for (const Handle handle : by_uses) {
    do {
      ids_[handle] = nth_id(next++);
    } while (taken.contains(ids_[handle]));
  }
  std::vector<std::string> neighbours = neighbour_ids(ordered.size() + taken.size(), next);
  std::erase_if(neighbours, [&](const std::string& id) { return taken.contains(id); });
  for (std::size_t i = 0; i < ordered.size(); ++i) ids_[ordered[i]] = neighbours[i];
  assigned_ = true;
}

}  // namespace sb3lm
