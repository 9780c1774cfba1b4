// A GGUF file as a container. Blocks become floats: codes of ours have a scale for each row.
#include <fmt/ranges.h>

#include <set>

#include "import/formats.h"
#include "import/gguf/architecture.h"
#include "import/gguf/file.h"
#include "import/gguf/tokenizer.h"

namespace sb3lm {
namespace {

/// Texts that other formats have under these names.
constexpr std::pair<std::string_view, std::string_view> kTexts[] = {
    {"general.license", "license"}, {"tokenizer.chat_template", "chat_template"}};

void read_tensors(const GgufFile& file, Container& container) {
  std::set<std::string_view> blocks;
  for (const GgufTensor& from : file.tensors()) {
    StoredTensor tensor{.name = from.name,
                        .type = std::string(from.type->name),
                        .shape = from.shape,
                        .bytes = from.bytes,
                        .offset = from.offset};
    if (from.type->decode != nullptr) {
      blocks.insert(from.type->name);
      tensor.type = "F32";
      tensor.bytes = container.keep(decode_blocks(*from.type, from.bytes));
    }
    container.tensors.push_back(std::move(tensor));
  }
  container.blocks = fmt::format("{}", fmt::join(blocks, ", "));
}

}  // namespace

Container read_gguf(const CheckpointFiles& files) {
  const GgufFile file(files.checkpoint.file, files.checkpoint.bytes);
  if (const auto* parts = file.find<double>("split.count"); parts != nullptr && *parts > 1) {
    file.fail(Fault::bad_input, "this is one of {} parts; llama-gguf-split --merge joins them",
              *parts);
  }
  Container container{.file = file.file(), .format = "gguf"};
  read_architecture(file, container);
  read_tensors(file, container);
  for (const auto& [theirs, ours] : kTexts) {
    if (const std::string_view text = file.text(theirs); !text.empty()) {
      container.metadata.emplace(ours, text);
    }
  }
  if (files.tokenizer || files.without_tokenizer) return container;
  try {
    container.tokenizer = read_gguf_tokenizer(file);
  } catch (const Error&) {
    if (!files.by_ids) throw;
  }
  return container;
}

}  // namespace sb3lm
