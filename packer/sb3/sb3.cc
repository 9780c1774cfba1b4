#include "sb3/sb3.h"

#include <map>

#include "sb3/project.h"
#include "sb3/zip.h"

namespace sb3lm {

std::string write_sb3(const scratch::Program& program, int level, Progress& progress) {
  progress.report("writing project.json", -1);
  const std::string json = write_project_json(program);
  // Two assets with the same bytes are one file; the order is that of the file names.
  std::map<std::string, std::string_view> assets;
  for (const auto& [name, asset] : name_assets(program)) {
    assets[asset.file_name()] = asset_bytes(program, name);
  }
  std::vector<ZipEntry> entries = {{"project.json", json}};
  for (const auto& [name, bytes] : assets) entries.push_back({name, bytes});
  return write_zip(entries, level, progress);
}

}  // namespace sb3lm
