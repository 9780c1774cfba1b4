#include "unpack/unpack.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/half.h"
#include "quant/encoding.h"
#include "unpack/read_tokenizer.h"

namespace sb3lm {
namespace {

using Json = nlohmann::json;

constexpr int kFormat = 2;

class ModelReader {
 public:
  ModelReader(std::string file, const scratch::Program& program)
      : file_(std::move(file)), program_(program) {}

  Unpacked read() {
    const Json info = parse_info();
    if (const int format = info.at("format"); format != kFormat) {
      fail(Fault::unsupported, "{}: model info: format {}, this program reads {}: build it again",
           file_, format, kFormat);
    }
    out_.version = info.at("version");
    out_.title = info.at("title");
    out_.bits = info.at("bits");
    out_.context = info.at("context");
    out_.kernel = info.at("kernel");
    if (out_.kernel != "tables" && out_.kernel != "naive") {
      broken(fmt::format("model info: kernel '{}'", out_.kernel));
    }
    out_.halves_item = info.at("halves_item");
    read_spec(info.at("spec"));
    out_.model.spec.validate(file_);
    for (const Json& tensor : info.at("tensors")) read_tensor(tensor);
    check_complete();
    read_rest(info);
    return std::move(out_);
  }

 private:
  [[noreturn]] void broken(const std::string& what) const {
    sb3lm::fail(Fault::bad_input, "{}: {}", file_, what);
  }

  // For calls whose errors know neither the file nor what is being read.
  template <class Call>
  auto reading(const std::string& what, Call call) const {
    try {
      return call();
    } catch (const Error& error) {
      throw Error(error.fault, fmt::format("{}: {}: {}", file_, what, error.what()));
    }
  }

  const scratch::List* find_list(const std::string& name) const {
    for (const scratch::Target& target : program_.targets) {
      for (const scratch::List& list : target.lists) {
        if (list.name == name) return &list;
      }
    }
    return nullptr;
  }

  const std::string& text_item(const char* list_name, std::int64_t item) const {
    const scratch::List* list = find_list(list_name);
    if (list == nullptr || item < 1 || item > static_cast<std::int64_t>(list->items.size())) {
      broken(fmt::format("list '{}': it has no item {}", list_name, item));
    }
    const auto* text = std::get_if<std::string>(&list->items[static_cast<std::size_t>(item - 1)]);
    if (text == nullptr) broken(fmt::format("list '{}': item {} is no text", list_name, item));
    return *text;
  }

  std::string_view letters(std::int64_t item, std::int64_t letter) const {
    const std::string& text = text_item("_text", item);
    if (letter < 1 || letter > static_cast<std::int64_t>(text.size()) + 1) {
      broken(fmt::format("weight text {}: it has no letter {}", item, letter));
    }
    return std::string_view(text).substr(static_cast<std::size_t>(letter - 1));
  }

  Json parse_info() const {
    if (find_list("model info") == nullptr) {
      broken("not made by sb3lm: it has no list 'model info'");
    }
    Json info = Json::parse(text_item("model info", 1), nullptr, false);
    if (!info.is_object()) broken("model info: not a JSON object");
    return info;
  }

  void read_spec(const Json& json) {
    ModelSpec& spec = out_.model.spec;
    spec.family = json.at("family");
    spec.width = json.at("width");
    spec.vocabulary = json.at("vocabulary");
    spec.context = json.at("context");
    spec.norm_eps = json.at("norm_eps");
    spec.tied_head = json.at("tied_head");
    for (const Json& layer : json.at("layers")) spec.layers.push_back(read_layer(layer));
    spec.passes = json.at("passes").get<std::vector<int>>();
  }

