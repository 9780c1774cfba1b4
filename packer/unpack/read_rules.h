// The rules that a tokenizer inside an .sb3 applies to texts, from the lists of its text blocks.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "model/json_value.h"
#include "model/tokenizer.h"

namespace sb3lm {

/// The items of a list of numbers, none if it is not there.
using ReadNumbers = std::function<std::vector<double>(const char* list)>;

/// `info` is what model info says of the rules. Throws bad_input that begins with `file`.
TextRules read_rules(const std::string& file, const JsonFields& info, const ReadNumbers& numbers);

}  // namespace sb3lm
