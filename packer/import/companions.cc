#include "import/companions.h"

#include <algorithm>

#include "base/error.h"
#include "import/config.h"
#include "import/ends.h"
#include "import/formats.h"
#include "import/jinja/chat.h"
#include "import/presets.h"

namespace sb3lm {
namespace {

std::optional<Config> config_of(const std::optional<NamedBytes>& file) {
  if (!file) return std::nullopt;
  return Config(file->file, as_text(file->bytes));
}

/// A special token as tokenizer_config.json gives it: its text, or an object with it.
std::string token_text(const Config& config, std::string_view field) {
  const Json* found = config.find(field);
  if (found != nullptr && found->is_object()) {
    const auto content = found->find("content");
    return content != found->end() && content->is_string() ? content->get<std::string>() : "";
  }
  return config.text(field);
}

class Generation {
 public:
  explicit Generation(Model& model) : model_(model) {}

  /// "eos_token_id": a number or a list of them. What is no token of the vocabulary is passed over:
  /// configurations of models that were cut or grown have such.
  void read_ends(const Config& config) {
    const Json* found = config.find("eos_token_id");
    if (found == nullptr) return;
    for (const Json& id : found->is_array() ? *found : Json::array({*found})) {
      const std::optional<int> number = json_as<int>(id);
      if (!number) config.fail(Fault::bad_input, "eos_token_id: {} is not a token", id.dump());
      add_end(*number);
    }
  }

  void read_tokenizer(const Config& config) {
    Tokenizer& tokenizer = model_.tokenizer;
    add_end(special_id(tokenizer, token_text(config, "eos_token")));
    const int bos = special_id(tokenizer, token_text(config, "bos_token"));
    if (bos >= 0) tokenizer.bos = bos;
    for (const bool value : {true, false}) {
      if (config.is("add_bos_token", value)) tokenizer.add_bos = value && tokenizer.bos >= 0;
    }
  }

  /// Sampling by generation_config.json; 50 and 1 are what transformers assumes.
  void read_sampling(const Config& config) {
    if (config.is("do_sample", false)) model_.temperature = 0;
    if (!config.is("do_sample", true)) return;
    model_.temperature = number(config, "temperature", 1, 0, 100);
    model_.top_k = static_cast<int>(number(config, "top_k", 50, 0, 1'000'000));
    model_.top_p = number(config, "top_p", 1, 0, 1);
    model_.repetition_penalty = number(config, "repetition_penalty", 1, 0.01, 100);
  }

 private:
  void add_end(int id) {
    Tokenizer& tokenizer = model_.tokenizer;
    if (id >= std::ssize(tokenizer.tokens)) return;
    sb3lm::add_end(id, tokenizer.stop_ids);
  }

  static double number(const Config& config, std::string_view field, double otherwise, double least,
                       double most) {
    const Json* found = config.find(field);
    if (found == nullptr) return otherwise;
    const std::optional<double> value = json_as<double>(*found);
    if (!value || !(*value >= least && *value <= most)) {
      config.fail(Fault::bad_input, "{}: {} is not from {} to {}", field, found->dump(), least,
                  most);
    }
    return *value;
  }

  Model& model_;
};

bool is_jinja(std::string_view text) {
  return text.find("{%") != text.npos || text.find("{{") != text.npos;
}

/// A template's text and where it stands.
struct Found {
  std::string where, text;
};

/// tokenizer_config.json's "chat_template": a text, or a list of named ones, of which "default" is
/// taken.
std::optional<Found> template_in(const Config& config, const std::string& file) {
  const Json* found = config.find("chat_template");
  if (found == nullptr) return std::nullopt;
  const std::string where = file + ": chat_template";
  if (found->is_string()) return Found{where, found->get<std::string>()};
  for (const Json& row : found->is_array() ? *found : Json::array()) {
    if (!row.is_object() || row.value("name", Json()) != "default") continue;
    const Json text = row.value("template", Json());
    if (text.is_string()) return Found{where, text.get<std::string>()};
  }
  config.fail(Fault::bad_input, "chat_template is neither a text nor a list with a \"default\"");
}

class ChatReader {
 public:
  ChatReader(const CheckpointFiles& files, Model& model) : files_(files), model_(model) {}

