// Reports on projects that are built here: everything must add up to the file, to the bit.
#include "report/report.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/entropy.h"
#include "base/error.h"
#include "base/file.h"
#include "lower/lower.h"
#include "model/kept_tokens.h"
#include "quant/encoding.h"
#include "quant/rtn.h"
#include "report/html.h"
#include "report/pieces.h"
#include "report/separators.h"
#include "report/text.h"
#include "sb3/sb3.h"
#include "sb3/zip.h"
#include "support/built_models.h"
#include "support/tiny_model.h"

using namespace sb3lm;

namespace {

std::string build(const Model& model, int level) {
  SilentProgress progress;
  return write_sb3(lower(model, {.context = 64, .title = "test"}), level, progress);
}

Model quantised(const std::string& preset) {
  Model model = tiny_model(preset);
  quantise_matrices(model, 8);
  return model;
}

const ComponentRow& row(const Report& report, Component component) {
  return report.components.at(static_cast<std::size_t>(component));
}

void check_adds_up(const Report& report, std::size_t size) {
  std::uint64_t bits = 0, of_tensors = 0, of_weights = 0;
  std::size_t bytes = 0;
  for (const ComponentRow& component : report.components) {
    bits += component.sb3_bits;
    bytes += component.sb3_bytes;
    if (component.values != 0) of_weights += component.sb3_bits;
  }
  for (const TensorRow& tensor : report.tensors) of_tensors += tensor.sb3_bits;
  CHECK(bytes == size);
  CHECK(bits == 8 * size);
  CHECK(of_tensors == of_weights);
  CHECK(report.measures.sb3_bytes == size);
}

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

struct Built {
  explicit Built(const Model& source)
      : sb3(build(source, 6)),
        json(read_zip("x", as_bytes(sb3)).at("project.json")),
        program(read_sb3("x", as_bytes(sb3))),
        unpacked(unpack("x", program)),
        pieces(cut_project(map_project("x", json), unpacked)) {}

  // The tensor's text of one component, from all its pieces.
  std::string text(const TensorKey& key, Component component) const {
    std::string found;
    for (const Piece& piece : pieces) {
      if (piece.tensor != key || piece.component != component) continue;
      found += json.substr(piece.span.begin, piece.span.size());
    }
    return found;
  }

  const UnpackedTensor& place(const TensorKey& key) const {
    return *std::find_if(unpacked.tensors.begin(), unpacked.tensors.end(),
                         [&](const UnpackedTensor& one) { return one.key == key; });
  }

  // The codebook of this tensor's width, from its text list.
  std::string codebook(const TensorKey& key) const {
    if (place(key).bits == 1) return "";
    for (const scratch::List& list : test::engine_of(program).lists) {
      if (list.name != "_text") continue;
      return std::get<std::string>(list.items.at(static_cast<std::size_t>(place(key).item - 2)));
    }
    return "none";
  }

  std::string packed_scales(const TensorKey& key, const CodedTensor& coded) const {
    std::vector<std::string> streams(kHalfStreams);
    pack_halves(coded.row_scale, place(key).base, streams);
    return streams[0] + streams[1] + streams[2] + streams[3];
  }

  std::string sb3, json;
  scratch::Program program;
  Unpacked unpacked;
  std::vector<Piece> pieces;
};

// `codebook`: of this width.
std::string packed_text(const CodedTensor& tensor, const std::string& codebook) {
  const CodeEncoding& encoding = code_encoding("digits");
  std::vector<std::string> streams(static_cast<std::size_t>(encoding.streams(tensor.format.bits)));
  encoding.pack(tensor, codebook, streams);
  std::string all;
  for (const std::string& stream : streams) all += stream;
  return all;
}

}  // namespace

