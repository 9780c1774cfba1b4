#include "text_source.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "import/token_shard.h"
#include "model/unicode.h"
#include "runtime_ref/model_change.h"
#include "runtime_ref/sense.h"
#include "samples/samples.h"

namespace sb3lm {
namespace {

constexpr std::size_t kMostBytes = 16 << 20;
constexpr const char* kBuiltIn = "english.txt";

[[noreturn]] void fail_too_long(const std::string& name) {
  fail(Fault::bad_input, "{}: the text is longer than {} bytes", name, kMostBytes);
}

std::string read_standard_input() {
  std::string text;
  std::array<char, 1 << 16> part{};
  while (const std::size_t size = std::fread(part.data(), 1, part.size(), stdin)) {
    if (text.size() + size > kMostBytes) fail_too_long("standard input");
    text.append(part.data(), size);
  }
  if (std::ferror(stdin) != 0) {
    fail(Fault::bad_input, "standard input: {}", std::strerror(errno));
  }
  return text;
}

SourceText read_file(const std::string& name) {
  const MappedFile file(name);
  if (is_token_shard(file.bytes())) {
    return {.name = name, .ids = read_token_shard(name, file.bytes()), .is_shard = true};
  }
  if (file.bytes().size() > kMostBytes) fail_too_long(name);
  return {.name = name, .text = std::string(file.text())};
}

SourceText read_any(const TextOptions& options) {
  if (!options.tokens.empty()) return {.name = "--tokens", .ids = options.tokens};
  if (options.file.empty()) {
    return {.name = std::string("samples/") + kBuiltIn, .text = std::string(sample_file(kBuiltIn))};
  }
  if (options.file == "-") return {.name = "standard input", .text = read_standard_input()};
  return read_file(options.file);
}

}  // namespace

std::vector<std::filesystem::path> with_text_file(std::vector<std::filesystem::path> files,
                                                  const TextOptions& options) {
  if (!options.file.empty()) files.push_back(options.file == "-" ? "/dev/stdin" : options.file);
  return files;
}

SourceText read_source_text(const TextOptions& options) {
  SourceText source = read_any(options);
  if (source.is_shard || !source.ids.empty()) return source;
  if (source.text.empty()) fail(Fault::bad_input, "{}: the text is empty", source.name);
  if (const std::size_t byte = invalid_byte(source.text); byte != std::string::npos) {
    fail(Fault::bad_input, "{}: byte {}: not UTF-8", source.name, byte);
  }
  return source;
}

std::vector<int> source_tokens(const Model& model, const SourceText& text) {
  std::vector<int> tokens = text.ids;
  if (tokens.empty() && !text.is_shard) {
    if (!model.tokenizer.present()) {
      fail(Fault::usage, "{}: the model has no tokenizer; use --tokenizer or --tokens", text.name);
    }
    tokens = encode(model.tokenizer, text.text, true);
  }
  if (tokens.size() < 2) {
    fail(Fault::bad_input, "{}: {} token, but 2 are the least that can be judged", text.name,
         tokens.size());
  }
  for (const int token : tokens) {
    if (token >= 0 && token < model.spec.vocabulary) continue;
    fail(Fault::usage, "{}: token {}: ids of this model are 0 to {}", text.name, token,
         model.spec.vocabulary - 1);
  }
  return tokens;
}

std::vector<int> spread_ids(const Model& model, int count) {
  std::vector<int> ids;
  for (std::int64_t i = 0; i < count; ++i) {
    ids.push_back(static_cast<int>(i * 7919 % model.spec.vocabulary));
  }
  return ids;
}

ModelChange change_on_sample(const Model& before, const Model& after, int tokens) {
  std::vector<int> ids;
  const bool is_text = before.tokenizer.present();
  if (is_text) ids = source_tokens(before, read_source_text({}));
  if (!is_text) ids = spread_ids(before, tokens);
  ids.resize(std::min(ids.size(), static_cast<std::size_t>(tokens)));
  return measure_change(before, after, ids, is_text);
}

std::optional<double> nats_of_sample(Model model, Progress& progress) {
  if (!model.tokenizer.present()) return std::nullopt;
  progress.report("reading a page of English", -1);
  return nats_of_text(pack_weights(std::move(model)), read_source_text({}).text, progress);
}

std::optional<Sense> sense_of_sample(Model model, std::optional<double> before,
                                     Progress& progress) {
  if (!model.tokenizer.present()) return std::nullopt;
  progress.report("reading a page of English", -1);
  return sense_of(pack_weights(std::move(model)), read_source_text({}).text, before, progress);
}

std::optional<std::size_t> predicted_bytes(const Model& model, const SourceText& text,
                                           const std::vector<int>& tokens, std::size_t predicted) {
  if (!model.tokenizer.present()) return std::nullopt;
  const std::size_t unpredicted = decode(model.tokenizer, {tokens.front()}).size();
  const bool is_all = predicted + 1 == tokens.size();
  const auto end = tokens.begin() + static_cast<std::ptrdiff_t>(predicted + 1);
  const std::size_t all = text.ids.empty() && is_all
                              ? text.text.size()
                              : decode(model.tokenizer, {tokens.begin(), end}).size();
  return all - std::min(all, unpredicted);
}

}  // namespace sb3lm
