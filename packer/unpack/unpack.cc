#include "unpack/unpack.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/half.h"
#include "model/json_value.h"
#include "model/name_list.h"
#include "model/project_names.h"
#include "model/spec_json.h"
#include "quant/encoding.h"
#include "quant/range.h"
#include "quant/text_runs.h"
#include "unpack/read_about.h"
#include "unpack/read_letters.h"
#include "unpack/read_tokenizer.h"

namespace sb3lm {
namespace {

using Json = nlohmann::json;

constexpr int kFormat = 3;
constexpr std::int64_t kMaxWeights = std::int64_t{1} << 31;  // of a tensor
constexpr std::size_t kMaxNameBytes = std::size_t{1} << 26;

class ModelReader {
 public:
  ModelReader(const std::string& file, const scratch::Program& program)
      : file_(file), info_(file + ": model info"), program_(program) {}

  Unpacked read() {
    const Json json = parse_info();
    const JsonFields info(json, info_);
    if (const int format = info.get<int>("format"); format != kFormat) {
      fail(Fault::unsupported, "{}: model info: format {}, this program reads {}: build it again",
           file_, format, kFormat);
    }
    out_.version = info.get<std::string>("version");
    out_.title = info.get<std::string>("title");
    out_.bits = read_float_bits(info.get<std::string>("bits"));
    out_.context = info.get<int>("context");
    out_.kernel = read_kernel(info.get<std::string>("kernel"));
    out_.model.spec = spec_from_json(info.at("spec").dump(), info_);
    out_.model.spec.validate(file_);
    read_tensors(info);
    read_names(info.fields("names"));
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
    const std::string& text = text_item(names::kText, item);
    if (letter < 1 || letter > static_cast<std::int64_t>(text.size()) + 1) {
      broken(fmt::format("weight text {}: it has no letter {}", item, letter));
    }
    return std::string_view(text).substr(static_cast<std::size_t>(letter - 1));
  }

  Json parse_info() const {
    if (find_list(names::kModelInfo) == nullptr) {
      broken("not made by sb3lm: it has no list 'model info'");
    }
    return parse_json(info_, text_item(names::kModelInfo, 1));
  }

  FloatBits read_float_bits(const std::string& text) const {
    const std::optional<FloatBits> bits = float_bits_from_text(text);
    if (!bits) broken(fmt::format("model info: float weights of width '{}'", text));
    return *bits;
  }

  Kernel read_kernel(const std::string& text) const {
    const std::optional<Kernel> kernel = enum_named<Kernel>(text);
    if (!kernel) broken(fmt::format("model info: kernel '{}'", text));
    return *kernel;
  }

  // What the model info says of a role's tensors, counted from 0.
  struct Entries {
    std::map<int, const Json*> of;
    const Json* others = nullptr;
  };

  // Tensors lie one after the other in the order of expected_tensors, each kind in its own text.
  void read_tensors(const JsonFields& info) {
    std::map<Role, Entries> roles;
    for (const Json& json : info.list("tensors")) {
      const JsonFields entry = fields_of_tensor(json);
      const auto role = entry.get<std::string>("role");
      Entries& entries = roles[reading("model info", [&] { return role_from_name(role); })];
      if (!entry.has("of")) {
        entries.others = &json;
      } else {
        for (const int which : entry.get<std::vector<int>>("of")) entries.of[which] = &json;
      }
    }
    std::map<Role, int> counts;
    const bool runs = out_.kernel == Kernel::columns;
    for (const auto& [key, shape] : expected_tensors(out_.model.spec)) {
      const Entries& entries = roles[key.role];
      const auto found = entries.of.find(counts[key.role]++);
      const Json* entry = found == entries.of.end() ? entries.others : found->second;
      if (entry == nullptr) broken(tensor_key_text(key) + ": missing");
      if (runs) {
        read_of_runs({.key = key, .shape = shape}, fields_of_tensor(*entry));
      } else {
        read_tensor({.key = key, .shape = shape}, fields_of_tensor(*entry), info.fields("texts"));
      }
    }
    if (runs) read_runs();
  }

  JsonFields fields_of_tensor(const Json& json) const { return {json, info_ + ": 'tensors'"}; }

  void check_shape(const UnpackedTensor& place) const {
    const std::int64_t rows = place.shape.rows, cols = place.shape.cols;
    if (rows < 1 || cols < 1 || rows > kMaxWeights / cols) {
      broken(fmt::format("model info: shape of {}", tensor_key_text(place.key)));
    }
  }