TEST_CASE("components add up to the file") {
  for (const SynthPreset& preset : synth_presets()) {
    if (preset.full_scale) continue;
    CAPTURE(preset.name);
    const Model model = quantised(std::string(preset.name));
    for (const int level : {1, 6, 12}) {
      CAPTURE(level);
      const std::string sb3 = build(model, level);
      const Report report = make_report("x.sb3", as_bytes(sb3));
      check_adds_up(report, sb3.size());
      for (const Component component :
           {Component::embedding, Component::attention_q, Component::norms, Component::row_scales,
            Component::codebooks, Component::tokenizer, Component::blocks, Component::preloaded,
            Component::model_info, Component::other_json, Component::assets, Component::zip}) {
        CAPTURE(component_name(component));
        CHECK(row(report, component).sb3_bytes > 0);
      }
    }
  }
}

TEST_CASE("each tensor's text is found where it is") {
  const Built built(quantised("tiny-moe"));
  std::size_t checked = 0;
  for (const auto& [key, shape] : expected_tensors(built.unpacked.model.spec)) {
    CAPTURE(tensor_key_text(key));
    const auto* coded = std::get_if<CodedTensor>(&built.unpacked.model.at(key));
    if (coded == nullptr) continue;
    CHECK(built.text(key, component_of(key.role)) == packed_text(*coded, built.codebook(key)));
    CHECK(built.text(key, Component::row_scales) == built.packed_scales(key, *coded));
    ++checked;
  }
  CHECK(checked > 10);
}

TEST_CASE("float weights in the list of scales are found") {
  // llama2.c checkpoints hold float32 norms, which are preloaded as numbers.
  const Built built(tiny_model("tiny-dense"));
  const TensorKey key{.role = Role::final_norm};
  const auto& norm = std::get<FloatTensor>(built.unpacked.model.at(key));
  REQUIRE(norm.type == FloatType::f32);
  const auto values = nlohmann::json::parse("[" + built.text(key, Component::norms) + "]")
                          .get<std::vector<float>>();
  CHECK(values == norm.values);
}

TEST_CASE("pieces cover project.json, and preloaded lists are zeros") {
  const Built built(quantised("tiny-moe"));
  std::size_t at = 0;
  for (const Piece& piece : built.pieces) {
    CHECK(piece.span.begin == at);
    CHECK(piece.span.size() > 0);
    at = piece.span.end;
    if (piece.component != Component::preloaded) continue;
    const std::string text = built.json.substr(piece.span.begin, piece.span.size());
    CHECK(text.find_first_not_of("[],0") == std::string::npos);
  }
  CHECK(at == built.json.size());
}

TEST_CASE("measures are the file's") {
  const Built built(quantised("tiny-moe"));
  const Report report = make_report("x.sb3", as_bytes(built.sb3));
  CHECK(report.measures.project_json_bytes == built.json.size());
  CHECK(report.measures.blocks == occurrences(built.json, R"("topLevel":)"));
  CHECK(report.measures.largest_list > 1000);
  CHECK(report.measures.largest_asset > 0);
}

TEST_CASE("a checkpoint's report is its project's, without the file") {
  const Model model = quantised("tiny-moe");
  const Report before = make_report("x", model);
  const Report after = make_report("x.sb3", as_bytes(build(model, 6)));
  CHECK_FALSE(before.is_sb3);
  CHECK(before.parameters == after.parameters);
  REQUIRE(before.tensors.size() == after.tensors.size());
  for (std::size_t i = 0; i < before.components.size(); ++i) {
    CHECK(before.components[i].values == after.components[i].values);
    CHECK(before.components[i].packed_bits == after.components[i].packed_bits);
    CHECK(before.components[i].entropy_bits == after.components[i].entropy_bits);
    CHECK(before.components[i].sb3_bits == 0);
  }
}

TEST_CASE("nominal widths") {
  const Report report = make_report("x", tiny_model("tiny-moe"));
  const ComponentRow& experts = row(report, Component::routed_experts);
  CHECK(experts.packed_bits == static_cast<std::uint64_t>(experts.values));  // one bit each
  CHECK(experts.entropy_bits <= static_cast<double>(experts.packed_bits));
  CHECK(experts.entropy_bits > 0.9 * static_cast<double>(experts.packed_bits));
  const ComponentRow& scales = row(report, Component::row_scales);
  CHECK(scales.packed_bits == static_cast<std::uint64_t>(16 * scales.values));
}

