// Short, deterministic ids for everything that project.json refers to by id.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace sb3lm {

/// The `index`-th shortest id. Ids need no escape in JSON or XML, and none looks like an integer:
/// JavaScript would sort integer keys first, and so change the order of scripts.
std::string nth_id(std::size_t index);

/// Hands out ids in two rounds: count the uses of every handle, then give the shortest ids to the
/// most used (ties by handle).
class IdTable {
 public:
  using Handle = std::size_t;

  /// Handles are small numbers that the caller deals out, the same ones in both rounds. Round one
  /// counts and returns ""; round two returns the id.
  const std::string& use(Handle handle);
  /// Ends round one.
  void assign();

 private:
  std::vector<std::size_t> uses_;
  std::vector<std::string> ids_;
  bool assigned_ = false;
};

}  // namespace sb3lm
