#include "base/temporary_file.h"

#include "base/file.h"

namespace sb3lm {

TemporaryFile::TemporaryFile(std::string_view contents) : path_(make_temporary_file()) {
  write_file(path_, contents);
}

TemporaryFile::~TemporaryFile() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

}  // namespace sb3lm
