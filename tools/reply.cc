#include "reply.h"

#include <algorithm>

#include "console.h"

namespace sb3lm {
namespace {

/// The length of a text without the beginning of a UTF-8 character at its end.
std::size_t complete_size(std::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte < 0x80) break;
    if (byte < 0xC0) continue;  // goes on a character
    const std::size_t needed = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    return needed > back ? text.size() - back : text.size();
  }
  return text.size();
}

}  // namespace

GenerateOptions generate_options(const Model& model, const RunOptions& options) {
  const SamplingChoices& s = options.sampling;
  GenerateOptions result;
  result.sampling = {.temperature = s.temperature.value_or(model.temperature),
                     .top_k = s.top_k.value_or(model.top_k),
                     .top_p = s.top_p.value_or(model.top_p),
                     .repetition_penalty = s.repetition_penalty.value_or(model.repetition_penalty),
                     .seed = s.seed};
  result.max_new_tokens = options.max_new_tokens;
  result.stop_ids = model.tokenizer.stop_ids;
  result.stop_ids.insert(result.stop_ids.end(), model.chat.stop_ids.begin(),
                         model.chat.stop_ids.end());
  return result;
}

void ReplyPrinter::print(int token) {
  ids_.push_back(token);
  if (!model_.tokenizer.present()) {
    print_out("{} ", token);
  } else {
    // Decoding the whole reply keeps the leading space right.
    const std::string text = decode(model_.tokenizer, ids_);
    print_up_to(text, complete_size(text));
  }
  flush_out();
}

void ReplyPrinter::finish() {
  if (model_.tokenizer.present()) {
    const std::string text = decode(model_.tokenizer, ids_);
    print_up_to(text, text.size());
  }
  print_out("\n");
  flush_out();
}

void ReplyPrinter::print_up_to(const std::string& text, std::size_t size) {
  if (size <= printed_) return;
  print_out("{}", std::string_view(text).substr(printed_, size - printed_));
  printed_ = size;
}

}  // namespace sb3lm
