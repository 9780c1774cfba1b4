#include <sstream>

#include "base/error.h"
#include "import/formats.h"
#include "model/unicode.h"

namespace sb3lm {
namespace {

std::string unescape(const std::string& where, std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      plain += text[i];
      continue;
    }
    const char next = i + 1 < text.size() ? text[++i] : '\0';
    if (next == 'n') {
      plain += '\n';
    } else if (next == 't') {
      plain += '\t';
    } else if (next == '\\') {
      plain += '\\';
    } else {
      fail(Fault::bad_input, "{}: after \\ only n, t and \\ are known", where);
    }
  }
  return plain;
}

std::vector<TemplatePart> read_turn(const std::string& where, std::string_view text,
                                    const Tokenizer& tokenizer) {
  std::vector<TemplatePart> parts = parse_template(tokenizer, unescape(where, text));
  int users = 0;
  for (const TemplatePart& part : parts) {
    if (part.kind == TemplatePart::Kind::user) ++users;
    if (const auto name = part.text.find("<|"); name != part.text.npos) {
      fail(Fault::bad_input, "{}: '{}' is not a special token of the tokenizer", where,
           part.text.substr(name));
    }
  }
  if (users != 1)
    fail(Fault::bad_input, "{}: {{user}} stands there {} times, not once", where, users);
  return parts;
}

std::vector<int> read_stops(const std::string& where, const std::string& names,
                            const Tokenizer& tokenizer) {
  std::vector<int> ids;
  std::istringstream in(names);
  for (std::string name; in >> name;) {
    ids.push_back(special_id(tokenizer, name));
    if (ids.back() < 0) {
      fail(Fault::bad_input, "{}: '{}' is not a special token of the tokenizer", where, name);
    }
  }
  return ids;
}

}  // namespace

ChatTemplate read_chat_template(const std::string& file, std::string_view text,
                                const Tokenizer& tokenizer) {
  if (const std::size_t byte = invalid_byte(text); byte != text.npos) {
    fail(Fault::bad_input, "{}: byte {}: not UTF-8", file, byte);
  }
  ChatTemplate chat;
  std::istringstream in{std::string(text)};
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    const std::string where = fmt::format("{}: line {}", file, number);
    const std::size_t colon = line.find(':');
    const std::string key = line.substr(0, colon);
    std::string value = colon == line.npos ? "" : line.substr(colon + 1);
    if (value.starts_with(' ')) value.erase(0, 1);
    if (key == "first") {
      chat.first = read_turn(where, value, tokenizer);
    } else if (key == "next") {
      chat.next = read_turn(where, value, tokenizer);
    } else if (key == "stop") {
      chat.stop_ids = read_stops(where, value, tokenizer);
    } else {
      fail(Fault::bad_input, "{}: lines begin with 'first:', 'next:' or 'stop:'", where);
    }
  }
  if (!chat.present()) fail(Fault::bad_input, "{}: it has no line 'first:'", file);
  if (chat.next.empty()) chat.next = chat.first;
  if (chat.stop_ids.empty()) chat.stop_ids = tokenizer.stop_ids;
  leave_end_to_reply(chat);
  return chat;
}

}  // namespace sb3lm