  // A tensor whose text comes with others'; floats have none.
  void read_of_runs(UnpackedTensor place, const JsonFields& entry) {
    check_shape(place);
    place.shares_texts = entry.has("bits") || entry.get<std::string>("type") == "f16";
    if (entry.has("bits")) {
      place.bits = entry.get<int>("bits");
      place.encoding = entry.get<std::string>("encoding");
      const std::string what = tensor_key_text(place.key);
      const CodeEncoding& encoding = *reading(what, [&] { return &code_encoding(place.encoding); });
      if (encoding.streams(place.bits) != 1 || encoding.codebook_letters(place.bits) == 0) {
        broken(fmt::format("model info: {} of {} bits in {}", what, place.bits, place.encoding));
      }
      run_tensors_.push_back({place.key, place.shape, place.bits});
    } else if (place.shares_texts) {
      run_tensors_.push_back({place.key, place.shape, 0});
    } else {
      place.stride = place.shape.cols;
      place.scales_at =
          std::exchange(floats_at_, floats_at_ + std::int64_t{place.shape.rows} * place.stride);
      out_.model.tensors[place.key] = read_floats(place, entry.get<std::string>("type") == "bf16");
    }
    out_.tensors.push_back(std::move(place));
  }

  UnpackedTensor& unpacked(const TensorKey& key) {
    return *std::find_if(out_.tensors.begin(), out_.tensors.end(),
                         [&](const UnpackedTensor& tensor) { return tensor.key == key; });
  }

  void read_runs() {
    std::int64_t item = 2;
    for (const TextRun& run : text_runs(run_tensors_)) {
      std::int64_t rows = 0, numbers = 0;
      for (const std::size_t i : run.tensors) {
        rows += run_tensors_[i].shape.rows;
        numbers += std::int64_t{run_tensors_[i].shape.rows} * run_tensors_[i].shape.cols;
      }
      if (numbers > kMaxWeights) broken("model info: too many weights share a text");
      run.bits > 0 ? read_code_run(run, item, static_cast<int>(rows))
                   : read_number_run(run, item, numbers);
      item += run.items();
    }
  }

  // Its text is shared out by rows, which is about what each tensor has of it.
  void read_code_run(const TextRun& run, std::int64_t item, int rows) {
    CodedTensor all{.shape = {rows, run.cols}, .format = CodeFormat::of_bits(run.bits)};
    const std::string first = tensor_key_text(run_tensors_[run.tensors.front()].key);
    const std::string_view text = letters(item, 1), scale_text = letters(item + 2, 1);
    const CodeEncoding& encoding =
        code_encoding(unpacked(run_tensors_[run.tensors.front()].key).encoding);
    reading(first, [&] { return encoding.unpack(std::span(&text, 1), letters(item - 1, 1), all); });
    const std::vector<std::uint16_t> scales = reading(first, [&] {
      return range_unpack_halves(letters(item + 1, 1), scale_text, static_cast<std::size_t>(rows));
    });
    std::int64_t row = 0;
    for (const std::size_t i : run.tensors) {
      const Shape shape = run_tensors_[i].shape;
      CodedTensor tensor{.shape = shape, .format = all.format, .codes = {}, .row_scale = {}};
      const std::int64_t end = row + shape.rows;
      tensor.codes.assign(all.codes.begin() + row * run.cols, all.codes.begin() + end * run.cols);
      tensor.row_scale.assign(scales.begin() + row, scales.begin() + end);
      UnpackedTensor& place = unpacked(run_tensors_[i].key);
      std::tie(place.letter, place.letters) = share(text.size(), row, end, rows);
      std::tie(place.scale_letter, place.scale_letters) = share(scale_text.size(), row, end, rows);
      place.item = item;
      place.scale_item = item + 2;
      out_.model.tensors[place.key] = std::move(tensor);
      row = end;
    }
  }