  static LayerSpec read_layer(const Json& json) {
    const Json& rope = json.at("rope");
    const std::string layout = rope.at("layout");
    const RopeSpec rope_spec = {.layout = layout == "none"         ? RopeLayout::none
                                          : layout == "half-split" ? RopeLayout::half_split
                                                                   : RopeLayout::interleaved,
                                .base = rope.at("base"),
                                .dims = rope.at("dims"),
                                .sign = rope.at("sign")};
    return {.id = json.at("id"),
            .attention = {.query_heads = json.at("query_heads"),
                          .kv_heads = json.at("kv_heads"),
                          .head_size = json.at("head_size"),
                          .rope = rope_spec,
                          .qkv_bias = json.value("qkv_bias", false)},
            .feed_forward = {.hidden = json.at("hidden"),
                             .routed_experts = json.at("routed_experts"),
                             .top_k = json.at("top_k"),
                             .shared_experts = json.at("shared_experts"),
                             .shared_hidden = json.at("shared_hidden"),
                             .shared_gated = json.value("shared_gated", false),
                             .router_norm = json.at("router_norm") == "all" ? RouterNorm::all
                                                                            : RouterNorm::chosen}};
  }

  void read_tensor(const Json& json) {
    const std::string role = json.at("role");
    UnpackedTensor place{
        .key = {.role = reading("model info", [&] { return role_from_name(role); }),
                .layer = json.value("layer", -1),
                .expert = json.value("expert", -1)},
        .shape = {json.at("shape").at(0), json.at("shape").at(1)}};
    const auto size = std::int64_t{place.shape.rows} * place.shape.cols;
    if (place.shape.rows < 1 || place.shape.cols < 1 || size > (std::int64_t{1} << 31)) {
      broken(fmt::format("model info: shape of {}", tensor_key_text(place.key)));
    }
    place.item = json.value("item", 0);
    place.letter = json.value("letter", 0);
    place.smallest = json.value("smallest", 0);
    if (json.contains("bits")) {
      place.bits = json.at("bits");
      place.encoding = json.at("encoding");
      place.scale_letter = json.at("scale_letter");
      out_.model.tensors[place.key] = read_codes(place);
    } else if (place.item != 0) {
      out_.model.tensors[place.key] = read_halves(place);
    } else {
      out_.model.tensors[place.key] = read_floats(place, json);
    }
    if (json.contains("name")) out_.model.names[place.key] = json.at("name");
    out_.tensors.push_back(std::move(place));
  }

  std::vector<std::uint16_t> read_numbers(const UnpackedTensor& place, std::int64_t letter,
                                          std::size_t count) const {
    std::vector<std::string_view> streams;
    for (int k = 0; k < kHalfStreams; ++k) streams.push_back(letters(out_.halves_item + k, letter));
    return reading(tensor_key_text(place.key),
                   [&] { return unpack_halves(streams, place.smallest, count); });
  }

  Tensor read_codes(const UnpackedTensor& place) const {
    const std::string what = tensor_key_text(place.key);
    const CodeEncoding& encoding = *reading(what, [&] { return &code_encoding(place.encoding); });
    const int streams = place.bits >= 1 && place.bits <= 8 ? encoding.streams(place.bits) : 0;
    if (streams == 0) broken(fmt::format("model info: {} bits", place.bits));
    CodedTensor tensor{.shape = place.shape, .format = CodeFormat::of_bits(place.bits)};
    std::vector<std::string_view> texts;
    for (int stream = 0; stream < streams; ++stream) {
      texts.push_back(letters(place.item + stream, place.letter));
    }
    std::string_view codebook;
    if (encoding.codebook_letters(place.bits) > 0) codebook = letters(place.item - 1, 1);
    reading(what, [&] { encoding.unpack(texts, codebook, tensor); });
    tensor.row_scale =
        read_numbers(place, place.scale_letter, static_cast<std::size_t>(place.shape.rows));
    return tensor;
  }

  Tensor read_halves(const UnpackedTensor& place) const {
    FloatTensor tensor{.shape = place.shape, .type = FloatType::f16};
    const auto count = static_cast<std::size_t>(place.shape.rows) * place.shape.cols;
    for (const std::uint16_t half : read_numbers(place, place.letter, count)) {
      tensor.values.push_back(static_cast<float>(half_to_double(half)));
    }
    return tensor;
  }

