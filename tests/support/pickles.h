// Pieces of PyTorch's pickles, and files of them, for tests that need broken ones too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sb3lm::test::pickles {

std::string text(std::string_view text);
std::string integer(std::int64_t value);
std::string global(std::string_view module, std::string_view name);
std::string tuple(const std::vector<std::string>& items);
/// Names and values in turn.
std::string dict(const std::vector<std::string>& items);

/// How a tensor lies in its storage.
struct View {
  std::string storage_class = "FloatStorage";
  std::string key = "0";
  std::int64_t storage_elements = 0;
  std::int64_t first = 0;
  std::vector<std::int64_t> shape, strides;
};
std::string tensor(const View& view);
/// Row-major, a whole storage.
std::string whole(std::string_view storage_class, std::string_view key,
                  const std::vector<std::int64_t>& shape);

/// The pickle of a value.
std::string pickle(const std::string& value);
/// A checkpoint of it, with these bytes for storages "0", "1", ...
std::string file(const std::string& value, const std::vector<std::string>& storages = {});
/// The same for bytes that are a whole pickle, or should be.
std::string file_of_pickle(const std::string& pickle,
                           const std::vector<std::string>& storages = {});

}  // namespace sb3lm::test::pickles
