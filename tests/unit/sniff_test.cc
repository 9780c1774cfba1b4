// What a file is, by its bytes.
#include "import/sniff.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "sb3/zip.h"
#include "support/skip.h"
#include "support/tiny_model.h"

using namespace sb3lm;

namespace {

const FileFormat& sniff_text(const std::string& file, std::string_view bytes) {
  return sniff({file, as_bytes(bytes)});
}

std::string refusal(const std::string& file, std::string_view bytes) {
  SilentProgress silent;
  try {
    import_from_memory({.checkpoint = {file, as_bytes(bytes)}}, {}, silent);
  } catch (const Error& problem) {
    return fmt::format("{}: {}", static_cast<int>(problem.fault), problem.what());
  }
  return "it was read";
}

std::string refused(Fault fault, const std::string& text) {
  return fmt::format("{}: {}", static_cast<int>(fault), text);
}

/// A zip of stored files, as PyTorch and Scratch write them.
std::string zip_of(const std::vector<std::string>& names) {
  std::vector<ZipEntry> entries;
  for (const std::string& name : names) entries.push_back({name, "x"});
  SilentProgress silent;
  return write_zip(entries, 1, silent);
}

}  // namespace

TEST_CASE("checkpoints and projects are told apart by their bytes, whatever they are called") {
  using Kind = FileFormat::Kind;
  SilentProgress silent;
  const SyntheticFiles packed = make_synthetic({.preset = "tiny-moe"}, silent);
  const SyntheticFiles floats = make_synthetic({.preset = "tiny-dense"}, silent);
  CHECK(sniff_text("model", packed.checkpoint).name == "safetensors");
  CHECK(sniff_text("model", floats.checkpoint).name == "llama2.c version 0");
  CHECK(sniff_text("model.bin", "24ka....").name == "llama2.c version 1 or 2");
  CHECK(sniff_text("model.bin", "GGUF....").name == "GGUF");
  CHECK(sniff_text("pytorch_model.bin.index.json", "{}").kind == Kind::checkpoint);
  CHECK(sniff_text("model.safetensors", zip_of({"project.json", "a.svg"})).kind == Kind::project);
  CHECK(sniff_text("model.pt", zip_of({"a.svg", "project.json"})).kind == Kind::project);
  CHECK(sniff_text("x.sb3", zip_of({"archive/data.pkl", "archive/version"})).name == "torch");
  CHECK(sniff_text("x.sb3", zip_of({"archive/version", "archive/data.pkl"})).name == "torch");
  for (const std::string_view start :
       {"\x78\xda", "\x78\x9c", "\x28\xb5\x2f\xfd", "\x1f\x8b\x08"}) {
    CHECK(sniff_text("x", start).name == "torch");
    CHECK(sniff_text("x.safetensors", start).name == "torch");
  }
  CHECK(sniff_text("x.sb3", std::string_view("PK\x3\x4 cut")).kind == Kind::project);
  CHECK(sniff_text("x.safetensors", "hello").name == "safetensors");
  CHECK(sniff_text("text", "hello").kind == Kind::unknown);
  CHECK(sniff_text("empty", "").kind == Kind::unknown);
}

TEST_CASE("what is no checkpoint that we read says what it is, and what to do") {
  CHECK(refusal("m", std::string_view("\x80\x02\x8a\x0al\xfc\x9c"
                                      "F\xf9 and so on")) ==
        refused(Fault::unsupported,
                "m: this is a PyTorch checkpoint of before 1.6: not read yet; load it with PyTorch "
                "and save it again"));
  CHECK(refusal("m.ptz", "\x1b\x01....") ==
        refused(Fault::unsupported,
                "m.ptz: this is compressed in no way that we know, perhaps with brotli: not read "
                "yet; compress the same torch.save file with zstd, xz or zlib"));
  CHECK(
      refusal("m", zip_of({"project.json"})) ==
      refused(Fault::usage, "m: this is an .sb3, not a checkpoint; sb3lm export makes one of it"));
  CHECK(refusal("m", "hello") ==
        refused(Fault::bad_input,
                "m: neither a checkpoint (safetensors, torch, llama2.c, GGUF) nor an .sb3"));
}

TEST_CASE("what somebody took for a checkpoint is called by its name") {
  const auto mistaken = [](const std::string& text) { return refused(Fault::bad_input, text); };
  const std::string pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n";
  for (const char* name : {"model.safetensors", "pytorch_model.bin", "m.gguf"}) {
    CHECK(refusal(name, pointer) ==
          mistaken(std::string(name) + ": this is a Git LFS pointer: the weights were not "
                                       "downloaded: git lfs pull fetches them"));
  }
  for (const char* page : {"<!DOCTYPE html><html>", "\n <HTML lang=de>", "\xEF\xBB\xBF<html>"}) {
    CHECK(
        refusal("model.safetensors", page) ==
        mistaken("model.safetensors: this is an HTML page: download the file itself, not the page "
                 "about it"));
  }
  CHECK(
      refusal("config.json", "{\"model_type\": \"llama\"}") ==
      mistaken("config.json: this is a JSON text: name the file with the weights that lies beside "
               "it (model.safetensors, pytorch_model.bin), or the folder"));
  for (const std::string_view start : {"\x80\x02}q", "\x80\x04\x95"}) {
    CHECK(
        refusal("old.pt", std::string(start) + std::string(200, '\0')) ==
        mistaken("old.pt: this is a pickle and no zip as torch.save writes it: load it with the "
                 "program that wrote it and save its state_dict() with torch.save or safetensors"));
  }
  SilentProgress silent;
  const SyntheticFiles packed = make_synthetic({.preset = "tiny-moe"}, silent);
  CHECK(refusal("model-00001-of-00002.safetensors", packed.checkpoint) ==
        mistaken("model-00001-of-00002.safetensors: this is one of several shards: take the index "
                 "beside it (model.safetensors.index.json, pytorch_model.bin.index.json), or the "
                 "folder"));
  CHECK(refusal("model-00001-of-00001.safetensors", packed.checkpoint) == "it was read");
  CHECK(refusal("model-1-of-00002.safetensors", packed.checkpoint) == "it was read");
}

TEST_CASE("real PyTorch files are known, and cutting them does no harm") {
  const char* folder = std::getenv("SB3LM_TEST_DATA");
  const std::filesystem::path file =
      std::filesystem::path(folder == nullptr ? "" : folder) / "parameter-golf" / "tiny.pt";
  if (folder == nullptr || !std::filesystem::exists(file)) {
    return test::skip_case("SB3LM_TEST_DATA does not name a folder with parameter-golf");
  }
  const MappedFile mapped(file);
  CHECK(sniff({"tiny.pt", mapped.bytes()}).name == "torch");
  for (std::size_t size = 0; size < 200; ++size) {
    sniff({"tiny.pt", mapped.bytes().first(size)});
    sniff({"tiny.pt", mapped.bytes().last(size)});
  }
}
