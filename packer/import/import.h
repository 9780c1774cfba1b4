// Checkpoint file to Model: sniffs the format and dispatches to its importer.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/progress.h"
#include "model/model.h"
#include "model/packed.h"

namespace sb3lm {

/// What --tokenizer says where there shall be none.
inline constexpr const char kNoTokenizer[] = "none";

struct ImportOptions {
  std::optional<std::filesystem::path> tokenizer;  // else the one beside; kNoTokenizer: none
  bool by_ids = false;  // what lies beside and cannot be read is a note, not an error
  std::optional<std::filesystem::path> sidecar;        // else sidecar_of(checkpoint), if it exists
  std::optional<std::filesystem::path> name_map;       // --map
  std::optional<std::filesystem::path> chat_template;  // --chat-template
  std::map<std::string, std::string> conventions;      // --convention key=value, over the sidecar
};

/// CKPT.conventions.json.
std::filesystem::path sidecar_of(const std::filesystem::path& checkpoint);

/// The files that import_model reads, all that it finds: checkpoint, shards, tokenizer, and so on.
/// Throws bad_input if an index cannot be read.
std::vector<std::filesystem::path> checkpoint_files(const std::filesystem::path& checkpoint,
                                                    const ImportOptions& options);

/// Reads and checks everything; throws bad_input or unsupported with file, tensor and rule.
Model import_model(const std::filesystem::path& checkpoint, const ImportOptions& options,
                   Progress& progress);

/// The same with the weights left packed in the mapped file, as far as the file has them packed;
/// nothing if it holds matrices that are not (see pack_weights).
std::optional<PackedModel> import_packed(const std::filesystem::path& checkpoint,
                                         const ImportOptions& options);

/// A file's bytes under the name that errors give it.
struct NamedBytes {
  std::string file;
  Bytes bytes;
};

/// A checkpoint and what belongs to it, already in memory.
struct CheckpointFiles {
  NamedBytes checkpoint;                    // or the index of a sharded one
  std::vector<NamedBytes> shards;           // the files that the index names
  std::optional<NamedBytes> tokenizer;      // tokenizer.json, .model, tokenizer.bin, vocab.json
  std::optional<NamedBytes> merges;         // merges.txt of a vocab.json
  bool without_tokenizer = false;           // not even one inside the checkpoint
  bool by_ids = false;                      // see ImportOptions
  std::optional<NamedBytes> config;         // config.json
  std::optional<NamedBytes> sidecar;        // CKPT.conventions.json
  std::optional<NamedBytes> name_map;       // {"name in the file": "layer 3 q", ...}
  std::optional<NamedBytes> chat_template;  // what the user names: see attach_chat
  std::optional<NamedBytes> tokenizer_config, generation_config;  // of Hugging Face's programs
  std::optional<NamedBytes> jinja;                                // chat_template.jinja
};

/// The same without touching the disk. Nothing in the result refers to `files`.
Model import_from_memory(const CheckpointFiles& files,
                         const std::map<std::string, std::string>& conventions, Progress& progress);

}  // namespace sb3lm