  void read_named(const NamedBytes& file) {
    if (!model_.tokenizer.present()) {
      fail(Fault::usage, "{}: a chat template needs a tokenizer", file.file);
    }
    const std::string_view text = as_text(file.bytes);
    if (text.starts_with('{') && !is_jinja(text.substr(0, 2))) {  // JSON
      const std::optional<Found> found = template_in(Config(file.file, text), file.file);
      if (!found) fail(Fault::bad_input, "{}: it has no \"chat_template\"", file.file);
      use(*found);
    } else {
      use({file.file, std::string(text)});
    }
  }

  void read_found() {
    if (!model_.tokenizer.present()) return;
    try {
      if (const std::optional<Found> found = lying_there()) return use(*found);
    } catch (const Error& error) {
      model_.notes.push_back(
          fmt::format("{}; this chat template is not used (--chat-template FILE gives another one)",
                      error.what()));
      return;
    }
    const ModelPreset* preset = preset_for_shape();
    if (preset != nullptr && special_id(model_.tokenizer, "<|user|>") >= 0) {
      model_.chat = read_chat_template("preset", preset->chat, model_.tokenizer);
    }
  }

 private:
  std::optional<Found> lying_there() const {
    const auto own = model_.source.metadata.find("chat_template");
    if (own != model_.source.metadata.end()) {
      return Found{files_.checkpoint.file + ": __metadata__ 'chat_template'", own->second};
    }
    if (files_.jinja) {
      return Found{files_.jinja->file, std::string(as_text(files_.jinja->bytes))};
    }
    const std::optional<Config> config = config_of(files_.tokenizer_config);
    return config ? template_in(*config, files_.tokenizer_config->file) : std::nullopt;
  }

  void use(const Found& found) {
    if (!is_jinja(found.text)) {
      model_.chat = read_chat_template(found.where, found.text, model_.tokenizer);
      return;
    }
    model_.chat = jinja::chat_of(found.where, found.text, variables(), model_.tokenizer);
    model_.notes.push_back(fmt::format("{}: a chat template, {}", found.where,
                                       jinja::name_of_form(model_.tokenizer, model_.chat)));
  }

  /// What templates may name beside the messages.
  Json variables() const {
    Json known = Json::object();
    const Tokenizer& tokenizer = model_.tokenizer;
    const std::optional<Config> config = config_of(files_.tokenizer_config);
    for (const char* name : {"bos_token", "eos_token", "pad_token", "unk_token"}) {
      const std::string text = config ? token_text(*config, name) : "";
      if (!text.empty()) known[name] = text;
    }
    if (!known.contains("bos_token") && tokenizer.bos >= 0) {
      known["bos_token"] = tokenizer.tokens[static_cast<std::size_t>(tokenizer.bos)].text;
    }
    if (!known.contains("eos_token") && !tokenizer.stop_ids.empty()) {
      const auto end = static_cast<std::size_t>(tokenizer.stop_ids.front());
      known["eos_token"] = tokenizer.tokens[end].text;
    }
    return known;
  }

  const ModelPreset* preset_for_shape() const {
    const LayerSpec& layer = model_.spec.layers.front();
    return find_preset({.width = model_.spec.width,
                        .vocabulary = model_.spec.vocabulary,
                        .query_rows = layer.attention.query_heads * layer.attention.head_size,
                        .kv_rows = layer.attention.kv_heads * layer.attention.head_size,
                        .routed_experts = layer.feed_forward.routed_experts});
  }

  const CheckpointFiles& files_;
  Model& model_;
};

}  // namespace

void attach_generation(const CheckpointFiles& files, Model& model) {
  Generation generation(model);
  if (const auto config = config_of(files.generation_config)) generation.read_sampling(*config);
  if (!model.tokenizer.present()) return;
  if (const auto config = config_of(files.tokenizer_config)) generation.read_tokenizer(*config);
  for (const auto* file : {&files.config, &files.generation_config}) {
    if (const auto config = config_of(*file)) generation.read_ends(*config);
  }
}

void attach_chat(const CheckpointFiles& files, Model& model) {
  ChatReader reader(files, model);
  if (files.chat_template) return reader.read_named(*files.chat_template);
  reader.read_found();
}

}  // namespace sb3lm
