#include "import/import.h"

#include "base/error.h"
#include "base/memory.h"
#include "import/assemble.h"
#include "import/companions.h"
#include "import/formats.h"
#include "import/shards.h"
#include "import/sniff.h"

namespace sb3lm {
namespace {

bool is_json(const NamedBytes& file) {
  if (file.file.ends_with(".json")) return true;
  return !file.file.ends_with(".bin") && as_text(file.bytes).starts_with("{");
}

/// Nothing without a tokenizer file, or for the format that needs to know the vocabulary.
std::optional<Tokenizer> tokenizer_alone(const CheckpointFiles& files) {
  if (!files.tokenizer) return std::nullopt;
  if (files.merges) {
    const NamedBytes* config = files.tokenizer_config ? &*files.tokenizer_config : nullptr;
    return read_vocab_merges(*files.tokenizer, *files.merges, config);
  }
  if (is_json(*files.tokenizer)) return read_tokenizer_json(*files.tokenizer);
  if (looks_like_sentencepiece(*files.tokenizer)) return read_sentencepiece(*files.tokenizer);
  return std::nullopt;
}

void attach_tokenizer(const CheckpointFiles& files, std::optional<Tokenizer> read, Model& model) {
  if (!files.tokenizer && !read) return;
  const NamedBytes& file = files.tokenizer ? *files.tokenizer : files.checkpoint;
  model.tokenizer = read ? std::move(*read) : read_tokenizer_bin(file, model.spec.vocabulary);
  const std::size_t tokens = model.tokenizer.tokens.size();
  const auto vocabulary = static_cast<std::size_t>(model.spec.vocabulary);
  // Rows are added to round vocabularies up; another model's tokenizer is another matter.
  if (tokens < vocabulary / 2 || !fit_vocabulary(model.tokenizer, vocabulary)) {
    fail(Fault::bad_input, "{}: {} tokens do not fit the vocabulary of {} in {}", file.file, tokens,
         model.spec.vocabulary, files.checkpoint.file);
  }
}

/// All that is about texts. Whoever has ids does not need it.
void attach_texts(const CheckpointFiles& files, std::optional<Tokenizer> inside, Model& model) {
  try {
    attach_tokenizer(files, inside ? std::move(inside) : tokenizer_alone(files), model);
    attach_generation(files, model);
    attach_chat(files, model);
  } catch (const Error& problem) {
    if (!files.by_ids) throw;
    model.notes.push_back(fmt::format("there is no tokenizer: {}", problem.what()));
    model.tokenizer = {};
    model.chat = {};
  }
}

/// A mapped file together with its name.
class NamedFile {
 public:
  explicit NamedFile(const std::filesystem::path& path) : name_(path.string()), file_(path) {}
  NamedBytes named() const { return {name_, file_.bytes()}; }

 private:
  std::string name_;
  MappedFile file_;
};

std::optional<std::filesystem::path> if_there(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored)) return path;
  return std::nullopt;
}

constexpr const char kVocabulary[] = "vocab.json", kMerges[] = "merges.txt";

std::optional<std::filesystem::path> tokenizer_beside(const std::filesystem::path& folder) {
  for (const char* name : {"tokenizer.json", "tokenizer.model"}) {
    if (auto found = if_there(folder / name)) return found;
  }
  if (auto found = if_there(folder / "tokenizer.bin")) return found;
  if (if_there(folder / kMerges)) return if_there(folder / kVocabulary);
  return std::nullopt;
}

/// Where a checkpoint and all that belongs to it lie.
struct CheckpointPaths {
  std::vector<std::filesystem::path> shards;
  std::optional<std::filesystem::path> tokenizer, merges, config, sidecar, name_map, chat_template,
      tokenizer_config, generation_config, jinja;
};

CheckpointPaths find_files(const std::filesystem::path& checkpoint, const NamedBytes& opened,
                           const ImportOptions& options) {
  const std::filesystem::path folder = checkpoint.parent_path();
  CheckpointPaths paths{
      .tokenizer = options.tokenizer,
      .sidecar = options.sidecar ? options.sidecar : if_there(sidecar_of(checkpoint)),
      .name_map = options.name_map,
      .chat_template = options.chat_template};
  const bool none = paths.tokenizer == kNoTokenizer;
  if (none) paths.tokenizer.reset();
  const bool alone = sniff(opened).stands_alone;
  if (!paths.tokenizer && !alone && !none) paths.tokenizer = tokenizer_beside(folder);
  if (paths.tokenizer && paths.tokenizer->filename() == kVocabulary) {
    paths.merges = if_there(paths.tokenizer->parent_path() / kMerges);
  }
  if (alone) return paths;
  paths.config = if_there(folder / "config.json");
  paths.tokenizer_config = if_there(folder / "tokenizer_config.json");
  paths.generation_config = if_there(folder / "generation_config.json");
  paths.jinja = if_there(folder / "chat_template.jinja");
  if (is_shard_index(opened.file)) {
    for (const std::string& name : shard_names(opened.file, as_text(opened.bytes))) {
      paths.shards.push_back(folder / name);
    }
  }
  return paths;
}

