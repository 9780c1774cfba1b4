#include "lower/model_info.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "kernels/text_tables.h"

namespace sb3lm {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 2;
constexpr const char* kSpaceMark = "\xE2\x96\x81";  // U+2581, which some tokenizers read as a space

Json rope_json(const RopeSpec& rope) {
  const char* layout = rope.layout == RopeLayout::none         ? "none"
                       : rope.layout == RopeLayout::half_split ? "half-split"
                                                               : "interleaved";
  return {{"layout", layout}, {"base", rope.base}, {"dims", rope.dims}, {"sign", rope.sign}};
}

Json layer_json(const LayerSpec& layer) {
  const AttentionSpec& a = layer.attention;
  const FeedForwardSpec& f = layer.feed_forward;
  Json json = {{"id", layer.id},
               {"query_heads", a.query_heads},
               {"kv_heads", a.kv_heads},
               {"head_size", a.head_size},
               {"rope", rope_json(a.rope)},
               {"hidden", f.hidden},
               {"routed_experts", f.routed_experts},
               {"top_k", f.top_k},
               {"shared_experts", f.shared_experts},
               {"shared_hidden", f.shared_hidden},
               {"router_norm", f.router_norm == RouterNorm::chosen ? "chosen" : "all"}};
  if (a.qkv_bias) json["qkv_bias"] = true;
  if (f.shared_gated) json["shared_gated"] = true;
  return json;
}

Json spec_json(const ModelSpec& spec) {
  Json layers = Json::array();
  for (const LayerSpec& layer : spec.layers) layers.push_back(layer_json(layer));
  return {{"family", spec.family},         {"width", spec.width},
          {"vocabulary", spec.vocabulary}, {"context", spec.context},
          {"norm_eps", spec.norm_eps},     {"tied_head", spec.tied_head},
          {"layers", std::move(layers)},   {"passes", spec.passes}};
}

const char* type_name(FloatType type) {
  return type == FloatType::f32 ? "f32" : type == FloatType::f16 ? "f16" : "bf16";
}

Json tensor_json(const Model& model, const TensorPlace& place) {
  Json json = {{"role", role_name(place.key.role)}};
  if (place.key.layer >= 0) json["layer"] = place.key.layer;
  if (place.key.expert >= 0) json["expert"] = place.key.expert;
  if (const auto name = model.names.find(place.key); name != model.names.end()) {
    json["name"] = name->second;
  }
  json["shape"] = {place.shape.rows, place.shape.cols};
  if (place.is_coded()) {
    json["bits"] = place.format.bits;
    json["encoding"] = place.encoding;
    json["codes_at"] = place.codes_at;
  } else {
    json["type"] = type_name(place.type);
    json["stride"] = place.stride;
  }
  if (place.storage != Storage::floats) {
    json["smallest"] = place.smallest;
    json["item"] = place.text_item;
    json["letter"] = place.text_letter;
  }
  if (place.is_coded()) json["scale_letter"] = place.scale_letter;
  json["scales_at"] = place.scales_at;
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

Json source_json(const SourceFile& source) {
  Json tensors = Json::array();
  for (const SourceTensor& tensor : source.tensors) {
    tensors.push_back({tensor.name, tensor.type, tensor.shape});
  }
  return {
      {"format", source.format}, {"metadata", source.metadata}, {"tensors", std::move(tensors)}};
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
        json.push_back("user");
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

Json tokenizer_json(const Tokenizer& t) {
  if (!t.present()) return nullptr;
  const char* split = t.split == WordSplit::none           ? "none"
                      : t.split == WordSplit::before_space ? "before space"
                                                           : "gpt2";
  Json special = Json::object();
  for (std::size_t id = 0; id < t.tokens.size(); ++id) {
    if (t.tokens[id].type == TokenType::special) special[std::to_string(id)] = t.tokens[id].text;
  }
  const bool any_byte =
      std::any_of(t.byte_token.begin(), t.byte_token.end(), [](int id) { return id >= 0; });
  Json json = {{"kind", t.kind == TokenizerKind::spaced_bpe ? "spaced bpe" : "byte bpe"},
               {"split", split},
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
  return json;
}

}  // namespace

std::string write_model_info(const Model& model, const Layout& layout,
                             const LowerOptions& options) {
  Json tensors = Json::array();
  for (const TensorPlace& place : layout.tensors) tensors.push_back(tensor_json(model, place));
  Json info = {{"format", kFormat},
               {"version", options.version},
               {"title", options.title},
               {"bits", options.bits},
               {"spec", spec_json(model.spec)},
               {"conventions", model.conventions},
               {"context", layout.context},
               {"kernel", layout.kernel == Kernel::naive ? "naive" : "tables"},
               {"halves_item", layout.halves_item},
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
               {"tensors", std::move(tensors)},
               {"source", source_json(model.source)}};
  if (model.rounding.any()) info["rounding"] = rounding_json(model.rounding);
  return info.dump();
}

}  // namespace sb3lm