  void read_number_run(const TextRun& run, std::int64_t item, std::int64_t count) {
    const std::string first = tensor_key_text(run_tensors_[run.tensors.front()].key);
    const std::string_view text = letters(item, 1);
    const std::vector<std::uint16_t> halves = reading(first, [&] {
      return range_unpack_halves(letters(item - 1, 1), text, static_cast<std::size_t>(count));
    });
    std::int64_t at = 0;
    for (const std::size_t i : run.tensors) {
      const Shape shape = run_tensors_[i].shape;
      FloatTensor tensor{.shape = shape, .type = FloatType::f16, .values = {}};
      const std::int64_t end = at + std::int64_t{shape.rows} * shape.cols;
      UnpackedTensor& place = unpacked(run_tensors_[i].key);
      std::tie(place.letter, place.letters) = share(text.size(), at, end, count);
      place.item = item;
      for (; at < end; ++at) {
        tensor.values.push_back(
            static_cast<float>(half_to_double(halves[static_cast<std::size_t>(at)])));
      }
      out_.model.tensors[place.key] = std::move(tensor);
    }
  }

  // The letters, from 1, of parts [from, to) of `all`: first and count.
  static std::pair<std::int64_t, std::int64_t> share(std::size_t text, std::int64_t from,
                                                     std::int64_t to, std::int64_t all) {
    const auto at = [&](std::int64_t part) {
      return static_cast<std::int64_t>(static_cast<double>(text) * static_cast<double>(part) /
                                       static_cast<double>(all));
    };
    return {at(from) + 1, at(to) - at(from)};
  }

  void read_tensor(UnpackedTensor place, const JsonFields& entry, const JsonFields& texts) {
    check_shape(place);
    const std::int64_t rows = place.shape.rows, cols = place.shape.cols;
    place.base = entry.get("base", 0);
    if (entry.has("bits")) {
      place.bits = entry.get<int>("bits");
      place.encoding = entry.get<std::string>("encoding");
      place.item = entry.has("item") ? entry.get<std::int64_t>("item") : codes_item(texts, place);
      place.scale_item = texts.fields("numbers").get<std::int64_t>("scales");
      place.scale_letter = advance(place.scale_item, rows);
      out_.model.tensors[place.key] = read_codes(place);
    } else if (entry.get<std::string>("type") == "f16") {
      place.item = texts.fields("numbers").get<std::int64_t>(rows > 1 ? "matrices" : "vectors");
      place.letter = advance(place.item, rows * cols);
      out_.model.tensors[place.key] = read_halves(place);
    } else {
      place.stride = entry.get<std::int64_t>("stride");
      if (place.stride < cols || place.stride > kMaxWeights / rows) {
        broken(fmt::format("model info: stride of {}", tensor_key_text(place.key)));
      }
      place.scales_at = std::exchange(floats_at_, floats_at_ + rows * place.stride);
      out_.model.tensors[place.key] = read_floats(place, entry.get<std::string>("type") == "bf16");
    }
    out_.tensors.push_back(std::move(place));
  }

  std::int64_t codes_item(const JsonFields& texts, const UnpackedTensor& place) const {
    for (const Json& json : texts.list("codes")) {
      const JsonFields text(json, info_ + ": 'codes'");
      if (text.get<std::string>("encoding") == place.encoding &&
          text.get<int>("bits") == place.bits) {
        return text.get<std::int64_t>("item");
      }
    }
    broken(fmt::format("model info: no text of {} bits in {}", place.bits, place.encoding));
  }

  /// The next letter of a text, which `count` letters are taken from.
  std::int64_t advance(std::int64_t item, std::int64_t count) {
    std::int64_t& next = next_letter_.try_emplace(item, 1).first->second;
    return std::exchange(next, next + count);
  }

  std::vector<std::string> read_list(const JsonFields& json) const {
    const NameList list = {.patterns = json.get<std::vector<std::string>>("patterns"),
                           .steps = json.get<std::vector<std::int64_t>>("steps")};
    return reading("model info", [&] { return read_name_list(list, kMaxNameBytes); });
  }

  void read_names(const JsonFields& json) {
    const std::vector<std::string> names = read_list(json);
    if (names.size() != out_.tensors.size()) broken("model info: names of tensors");
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!names[i].empty()) out_.model.names[out_.tensors[i].key] = names[i];
    }
  }

  std::vector<std::uint16_t> read_numbers(const UnpackedTensor& place, std::int64_t item,
                                          std::int64_t letter, std::size_t count) const {
    std::vector<std::string_view> streams;
    streams.reserve(kHalfStreams);
    for (int k = 0; k < kHalfStreams; ++k) streams.push_back(letters(item + k, letter));
    return reading(tensor_key_text(place.key),
                   [&] { return unpack_halves(streams, place.base, count); });
  }

