#include "lower/model_info.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "kernels/rule_tables.h"
#include "kernels/text_tables.h"
#include "model/name_list.h"
#include "model/spec_json.h"
#include "model/unicode.h"

namespace sb3lm {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 3;
constexpr const char* kSpaceMark = "\xE2\x96\x81";  // U+2581, which some tokenizers read as a space

const char* type_name(FloatType type) {
  return type == FloatType::f32 ? "f32" : type == FloatType::f16 ? "f16" : "bf16";
}

// What a tensor needs beyond its role's shape and its place, which follow from the order.
Json storage_json(const TensorPlace& place) {
  Json json = {{"role", role_name(place.key.role)}};
  if (place.is_coded()) {
    json["bits"] = place.format.bits;
    json["encoding"] = place.encoding;
  } else {
    json["type"] = type_name(place.type);
    if (place.storage == Storage::floats) json["stride"] = place.stride;
  }
  if (place.storage != Storage::floats) json["base"] = place.base;
  return json;
}

// Four digits: what a maths library rounds otherwise must not change the file.
double short_number(double value) {
  return std::stod(fmt::format("{:.4g}", value));
}

Json rounding_json(const Rounding& rounding) {
  Json json = {{"scales", rounding.scale_bits}, {"routers", rounding.router_bits}};
  if (rounding.change) {
    json["tokens"] = rounding.change->tokens;
    json["logits"] = short_number(rounding.change->logits);
    json["perplexity"] = {short_number(rounding.change->perplexity_before),
                          short_number(rounding.change->perplexity_after)};
  }
  return json;
}

// Ids in a row as the first one and how many.
Json kept_json(const KeptTokens& kept) {
  Json runs = Json::array();
  for (std::size_t i = 0; i < kept.ids.size();) {
    std::size_t end = i + 1;
    while (end < kept.ids.size() && kept.ids[end] == kept.ids[end - 1] + 1) ++end;
    runs.push_back(kept.ids[i]);
    runs.push_back(end - i);
    i = end;
  }
  return {{"of", kept.of}, {"runs", std::move(runs)}};
}

// One entry for tensors of a role that are alike; where a role's tensors are not, `of` tells which,
// counting them from 0.
Json storages_json(const Layout& layout) {
  std::vector<std::pair<Json, std::vector<int>>> entries;
  std::map<Role, int> counts;
  std::map<int, std::int64_t> usual_item;  // by width
  for (const TensorPlace& place : layout.tensors) {
    Json json = storage_json(place);
    if (place.is_coded()) {
      const auto usual = usual_item.try_emplace(place.format.bits, place.text_item).first;
      if (place.text_item != usual->second) json["item"] = place.text_item;
    }
    auto found = std::find_if(entries.begin(), entries.end(),
                              [&](const auto& entry) { return entry.first == json; });
    if (found == entries.end()) {
      found = entries.emplace(found, std::move(json), std::vector<int>());
    }
    found->second.push_back(counts[place.key.role]++);
  }
  Json all = Json::array();
  for (auto& [json, of] : entries) {
    const Role role = role_from_name(json.at("role").get<std::string>());
    if (static_cast<int>(of.size()) != counts.at(role)) json["of"] = of;
    all.push_back(std::move(json));
  }
  return all;
}

// Where each text begins: codes by encoding and width, numbers by kind.
Json texts_json(const Layout& layout) {
  Json codes = Json::array(), numbers = Json::object();
  const auto add_codes = [&](const TensorPlace& place) {
    const Json json = {
        {"encoding", place.encoding}, {"bits", place.format.bits}, {"item", place.text_item}};
    if (std::find(codes.begin(), codes.end(), json) == codes.end()) codes.push_back(json);
  };
  for (const TensorPlace& place : layout.tensors) {
    if (place.is_coded()) {
      add_codes(place);
      numbers["scales"] = place.scale_item;
    } else if (place.storage == Storage::halves) {
      numbers[place.shape.rows > 1 ? "matrices" : "vectors"] = place.text_item;
    }
  }
  return {{"codes", std::move(codes)}, {"numbers", std::move(numbers)}};
}

Json names_json(const Model& model, const Layout& layout) {
  std::vector<std::string> names;
  for (const TensorPlace& place : layout.tensors) {
    const auto name = model.names.find(place.key);
    names.push_back(name == model.names.end() ? std::string() : name->second);
  }
  const NameList list = make_name_list(names);
  return {{"patterns", list.patterns}, {"steps", list.steps}};
}

// Patterns of names go with a type and a shape.
Json source_json(const SourceFile& source) {
  std::vector<std::string> names;
  for (const SourceTensor& tensor : source.tensors) {
    names.push_back(Json({tensor.name, tensor.type, tensor.shape}).dump());
  }
  const NameList list = make_name_list(names);
  return {{"format", source.format},
          {"metadata", source.metadata},
          {"tensors", {{"patterns", list.patterns}, {"steps", list.steps}}}};
}

Json template_json(const std::vector<TemplatePart>& parts) {
  Json json = Json::array();
  for (const TemplatePart& part : parts) {
    switch (part.kind) {
      case TemplatePart::Kind::token:
        json.push_back({{"token", part.token}});
        break;
      case TemplatePart::Kind::text:
        json.push_back({{"text", part.text}});
        break;
      case TemplatePart::Kind::user:
        json.push_back(part.lower ? "user|lower" : "user");
        break;
    }
  }
  return json;
}

const char* merge_results(const Tokenizer& tokenizer) {
  switch (merge_lists(tokenizer).kind) {
    case MergeLists::Result::is_rank:
      return "rank";
    case MergeLists::Result::by_rank:
      return "by rank";
    case MergeLists::Result::by_merge:
      return "by merge";
  }
  return "";
}

std::vector<int> ids_of_type(const Tokenizer& tokenizer, TokenType type) {
  std::vector<int> ids;
  for (std::size_t id = 0; id < tokenizer.tokens.size(); ++id) {
    if (tokenizer.tokens[id].type == type) ids.push_back(static_cast<int>(id));
  }
  return ids;
}

// Beside the lists of the text blocks, what becomes of texts and whole and unused tokens.
Json rules_json(const Tokenizer& t) {
  std::vector<int> undone;
  for (const auto& [id, parts] : t.undone) {
    for (const int each : {id, parts.first, parts.second}) undone.push_back(each);
  }
  return {{"collapse_spaces", t.rules.collapse_spaces},
          {"hangul", t.rules.hangul},
          {"mark_row", rule_tables(t.rules).marks.first},
          {"fuse_unknown", t.fuse_unknown},
          {"strip_each_space", t.strip_each_space},
          {"unknown_prints", !ids_of_type(t, TokenType::unknown).empty()},
          {"unused", ids_of_type(t, TokenType::unused)},
          {"undone", std::move(undone)},
          {"whole", ids_of_type(t, TokenType::whole)}};
}

const char* split_name(WordSplit split) {
  switch (split) {
    case WordSplit::none:
      return "none";
    case WordSplit::before_space:
      return "before space";
    case WordSplit::gpt2:
      return "gpt2";
    case WordSplit::steps:
      return "steps";
  }
  return "";
}

Json cut_json(const CutStep& cut) {
  Json json = {{"pattern", cut.pattern}};
  if (cut.drops_matches) json["drops_matches"] = true;
  if (cut.drops_others) json["drops_others"] = true;
  return json;
}

// Whole tokens of tokenizers without rules.
Json added_json(const Tokenizer& t) {
  Json list = Json::array();
  for (const auto& [text, id] : t.whole) {
    Json json = {{"id", id}};
    if (t.tokens[static_cast<std::size_t>(id)].text != text) json["text"] = text;
    if (const auto flags = t.whole_flags.find(id); flags != t.whole_flags.end()) {
      if (flags->second.normalized) json["normalized"] = true;
    }
    list.push_back(std::move(json));
  }
  return list;
}

// Tokens of one letter that this letter does not begin as, where readers would think so: they take
// the first one.
std::vector<int> no_letters(const Tokenizer& t) {
  std::vector<int> ids;
  if (t.kind != TokenizerKind::spaced_bpe) return ids;
  std::set<std::string> taken;
  for (std::size_t id = 0; id < t.tokens.size(); ++id) {
    const auto& [text, type] = t.tokens[id];
    const auto number = static_cast<int>(id);
    const bool is_letter =
        type == TokenType::normal || type == TokenType::unused ||
        (type == TokenType::byte && t.byte_token[static_cast<unsigned char>(text[0])] != number);
    if (!is_letter || text_chars(text).size() != 1 || invalid_byte(text) != text.npos) continue;
    if (taken.contains(text)) continue;
    const auto found = t.alphabet.find(text);
    if (found == t.alphabet.end() || found->second != number) {
      ids.push_back(number);
    } else {
      taken.insert(text);
    }
  }
  return ids;
}

// What few tokenizers have; those without it are written as ever.
void add_rare_settings(const Tokenizer& t, Json& json) {
  for (const CutStep& cut : t.cuts) json["cuts"].push_back(cut_json(cut));
  if (t.form != NormalForm::none) json["form"] = t.form == NormalForm::nfc ? "nfc" : "nfkc";
  if (!t.rules.present && !t.whole.empty()) json["added"] = added_json(t);
  if (!t.joined.empty()) json["joined"] = true;
  if (const auto ids = no_letters(t); !ids.empty()) json["no_letters"] = ids;
  if (t.strip_every_token) json["strip_every_token"] = true;
  const bool marked = !t.rules.present && t.alphabet.contains(kSpaceMark);
  if (t.mark_is_space != marked) json["mark_is_space"] = t.mark_is_space;
}

Json tokenizer_json(const Tokenizer& t) {
  if (!t.present()) return nullptr;
  Json special = Json::object();
  for (std::size_t id = 0; id < t.tokens.size(); ++id) {
    if (t.tokens[id].type == TokenType::special) special[std::to_string(id)] = t.tokens[id].text;
  }
  const bool any_byte =
      std::any_of(t.byte_token.begin(), t.byte_token.end(), [](int id) { return id >= 0; });
  Json json = {{"kind", t.kind == TokenizerKind::spaced_bpe ? "spaced bpe" : "byte bpe"},
               {"split", split_name(t.split)},
               {"unknown", t.unknown},
               {"prefix_space", t.prefix_space},
               {"prefix_unless_space", t.prefix_unless_space},
               {"prefix_only_at_start", t.prefix_only_at_start},
               {"strip_leading_space", t.strip_leading_space},
               {"space_mark", t.alphabet.contains(kSpaceMark)},
               {"bos", t.bos},
               {"add_bos", t.add_bos},
               {"stop_ids", t.stop_ids},
               {"special", std::move(special)},
               {"byte_token", any_byte ? Json(t.byte_token) : Json(nullptr)},
               {"merge_results", merge_results(t)}};
  if (const auto pairs = merge_pairs(t)) json["first_merge"] = pairs->first_result;
  if (t.rules.present) json["rules"] = rules_json(t);
  add_rare_settings(t, json);
  return json;
}

}  // namespace

