#include "import/sniff.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "import/formats.h"
#include "import/safetensors.h"
#include "import/shards.h"
#include "import/torch/decompress.h"

namespace sb3lm {
namespace {

using Kind = FileFormat::Kind;

template <class... Magics>
bool starts_with(const NamedBytes& file, Magics... magics) {
  return (as_text(file.bytes).starts_with(magics) || ...);
}

std::uint64_t little_endian(std::string_view text, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  if (at + size <= text.size()) std::memcpy(&value, text.data() + at, size);
  return value;
}

/// True if the zip's directory, as far as it can be read, has a name with this ending, or its first
/// file has it.
bool zip_has(std::string_view zip, std::string_view ending) {
  const std::size_t first = little_endian(zip, 26, 2);
  if (zip.size() >= 30 && zip.substr(30, first).ends_with(ending)) return true;
  constexpr std::string_view kEnd("PK\5\6", 4), kEntry("PK\1\2", 4);
  const std::size_t end = zip.rfind(kEnd);
  if (end == zip.npos) return false;
  for (std::size_t at = little_endian(zip, end + 16, 4);
       at < end && zip.substr(at).starts_with(kEntry);) {
    const std::size_t name = little_endian(zip, at + 28, 2);
    if (zip.substr(std::min(at + 46, zip.size()), name).ends_with(ending)) return true;
    at += 46 + name + little_endian(zip, at + 30, 2) + little_endian(zip, at + 32, 2);
  }
  return false;
}

/// Without what may stand before a page or a JSON text, in small letters, a few of them.
std::string begin_of_text(const NamedBytes& file) {
  std::string_view text = as_text(file.bytes);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  std::string begin(text.substr(0, 20));
  for (char& c : begin) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return begin;
}

bool is_lfs_pointer(const NamedBytes& file) {
  return starts_with(file, "version https://git-lfs.");
}
bool is_html(const NamedBytes& file) {
  const std::string begin = begin_of_text(file);
  return begin.starts_with("<!doctype html") || begin.starts_with("<html");
}
bool is_json(const NamedBytes& file) {
  return begin_of_text(file).starts_with("{");
}
bool is_index(const NamedBytes& file) {
  return is_shard_index(file.file);
}
/// PyTorch's of before 1.6 is known by its magic number, which any other pickle lacks.
bool is_pickle(const NamedBytes& file) {
  return starts_with(file, "\x80\x02", "\x80\x03", "\x80\x04", "\x80\x05");
}
bool is_safetensors(const NamedBytes& file) {
  return looks_like_safetensors(file.bytes);
}
bool is_named_safetensors(const NamedBytes& file) {
  return file.file.ends_with(".safetensors");
}
bool is_zip(const NamedBytes& file) {
  return starts_with(file, "PK\3\4", "PK\5\6");
}
bool is_torch_zip(const NamedBytes& file) {
  return is_zip(file) && zip_has(as_text(file.bytes), "/data.pkl");
}
bool is_old_torch(const NamedBytes& file) {
  return starts_with(file, kOldTorch);
}
bool is_shuffled(const NamedBytes& file) {
  return starts_with(file, kShuffled);
}
bool is_gguf(const NamedBytes& file) {
  return starts_with(file, "GGUF");
}
bool is_llama2c_later(const NamedBytes& file) {
  return looks_like_later_llama2c(file.bytes);
}
bool is_llama2c(const NamedBytes& file) {
  return looks_like_llama2c(file.bytes);
}
bool is_named_llama2c(const NamedBytes& file) {
  return file.file.ends_with(".bin");  // its reader says what is wrong
}
bool is_compressed_torch(const NamedBytes& file) {
  return is_compressed(file.bytes);
}
bool is_named_artifact(const NamedBytes& file) {
  return file.file.ends_with(".ptz");
}
bool is_anything(const NamedBytes&) {
  return true;
}

constexpr std::string_view kGguf = "GGUF";

/// Tried in order: bytes tell more than names.
constexpr std::array<FileFormat, 18> kFormats{{
    {"a Git LFS pointer: the weights were not downloaded", Kind::mistaken, is_lfs_pointer, nullptr,
     false, "git lfs pull fetches them"},
    {"an HTML page", Kind::mistaken, is_html, nullptr, false,
     "download the file itself, not the page about it"},
    {"safetensors or torch in shards", Kind::checkpoint, is_index, read_shards},
    {"torch", Kind::checkpoint, is_torch_zip, read_torch},
    {"a PyTorch checkpoint of before 1.6", Kind::unsupported, is_old_torch, nullptr, false,
     "load it with PyTorch and save it again"},
    {"an artifact whose bytes were moved for brotli (BSHF)", Kind::unsupported, is_shuffled,
     nullptr, false, "compress the same torch.save file with zstd, xz or zlib"},
    {"an .sb3", Kind::project, is_zip},
    {.name = kGguf,
     .kind = Kind::checkpoint,
     .fits = is_gguf,
     .read = read_gguf,
     .stands_alone = true},
    {"llama2.c version 1 or 2", Kind::checkpoint, is_llama2c_later, read_llama2c},
    {"safetensors", Kind::checkpoint, is_safetensors, read_safetensors, true},
    {"llama2.c version 0", Kind::checkpoint, is_llama2c, read_llama2c},
    {"torch", Kind::checkpoint, is_compressed_torch, read_torch},
    {"a pickle and no zip as torch.save writes it", Kind::mistaken, is_pickle, nullptr, false,
     "load it with the program that wrote it and save its state_dict() with torch.save or "
     "safetensors"},
    {"a JSON text", Kind::mistaken, is_json, nullptr, false,
     "name the file with the weights that lies beside it (model.safetensors, pytorch_model.bin), "
     "or "
     "the folder"},
    {"safetensors", Kind::checkpoint, is_named_safetensors, read_safetensors, true},
    {"llama2.c version 0", Kind::checkpoint, is_named_llama2c, read_llama2c},
    {"compressed in no way that we know, perhaps with brotli", Kind::unsupported, is_named_artifact,
     nullptr, false, "compress the same torch.save file with zstd, xz or zlib"},
    {"unknown", Kind::unknown, is_anything},
}};

}  // namespace

const FileFormat& sniff(const NamedBytes& file) {
  const auto* found = std::find_if(kFormats.begin(), kFormats.end(),
                                   [&](const FileFormat& row) { return row.fits(file); });
  check(found != kFormats.end(), "a file of no format");
  return *found;
}

const FileFormat& readable_format(const NamedBytes& file) {
  const FileFormat& format = sniff(file);
  switch (format.kind) {
    case Kind::checkpoint:
      break;
    case Kind::project:
      fail(Fault::usage, "{}: this is an .sb3, not a checkpoint; sb3lm export makes one of it",
           file.file);
    case Kind::unsupported:
      fail(Fault::unsupported, "{}: this is {}: not read yet; {}", file.file, format.name,
           format.advice);
    case Kind::mistaken:
      fail(Fault::bad_input, "{}: this is {}: {}", file.file, format.name, format.advice);
    case Kind::unknown:
      fail(Fault::bad_input,
           "{}: neither a checkpoint (safetensors, torch, llama2.c, GGUF) nor an .sb3", file.file);
  }
  return format;
}

const FileFormat& checkpoint_format(const NamedBytes& file) {
  const FileFormat& format = readable_format(file);
  if (is_one_shard(file.file) && format.name != kGguf) {
    fail(Fault::bad_input,
         "{}: this is one of several shards: take the index beside it "
         "(model.safetensors.index.json, pytorch_model.bin.index.json), or the folder",
         file.file);
  }
  return format;
}

}  // namespace sb3lm
