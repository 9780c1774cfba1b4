#include "base/file.h"

namespace sb3lm {

bool same_file(const std::filesystem::path& one, const std::filesystem::path& other) {
  std::error_code missing;
  return std::filesystem::is_regular_file(one, missing) &&
         std::filesystem::equivalent(one, other, missing);
}

}  // namespace sb3lm
