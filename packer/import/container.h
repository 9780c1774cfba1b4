// What every container format gives: named tensors as they lie in the file, and what the file says
// about them. Knows nothing of names.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "model/spec.h"
#include "model/tokenizer.h"

namespace sb3lm {

struct StoredTensor {
  std::string name;
  std::string type;  // "F16", "U8", "I32", ...
  std::vector<std::int64_t> shape;
  Bytes bytes;               // points into the file, or a buffer of the container
  std::uint64_t offset = 0;  // in the file, for errors
  Bytes row_scales = {};     // where `bytes` are codes (I8): a binary16 for each row

  std::uint64_t elements() const;
};

/// A fact (facts.h) that a file states.
struct StatedFact {
  std::string by;  // where it stands, for errors
  std::string fact, text;
};

struct Container {
  std::string file;    // its name, for errors
  std::string format;  // "safetensors", "llama2.c", "torch", "gguf"
  std::vector<StoredTensor> tensors;
  std::map<std::string, std::string> metadata;  // texts of no fixed meaning
  std::optional<ModelSpec> spec;                // where the file describes its model itself
  std::optional<std::string> config;            // JSON, where the file has what config.json has
  std::string model_type;                       // as in config.json, where the file says it itself
  std::vector<StatedFact> facts;                // and what more it says then
  std::optional<Tokenizer> tokenizer;           // where the file holds one
  std::vector<std::shared_ptr<const std::string>> buffers;  // bytes that do not lie in the file
  std::string blocks;  // the types of codes, with a scale for some weights, that were made floats

  const StoredTensor* find(std::string_view name) const;
  /// Makes a buffer of them.
  Bytes keep(std::string bytes);
};

/// Bytes of an element of a type, 0 for an unknown type.
std::uint64_t type_bytes(std::string_view type);

/// A spec as a text of a file's metadata, beside other texts.
void put_spec(const ModelSpec& spec, std::map<std::string, std::string>& metadata);
/// Leaves only that there was one: whoever has the metadata has the spec.
void forget_spec(std::map<std::string, std::string>& metadata);
bool had_spec(const std::map<std::string, std::string>& metadata);
/// And back; nothing if there is none. Throws bad_input that names the field. Not validated.
std::optional<ModelSpec> spec_in(const std::string& file,
                                 const std::map<std::string, std::string>& metadata);

}  // namespace sb3lm
