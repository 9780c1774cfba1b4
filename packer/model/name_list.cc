#include "model/name_list.h"

#include <algorithm>
#include <map>

#include "base/error.h"

namespace sb3lm {
namespace {

constexpr char kNumber = '#';
constexpr std::int64_t kMarkItself = -1;
constexpr std::size_t kMaxDigits = 9;
constexpr std::int64_t kLargest = 999999999;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::int64_t number_of_marks(std::string_view pattern) {
  return std::count(pattern.begin(), pattern.end(), kNumber);
}

}  // namespace

SplitName split_name(std::string_view name) {
  SplitName split;
  for (std::size_t at = 0; at < name.size();) {
    if (name[at] == kNumber) {
      split.pattern += name[at++];
      split.numbers.push_back(kMarkItself);
      continue;
    }
    std::size_t end = at;
    std::int64_t number = 0;
    while (end < name.size() && is_digit(name[end]) && end - at < kMaxDigits) {
      number = 10 * number + (name[end++] - '0');
    }
    const bool whole = end > at && (end == name.size() || !is_digit(name[end])) &&
                       (end == at + 1 || name[at] != '0');
    if (whole) {
      split.pattern += kNumber;
      split.numbers.push_back(number);
      at = end;
    } else {
      // Digits that are no number of ours stay, all of them.
      do split.pattern += name[at++];
      while (at < name.size() && is_digit(name[at]) && is_digit(name[at - 1]));
    }
  }
  return split;
}

NameList make_name_list(const std::vector<std::string>& names) {
  NameList list;
  std::map<std::string, std::size_t> places;
  std::vector<std::vector<std::int64_t>> last;
  for (const std::string& name : names) {
    SplitName split = split_name(name);
    const auto [found, fresh] = places.try_emplace(split.pattern, list.patterns.size());
    const std::size_t place = found->second;
    if (fresh) {
      list.patterns.push_back(split.pattern);
      last.emplace_back(split.numbers.size(), 0);
    }
    list.steps.push_back(static_cast<std::int64_t>(place));
    for (std::size_t i = 0; i < split.numbers.size(); ++i) {
      list.steps.push_back(split.numbers[i] - last[place][i]);
    }
    last[place] = std::move(split.numbers);
  }
  return list;
}

std::vector<std::string> read_name_list(const NameList& list, std::size_t max_bytes) {
  std::vector<std::vector<std::int64_t>> last;
  for (const std::string& pattern : list.patterns) {
    last.emplace_back(static_cast<std::size_t>(number_of_marks(pattern)), 0);
  }
  std::vector<std::string> names;
  std::size_t bytes = 0, at = 0;
  const auto next = [&] {
    if (at == list.steps.size()) fail(Fault::bad_input, "names: a number is missing");
    return list.steps[at++];
  };
  while (at < list.steps.size()) {
    const std::int64_t place = next();
    if (place < 0 || place >= static_cast<std::int64_t>(list.patterns.size())) {
      fail(Fault::bad_input, "names: there is no pattern {}", place);
    }
    const std::string& pattern = list.patterns[static_cast<std::size_t>(place)];
    std::vector<std::int64_t>& numbers = last[static_cast<std::size_t>(place)];
    std::string name;
    std::size_t number = 0;
    for (const char c : pattern) {
      if (c != kNumber) {
        name += c;
        continue;
      }
      const std::int64_t step = next();
      if (step < -kLargest - 1 || step > kLargest + 1) {
        fail(Fault::bad_input, "names: a step of {}", step);
      }
      std::int64_t& value = numbers[number++];
      value += step;
      if (value < kMarkItself || value > kLargest) {
        fail(Fault::bad_input, "names: number {}", value);
      }
      name += value == kMarkItself ? std::string(1, kNumber) : std::to_string(value);
    }
    bytes += name.size() + sizeof(std::string);
    if (bytes > max_bytes) fail(Fault::bad_input, "names: more than {} bytes", max_bytes);
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace sb3lm
