// Short, deterministic ids for everything that project.json refers to by id.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace sb3lm {

/// The `index`-th shortest id. Ids need no escape in JSON or XML, and none looks like an integer:
/// JavaScript would sort integer keys first, and so change the order of scripts.
std::string nth_id(std::size_t index);

/// Ids of one length whose first letter changes fastest: neighbours share their tails, which
/// deflate finds again. None of them is an nth_id of an index below `others`.
std::vector<std::string> neighbour_ids(std::size_t count, std::size_t others);

/// Hands out ids in two rounds: count the uses of every handle, then give the shortest ids to the
/// most used (ties by handle), and neighbouring ones to those that have an order.
class IdTable {
 public:
  using Handle = std::size_t;

  /// Handles are small numbers that the caller deals out, the same ones in both rounds. Round one
  /// counts and returns ""; round two returns the id.
  const std::string& use(Handle handle);
  /// Ends round one. `ordered`: handles that get neighbouring ids. `fixed`: handles whose id is
  /// given. No other handle gets an id of `taken`.
  void assign(const std::vector<Handle>& ordered = {}, const std::set<std::string>& taken = {},
              const std::map<Handle, std::string>& fixed = {});

 private:
  std::vector<std::size_t> uses_;
  std::vector<std::string> ids_;
  bool assigned_ = false;
};

}  // namespace sb3lm
