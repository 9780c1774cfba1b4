#include "unpack/read_about.h"

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace sb3lm {
namespace {

using Json = nlohmann::json;

class AboutReader {
 public:
  AboutReader(const JsonFields& info, const std::string& what, Model& model)
      : info_(info), what_(what), model_(model) {}

  void read() const {
    model_.conventions = info_.get<std::map<std::string, std::string>>("conventions");
    model_.licence = info_.get<std::string>("licence");
    if (info_.has("rounding")) model_.rounding = rounding(info_.fields("rounding"));
    if (info_.has("quantiser")) read_quantiser(info_.fields("quantiser"));
    if (info_.has("kept_tokens")) model_.kept = kept(info_.fields("kept_tokens"));
    const JsonFields decoding = info_.fields("decoding");
    model_.temperature = decoding.get<double>("temperature");
    model_.top_k = decoding.get<int>("top_k");
    model_.top_p = decoding.get<double>("top_p");
    model_.repetition_penalty = decoding.get<double>("repetition_penalty");
    const JsonFields chat = info_.fields("template");
    model_.chat = {.first = parts(chat.list("first")),
                   .next = parts(chat.list("next")),
                   .stop_ids = chat.get<std::vector<int>>("stop_ids")};
  }

 private:
  [[noreturn]] void broken(std::string_view is) const {
    fail(Fault::bad_input, "{}: {}", what_, is);
  }

  Rounding rounding(const JsonFields& json) const {
    Rounding rounding{.scale_bits = json.get<int>("scales"),
                      .router_bits = json.get<int>("routers")};
    if (json.has("tokens")) {
      const auto perplexity = json.get<std::vector<double>>("perplexity");
      if (perplexity.size() != 2) broken("'perplexity' is not a pair");
      rounding.change = {.tokens = json.get<int>("tokens"),
                         .logits = json.get<double>("logits"),
                         .perplexity_before = perplexity[0],
                         .perplexity_after = perplexity[1]};
    }
    return rounding;
  }

  void read_quantiser(const JsonFields& json) const {
    const auto name = json.get<std::string>("name");
    const std::optional<Quantiser> quantiser = enum_named<Quantiser>(name);
    if (!quantiser) broken(fmt::format("quantiser '{}'", name));
    model_.quantiser = *quantiser;
    model_.calibration = json.get<std::string>("calibration");
  }

  /// As many as the vocabulary has, in order.
  KeptTokens kept(const JsonFields& json) const {
    KeptTokens kept{.of = json.get<int>("of"), .ids = {}};
    const auto runs = json.get<std::vector<int>>("runs");
    const auto vocabulary = static_cast<std::size_t>(model_.spec.vocabulary);
    std::int64_t free = 0;  // the first id that may come next
    for (std::size_t i = 0; i + 1 < runs.size(); i += 2) {
      const std::int64_t first = runs[i], end = first + runs[i + 1];
      if (first < free || end <= first || end > kept.of) break;
      for (std::int64_t id = first; id < end && kept.ids.size() <= vocabulary; ++id) {
        kept.ids.push_back(static_cast<int>(id));
      }
      free = end;
    }
    if (kept.ids.size() != vocabulary) broken("'kept_tokens' are not its tokens");
    return kept;
  }

  std::vector<TemplatePart> parts(const Json& json) const {
    std::vector<TemplatePart> parts;
    for (const Json& item : json) {
      if (item.is_string()) {
        parts.push_back({.kind = TemplatePart::Kind::user, .lower = item == "user|lower"});
        continue;
      }
      const JsonFields part(item, what_ + ": 'template'");
      if (part.has("token")) {
        parts.push_back({.kind = TemplatePart::Kind::token, .token = part.get<int>("token")});
      } else {
        parts.push_back({.kind = TemplatePart::Kind::text, .text = part.get<std::string>("text")});
      }
    }
    return parts;
  }

  const JsonFields& info_;
  const std::string& what_;
  Model& model_;
};

}  // namespace

void read_about(const JsonFields& info, const std::string& what, Model& model) {
  AboutReader(info, what, model).read();
}

}  // namespace sb3lm