  Tensor read_floats(const UnpackedTensor& place, const Json& json) const {
    const scratch::List* list = find_list("_scales");
    const std::int64_t first = json.at("scales_at"), stride = json.at("stride");
    const auto available = static_cast<std::int64_t>(list == nullptr ? 0 : list->items.size());
    if (first < 1 || stride < place.shape.cols || first > available ||
        (available - first + 1 - place.shape.cols) / stride + 1 < place.shape.rows) {
      broken(fmt::format("{}: list '_scales' is too short", tensor_key_text(place.key)));
    }
    FloatTensor tensor{.shape = place.shape, .type = FloatType::f32};
    if (json.at("type") == "bf16") tensor.type = FloatType::bf16;
    for (int row = 0; row < place.shape.rows; ++row) {
      for (int col = 0; col < place.shape.cols; ++col) {
        const auto& item = list->items[static_cast<std::size_t>(first - 1 + row * stride + col)];
        const auto* number = std::get_if<double>(&item);
        if (number == nullptr) broken(tensor_key_text(place.key) + ": a weight is no number");
        tensor.values.push_back(static_cast<float>(*number));
      }
    }
    return tensor;
  }

  void check_complete() const {
    const auto expected = expected_tensors(out_.model.spec);
    for (const auto& [key, shape] : expected) {
      const auto found = out_.model.tensors.find(key);
      if (found == out_.model.tensors.end()) broken(tensor_key_text(key) + ": missing");
      if (shape_of(found->second) != shape) broken(tensor_key_text(key) + ": wrong shape");
    }
    if (expected.size() != out_.model.tensors.size()) broken("model info: tensors of no use");
  }

  void read_rest(const Json& info) {
    Model& model = out_.model;
    model.conventions = info.at("conventions").get<std::map<std::string, std::string>>();
    model.licence = info.at("licence");
    if (info.contains("rounding")) model.rounding = read_rounding(info.at("rounding"));
    const Json& decoding = info.at("decoding");
    model.temperature = decoding.at("temperature");
    model.top_k = decoding.at("top_k");
    model.top_p = decoding.at("top_p");
    model.repetition_penalty = decoding.at("repetition_penalty");
    const Json& source = info.at("source");
    model.source.format = source.at("format");
    model.source.metadata = source.at("metadata").get<std::map<std::string, std::string>>();
    for (const Json& tensor : source.at("tensors")) {
      model.source.tensors.push_back(
          {tensor.at(0), tensor.at(1), tensor.at(2).get<std::vector<std::int64_t>>()});
    }
    model.tokenizer = read_tokenizer(file_, program_, info.at("tokenizer").dump());
    const Json& chat = info.at("template");
    model.chat = {.first = read_template(chat.at("first")),
                  .next = read_template(chat.at("next")),
                  .stop_ids = chat.at("stop_ids").get<std::vector<int>>()};
  }

  static Rounding read_rounding(const Json& json) {
    Rounding rounding{.scale_bits = json.at("scales"), .router_bits = json.at("routers")};
    if (json.contains("tokens")) {
      rounding.change = {.tokens = json.at("tokens"),
                         .logits = json.at("logits"),
                         .perplexity_before = json.at("perplexity").at(0),
                         .perplexity_after = json.at("perplexity").at(1)};
    }
    return rounding;
  }

  static std::vector<TemplatePart> read_template(const Json& json) {
    std::vector<TemplatePart> parts;
    for (const Json& part : json) {
      if (part.is_string()) {
        parts.push_back({.kind = TemplatePart::Kind::user});
      } else if (part.contains("token")) {
        parts.push_back({.kind = TemplatePart::Kind::token, .token = part.at("token")});
      } else {
        parts.push_back({.kind = TemplatePart::Kind::text, .text = part.at("text")});
      }
    }
    return parts;
  }

  std::string file_;
  const scratch::Program& program_;
  Unpacked out_;
};

}  // namespace

Unpacked unpack(const std::string& file, const scratch::Program& program) {
  try {
    return ModelReader(file, program).read();
  } catch (const Json::exception& error) {
    fail(Fault::bad_input, "{}: model info: {}", file, error.what());
  }
}

}  // namespace sb3lm
