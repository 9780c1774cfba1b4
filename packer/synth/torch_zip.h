// The zip of a torch checkpoint: records as they are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sb3lm {

struct TorchRecord {
  std::string name;  // inside the folder
  std::string_view bytes;
};

/// Each record's bytes start at a multiple of 64, for readers that map the file. Less than 4 GiB.
std::string zip_records(const std::string& folder, const std::vector<TorchRecord>& records);

}  // namespace sb3lm