/// A checkpoint and all that belongs to it, mapped.
class OpenFiles {
 public:
  OpenFiles(const std::filesystem::path& checkpoint, const ImportOptions& options)
      : checkpoint_(std::make_shared<const NamedFile>(checkpoint)) {
    files_.checkpoint = checkpoint_->named();
    const CheckpointPaths paths = find_files(checkpoint, files_.checkpoint, options);
    for (const std::filesystem::path& shard : paths.shards) files_.shards.push_back(*open(shard));
    files_.tokenizer = open(paths.tokenizer);
    files_.merges = open(paths.merges);
    files_.without_tokenizer = options.tokenizer == kNoTokenizer;
    files_.by_ids = options.by_ids && !options.tokenizer;
    files_.config = open(paths.config);
    files_.sidecar = open(paths.sidecar);
    files_.name_map = open(paths.name_map);
    files_.chat_template = open(paths.chat_template);
    files_.tokenizer_config = open(paths.tokenizer_config);
    files_.generation_config = open(paths.generation_config);
    files_.jinja = open(paths.jinja);
  }

  const CheckpointFiles& files() const { return files_; }
  /// What keeps the checkpoint's bytes mapped.
  const std::shared_ptr<const NamedFile>& checkpoint() const { return checkpoint_; }

 private:
  std::optional<NamedBytes> open(const std::optional<std::filesystem::path>& path) {
    if (!path) return std::nullopt;
    others_.push_back(std::make_unique<const NamedFile>(*path));
    return others_.back()->named();
  }

  std::shared_ptr<const NamedFile> checkpoint_;
  std::vector<std::unique_ptr<const NamedFile>> others_;
  CheckpointFiles files_;
};

}  // namespace

Model import_from_memory(const CheckpointFiles& files,
                         const std::map<std::string, std::string>& conventions,
                         Progress& progress) {
  Container container = checkpoint_format(files.checkpoint).read(files);
  std::optional<Tokenizer> inside;
  if (!files.tokenizer) inside = std::move(container.tokenizer);
  Model model = assemble(std::move(container), files, conventions, progress);
  for (const char* name : {"licence", "license"}) {
    const auto stated = model.source.metadata.find(name);
    if (stated != model.source.metadata.end()) model.licence = stated->second;
  }
  attach_texts(files, std::move(inside), model);
  return model;
}

std::filesystem::path sidecar_of(const std::filesystem::path& checkpoint) {
  return checkpoint.string() + ".conventions.json";
}

std::vector<std::filesystem::path> checkpoint_files(const std::filesystem::path& checkpoint,
                                                    const ImportOptions& options) {
  const CheckpointPaths paths = find_files(checkpoint, NamedFile(checkpoint).named(), options);
  std::vector<std::filesystem::path> all = paths.shards;
  all.push_back(checkpoint);
  for (const auto& path :
       {paths.tokenizer, paths.merges, paths.config, paths.sidecar, paths.name_map,
        paths.chat_template, paths.tokenizer_config, paths.generation_config, paths.jinja}) {
    if (path) all.push_back(*path);
  }
  return all;
}

Model import_model(const std::filesystem::path& checkpoint, const ImportOptions& options,
                   Progress& progress) {
  const OpenFiles open(checkpoint, options);
  return import_from_memory(open.files(), options.conventions, progress);
}

std::optional<PackedModel> import_packed(const std::filesystem::path& checkpoint,
                                         const ImportOptions& options) {
  const OpenFiles open(checkpoint, options);
  const FileFormat& format = checkpoint_format(open.files().checkpoint);
  if (!format.stays_mapped || !open.files().shards.empty()) return std::nullopt;
  // Parsing takes more memory than anything later does, so it goes before weights become resident.
  std::optional<Tokenizer> tokenizer;
  try {
    tokenizer = tokenizer_alone(open.files());
  } catch (const Error&) {
    if (!open.files().by_ids) throw;  // else it is read again for its note
  }
  release_memory();
  std::optional<PackedModel> packed = assemble_packed(format.read(open.files()), open.files(),
                                                      options.conventions, open.checkpoint());
  if (!packed) return std::nullopt;
  attach_texts(open.files(), std::move(tokenizer), packed->about);
  return packed;
}

}  // namespace sb3lm