std::string write_tokenizer_info(const Tokenizer& tokenizer) {
  return tokenizer_json(tokenizer).dump();
}

std::string write_model_info(const Model& model, const Layout& layout,
                             const LowerOptions& options) {
  Json info = {{"format", kFormat},
               {"version", options.version},
               {"title", options.title},
               {"bits", float_bits_text(options.bits)},
               {"spec", Json::parse(spec_to_json(model.spec))},
               {"conventions", model.conventions},
               {"context", layout.context},
               {"kernel", enum_name(layout.kernel)},
               {"codes", layout.codes},
               {"scales", layout.scales},
               {"tokenizer", tokenizer_json(model.tokenizer)},
               {"template",
                {{"first", template_json(model.chat.first)},
                 {"next", template_json(model.chat.next)},
                 {"stop_ids", model.chat.stop_ids}}},
               {"decoding",
                {{"temperature", model.temperature},
                 {"top_k", model.top_k},
                 {"top_p", model.top_p},
                 {"repetition_penalty", model.repetition_penalty}}},
               {"licence", model.licence},
               {"texts", texts_json(layout)},
               {"tensors", storages_json(layout)},
               {"names", names_json(model, layout)},
               {"source", source_json(model.source)}};
  if (model.rounding.any()) info["rounding"] = rounding_json(model.rounding);
  if (model.quantiser != Quantiser::nearest) {
    info["quantiser"] = {{"name", enum_name(model.quantiser)}, {"calibration", model.calibration}};
  }
  if (!model.kept.all()) info["kept_tokens"] = kept_json(model.kept);
  // In somebody else's project, readers must know what is ours.
  if (options.shares_project) info["targets"] = {kEngineName};
  return info.dump();
}

}  // namespace sb3lm
