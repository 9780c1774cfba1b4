// The report for programs; docs/report-json.md describes it.
#include <nlohmann/json.hpp>

#include "report/figures.h"
#include "report/text.h"

namespace sb3lm {
namespace {

using Json = nlohmann::ordered_json;

Json component_json(const ComponentRow& row, bool is_sb3) {
  Json json = {{"name", component_name(row.component)},
               {"values", row.values},
               {"packed_bytes", whole_bytes(row.packed_bits)},
               {"entropy_bytes", row.entropy_bits / 8}};
  if (row.values != 0) {
    json["bits_per_value"] = static_cast<double>(row.packed_bits) / static_cast<double>(row.values);
  }
  if (is_sb3) {
    json["sb3_bytes"] = row.sb3_bytes;
    json["share_of_limit"] = share_of_budget(row.sb3_bytes);
  }
  return json;
}

Json tensor_json(const TensorRow& row, bool is_sb3) {
  Json json = {{"name", tensor_key_text(row.key)},
               {"component", component_name(component_of(row.key.role))},
               {"shape", {row.shape.rows, row.shape.cols}},
               {"bits", row.bits},
               {"packed_bytes", whole_bytes(row.packed_bits)},
               {"entropy_bytes", row.entropy_bits / 8}};
  if (is_sb3) json["sb3_bytes"] = static_cast<double>(row.sb3_bits) / 8;
  return json;
}

Json limits_json(const Report& report) {
  Json limits = Json::array();
  for (const Limit& limit : target_limits()) {
    const std::size_t size = report.measures.*limit.measure;
    limits.push_back({{"target", enum_name(limit.target)},
                      {"what", limit.what},
                      {"value", size},
                      {"limit", limit.most},
                      {"verdict", verdict(limit, size)}});
  }
  return limits;
}

Json load_json(const Report& report) {
  if (!report.load) return nullptr;
  return {{"turbowarp_seconds", report.load->turbowarp}, {"scratch_seconds", report.load->scratch}};
}

Json advice_json(const Report& report) {
  Json all = Json::array();
  for (const Advice& advice : report.advice) {
    all.push_back({{"what", advice.what},
                   {"how", advice.how},
                   {"bytes", advice.bytes},
                   {"changes_numbers", advice.changes_numbers}});
  }
  return all;
}

Json rounding_json(const Rounding& rounding) {
  Json json = {{"scale_bits", rounding.scale_bits}, {"router_bits", rounding.router_bits}};
  if (!rounding.change) return json;
  const ModelChange& change = *rounding.change;
  json["tokens"] = change.tokens;
  json["logit_change"] = change.logits;
  if (change.perplexity_before != 0) {
    json["perplexity_before"] = change.perplexity_before;
    json["perplexity_after"] = change.perplexity_after;
  }
  return json;
}

Json sense_json(const Sense& sense) {
  Json json = {{"tokens", sense.tokens}, {"perplexity", sense.perplexity}};
  if (sense.perplexity_before) json["perplexity_before"] = *sense.perplexity_before;
  Json& continuations = json["continuations"] = Json::array();
  for (const Continuation& one : sense.continuations) {
    continuations.push_back({{"prompt", one.prompt}, {"text", one.text}});
  }
  json["advice"] = sense.advice;
  return json;
}

}  // namespace

std::string report_json(const Report& report) {
  const ComponentRow total = total_of(report);
  Json json = {{"file", report.file},
               {"kind", report.is_sb3 ? "sb3" : "checkpoint"},
               {"family", report.family},
               {"parameters", report.parameters},
               {"row_scales", scale_count(report)},
               {"packed_bytes", whole_bytes(total.packed_bits)},
               {"entropy_bytes", total.entropy_bits / 8}};
  if (!report.letters.empty()) json["letters"] = report.letters;
  if (!report.vocabulary.empty()) json["vocabulary"] = report.vocabulary;
  if (report.rounding.any()) json["rounding"] = rounding_json(report.rounding);
  if (report.sense) json["sense"] = sense_json(*report.sense);
  if (report.is_sb3) {
    json["sb3_bytes"] = report.measures.sb3_bytes;
    json["project_json_bytes"] = report.measures.project_json_bytes;
    json["blocks"] = report.measures.blocks;
    json["largest_list"] = report.measures.largest_list;
    json["largest_asset"] = report.measures.largest_asset;
    json["limits"] = limits_json(report);
    json["resaved_bytes"] = report.resaved_bytes;
    if (report.used) json["used_bytes"] = {report.used->least, report.used->most};
    json["load"] = load_json(report);
    json["fit"] = report.fit;
    json["advice"] = advice_json(report);
  }
  Json& components = json["components"] = Json::array();
  for (const ComponentRow& row : report.components) {
    if (is_shown(row)) components.push_back(component_json(row, report.is_sb3));
  }
  Json& tensors = json["tensors"] = Json::array();
  for (const TensorRow& row : report.tensors) tensors.push_back(tensor_json(row, report.is_sb3));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sb3lm