  Tensor read_codes(UnpackedTensor& place) {
    const std::string what = tensor_key_text(place.key);
    const CodeEncoding& encoding = *reading(what, [&] { return &code_encoding(place.encoding); });
    const int streams = place.bits >= 1 && place.bits <= 8 ? encoding.streams(place.bits) : 0;
    if (streams == 0) broken(fmt::format("model info: {} bits", place.bits));
    CodedTensor tensor{.shape = place.shape, .format = CodeFormat::of_bits(place.bits)};
    place.letter = advance(place.item, 0);
    std::vector<std::string_view> texts;
    texts.reserve(static_cast<std::size_t>(streams));
    for (int stream = 0; stream < streams; ++stream) {
      texts.push_back(letters(place.item + stream, place.letter));
    }
    std::string_view codebook;
    if (encoding.codebook_letters(place.bits) > 0) codebook = letters(place.item - 1, 1);
    place.letters = static_cast<std::int64_t>(
        reading(what, [&] { return encoding.unpack(texts, codebook, tensor); }));
    advance(place.item, place.letters);
    tensor.row_scale = read_numbers(place, place.scale_item, place.scale_letter,
                                    static_cast<std::size_t>(place.shape.rows));
    return tensor;
  }

  Tensor read_halves(const UnpackedTensor& place) const {
    FloatTensor tensor{.shape = place.shape, .type = FloatType::f16};
    const auto count = static_cast<std::size_t>(place.shape.rows) * place.shape.cols;
    for (const std::uint16_t half : read_numbers(place, place.item, place.letter, count)) {
      tensor.values.push_back(static_cast<float>(half_to_double(half)));
    }
    return tensor;
  }

  Tensor read_floats(const UnpackedTensor& place, bool bf16) const {
    const scratch::List* list = find_list(names::kScales);
    const std::int64_t first = place.scales_at, stride = place.stride;
    const auto available = static_cast<std::int64_t>(list == nullptr ? 0 : list->items.size());
    if (first > available ||
        (available - first + 1 - place.shape.cols) / stride + 1 < place.shape.rows) {
      broken(fmt::format("{}: list '_scales' is too short", tensor_key_text(place.key)));
    }
    FloatTensor tensor{.shape = place.shape, .type = FloatType::f32};
    if (bf16) tensor.type = FloatType::bf16;
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

  void read_rest(const JsonFields& info) {
    read_about(info, info_, out_.model);
    read_source(info.fields("source"));
    out_.model.tokenizer = read_tokenizer(file_, program_, info.at("tokenizer"));
    out_.letters = read_letters(program_);
  }

  void read_source(const JsonFields& json) {
    SourceFile& source = out_.model.source;
    source.format = json.get<std::string>("format");
    source.metadata = json.get<std::map<std::string, std::string>>("metadata");
    for (const std::string& text : read_list(json.fields("tensors"))) {
      const Json tensor = Json::parse(text, nullptr, false);
      if (!tensor.is_array() || tensor.size() != 3) broken("model info: source tensor " + text);
      const auto name = json_as<std::string>(tensor[0]), type = json_as<std::string>(tensor[1]);
      const auto shape = json_as<std::vector<std::int64_t>>(tensor[2]);
      if (!name || !type || !shape) broken("model info: source tensor " + text);
      source.tensors.push_back({*name, *type, *shape});
    }
  }

  std::string file_, info_;  // what complaints begin with
  const scratch::Program& program_;
  Unpacked out_;
  std::map<std::int64_t, std::int64_t> next_letter_;  // by text item
  std::int64_t floats_at_ = 1;
  std::vector<RunTensor> run_tensors_;  // where tensors share their texts
};

}  // namespace

std::optional<std::set<std::string>> own_targets(const scratch::Target& stage) {
  for (const scratch::List& list : stage.lists) {
    if (list.name != names::kModelInfo || list.items.empty()) continue;
    const auto* text = std::get_if<std::string>(&list.items.front());
    const Json info = text ? Json::parse(*text, nullptr, false) : Json();
    if (!info.is_object() || !info.contains("targets") || !info["targets"].is_array()) break;
    std::set<std::string> names;
    for (const Json& name : info["targets"]) {
      if (name.is_string()) names.insert(name.get<std::string>());
    }
    return names;
  }
  return std::nullopt;
}

Unpacked unpack(const std::string& file, const scratch::Program& program) {
  return ModelReader(file, program).read();
}

}  // namespace sb3lm