TEST_CASE("entropy") {
  CHECK(entropy_bits_of_bytes({}) == 0);
  const std::vector<std::uint8_t> same(1000, 7);
  CHECK(entropy_bits_of_bytes(same) == 0);
  std::vector<std::uint8_t> even;
  for (int i = 0; i < 1027; ++i) even.push_back(static_cast<std::uint8_t>(i % 16));
  CHECK(entropy_bits_of_bytes(even) == doctest::Approx(4 * 1027).epsilon(0.001));
  const std::vector<float> floats = {1, 1, 2, 3};
  CHECK(entropy_bits_of_floats(floats) == doctest::Approx(6));
  const std::vector<std::uint16_t> halves = {0, 0x8000};
  CHECK(entropy_bits_of_halves(halves) == doctest::Approx(2));
}

TEST_CASE("places in JSON text") {
  const std::string text =
      R"( {"a\"]": [1, "}\\"], "targets" : [ {"lists":{"i":["n\"m",[0,10,0,0]],"j":["z",[0]]},)"
      R"("blocks":{"k":{"s":"{["}},"costumes":[]} ] } )";
  const ProjectMap map = map_project("x", text);
  REQUIRE(map.targets.size() == 1);
  const ListSpan* list = map.find_list(R"(n\"m)");
  REQUIRE(list != nullptr);
  const auto at = [&](Span span) { return text.substr(span.begin, span.size()); };
  CHECK(at(list->items) == "[0,10,0,0]");
  CHECK(at(trailing_zeros(text, list->items)) == ",0,0");
  CHECK(at(trailing_zeros(text, map.find_list("z")->items)) == "0");
  CHECK(at(map.targets[0].blocks) == R"({"k":{"s":"{["}})");
  CHECK(map.targets[0].costumes.size() == 2);
  std::vector<std::string> items;
  for_each_item(map, list->items, [&](Span item) {
    items.push_back(at(item));
    return items.size() < 3;
  });
  CHECK(items == std::vector<std::string>{"0", "10", "0"});
  for (std::size_t size = 0; size + 2 < text.size(); ++size) {
    const std::string cut = text.substr(0, size);
    CHECK_THROWS_AS(map_project("x", cut), Error);
  }
}

TEST_CASE("limits") {
  CHECK(budget_of(BuildTarget::sb3) == 10485760);
  CHECK(budget_of(BuildTarget::site) == 10485760);
  CHECK(with_separators(0) == "0");
  CHECK(with_separators(999) == "999");
  CHECK(with_separators(1000) == "1,000");
  CHECK(with_separators(10485760) == "10,485,760");
  const Measures measures{.sb3_bytes = 10485761, .project_json_bytes = 5000001, .blocks = 3000};
  CHECK(over_limits(BuildTarget::sb3, measures) ==
        std::vector<std::string>{"target sb3: 10,485,761 bytes of the .sb3 of at most 10,485,760, "
                                 "1 over"});
  CHECK(over_limits(BuildTarget::site, measures).size() == 1);
  CHECK(over_limits(BuildTarget::turbowarp, {.sb3_bytes = 200000000}).empty());
  const std::string sb3 = build(quantised("tiny-moe"), 6);
  CHECK(over_limits(BuildTarget::sb3, as_bytes(sb3)).empty());
}

TEST_CASE("text and JSON say the same") {
  const std::string sb3 = build(quantised("tiny-moe"), 6);
  const Report report = make_report("x.sb3", as_bytes(sb3));
  const std::string text = report_text(report);
  CHECK(text.find("routed experts") != std::string::npos);
  CHECK(text.find("total") != std::string::npos);
  CHECK(text.find(with_separators(sb3.size())) != std::string::npos);
  const auto json = nlohmann::json::parse(report_json(report));
  CHECK(json.at("kind") == "sb3");
  CHECK(json.at("sb3_bytes") == sb3.size());
  std::size_t bytes = 0;
  for (const auto& component : json.at("components")) {
    bytes += component.at("sb3_bytes").get<std::size_t>();
  }
  CHECK(bytes == sb3.size());
  CHECK(json.at("limits").size() == target_limits().size());
  CHECK(json.at("tensors").size() == report.tensors.size());
  const auto checkpoint =
      nlohmann::json::parse(report_json(make_report("x", quantised("tiny-moe"))));
  CHECK(checkpoint.at("kind") == "checkpoint");
  CHECK_FALSE(checkpoint.contains("sb3_bytes"));
  CHECK_FALSE(checkpoint.at("components").at(0).contains("sb3_bytes"));
}

namespace {

/// The names in backticks of the document.
std::set<std::string> documented_names() {
  const std::string text(MappedFile(SB3LM_SOURCE_DIR "/docs/report-json.md").text());
  std::set<std::string> names;
  for (std::size_t at = text.find('`'); at != std::string::npos; at = text.find('`', at + 1)) {
    const std::size_t end = text.find('`', at + 1);
    std::string word;
    for (const char letter : text.substr(at + 1, end - at - 1) + ",") {
      if (std::isalnum(static_cast<unsigned char>(letter)) || letter == '_') {
        word += letter;
      } else {
        names.insert(word);
        word.clear();
      }
    }
    at = end;
  }
  return names;
}

void collect_keys(const nlohmann::json& json, std::set<std::string>& keys) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) {
      keys.insert(key);
      collect_keys(value, keys);
    }
  } else if (json.is_array()) {
    for (const auto& item : json) collect_keys(item, keys);
  }
}

}  // namespace

TEST_CASE("docs/report-json.md names every key, and has no others at the top") {
  Model model = quantised("tiny-moe");
  keep_tokens(model, chosen_tokens(model, {.most = 500}));
  model.rounding = {.scale_bits = 6,
                    .router_bits = 8,
                    .change = ModelChange{
                        .tokens = 9, .logits = 0.5, .perplexity_before = 3, .perplexity_after = 4}};
  const std::string sb3 = build(model, 6);
  Report report = make_report("x.sb3", as_bytes(sb3), 50'000);
  report.sense = Sense{.tokens = 9,
                       .perplexity = 5,
                       .perplexity_before = 4,
                       .continuations = {{"The", " cat \"sat\""}},
                       .advice = "try again"};
  CHECK(report_text(report).find(
            "\nsense: samples/english.txt (9 tokens) has perplexity 5, 4 before rounding\n"
            "  The \u2192 \" cat \\\"sat\\\"\"\n  try again\n") != std::string::npos);
  CHECK(report_html(report).find("try again") != std::string::npos);
  const auto json = nlohmann::json::parse(report_json(report));
  REQUIRE_FALSE(json.at("advice").empty());
  REQUIRE(json.at("load").is_object());
  std::set<std::string> keys;
  collect_keys(json, keys);
  const std::set<std::string> documented = documented_names();
  for (const std::string& key : keys) {
    CAPTURE(key);
    CHECK(documented.contains(key));
  }
  // The first table's rows.
  const std::string text(MappedFile(SB3LM_SOURCE_DIR "/docs/report-json.md").text());
  std::size_t rows = 0;
  for (std::size_t at = text.find("\n| `"); at != std::string::npos;
       at = text.find("\n| `", at + 1)) {
    const std::string key = text.substr(at + 4, text.find('`', at + 4) - at - 4);
    CAPTURE(key);
    CHECK(json.contains(key));
    ++rows;
  }
  CHECK(rows == json.size());
}

TEST_CASE("what is not ours is refused") {
  scratch::Program program;
  program.targets.push_back({.name = "Stage", .is_stage = true});
  SilentProgress progress;
  const std::string foreign = write_sb3(program, 6, progress);
  CHECK_THROWS_AS(make_report("x.sb3", as_bytes(foreign)), Error);
  CHECK_THROWS_AS(make_report("x.sb3", as_bytes("no zip")), Error);
}
