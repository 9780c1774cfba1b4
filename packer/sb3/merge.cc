// A program joins somebody else's project. The project's text is kept and ours is put into it, so
// that whatever it holds passes untouched, known to us or not. Where things lie comes from a scan
// of the text, what they mean from the same text read as JSON.
#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "sb3/json_in.h"
#include "sb3/json_scan.h"
#include "sb3/project.h"
#include "sb3/sb3.h"
#include "sb3/zip.h"

namespace sb3lm {
namespace {

using scratch::Program;
using Ids = std::map<std::string, std::string>;  // by name

constexpr const char* kProject = "project.json";
constexpr std::size_t kMostFiles = 60000;
constexpr double kMostLayers = 1e6;

// Scratch compares messages without case.
std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// What the project has already.
struct Survey {
  std::set<std::string> sprites, local_variables, local_lists, clouds;
  Ids variables, lists, broadcasts;  // the stage's
  Surroundings around;               // ids and layers; what is shared comes later
};

class Surveyor {
 public:
  explicit Surveyor(const std::string& file) : file_(file) {}

  Survey survey(const Json& root) {
    const JsonObject* project = root.object();
    const JsonArray* targets = project ? project->at("targets").array() : nullptr;
    if (targets == nullptr || targets->size() == 0) {
      bad("this is no Scratch 3 project: project.json has no targets");
    }
    for (std::size_t i = 0; i < targets->size(); ++i) {
      const JsonObject* target = targets->at(i).object();
      if (target == nullptr) bad("a target is no object");
      const bool* stage = target->at("isStage").boolean();
      if ((stage != nullptr && *stage) != (i == 0)) {
        bad("the stage must be the first target, and the only stage");
      }
      see(*target, i == 0);
    }
    return std::move(found_);
  }

 private:
  template <class... Args>
  [[noreturn]] void bad(fmt::format_string<Args...> format, Args&&... args) const {
    fail(Fault::bad_input, "{}: {}", file_, fmt::format(format, std::forward<Args>(args)...));
  }

  void see(const JsonObject& target, bool stage) {
    const std::string* name = target.at("name").string();
    if (name == nullptr) bad("a target without a name");
    if (!stage) found_.sprites.insert(*name);
    for (const char* kind : {"variables", "lists", "broadcasts", "blocks", "comments"}) {
      if (const JsonObject* entries = target.at(kind).object()) {
        for (const auto& [id, entry] : entries->members) found_.around.ids.insert(id);
      }
    }
    see_entries(target, "variables", stage ? &found_.variables : nullptr, found_.local_variables);
    see_entries(target, "lists", stage ? &found_.lists : nullptr, found_.local_lists);
    see_broadcasts(target);
    const double* layer = target.at("layerOrder").number();
    if (layer != nullptr && *layer >= 0 && *layer <= kMostLayers) {
      found_.around.layers = std::max(found_.around.layers, static_cast<int>(*layer));
    }
  }

  void see_entries(const JsonObject& target, const char* kind, Ids* global,
                   std::set<std::string>& local) {
    const JsonObject* entries = target.at(kind).object();
    if (entries == nullptr) return;
    for (const auto& [id, json] : entries->members) {
      const std::string* name = json.array() ? json.array()->at(0).string() : nullptr;
      if (name == nullptr) bad("an entry of '{}' has no name", kind);
      if (global == nullptr) {
        local.insert(*name);
        continue;
      }
      if (!global->emplace(*name, id).second) bad("two of '{}' are called '{}'", kind, *name);
      const bool* cloud = json.array()->at(2).boolean();
      if (cloud != nullptr && *cloud) found_.clouds.insert(*name);
    }
  }

  void see_broadcasts(const JsonObject& target) {
    const JsonObject* entries = target.at("broadcasts").object();
    if (entries == nullptr) return;
    for (const auto& [id, json] : entries->members) {
      if (json.string() == nullptr) bad("broadcast '{}' has no name", id);
      found_.broadcasts.emplace(lower_case(*json.string()), id);
    }
  }

  const std::string& file_;
  Survey found_;
};

// Which names of the program the project has, and whether it may.
class NameCheck {
 public:
  NameCheck(const std::string& file, const Survey& survey, const std::set<std::string>& shared)
      : file_(file), survey_(survey), shared_(shared) {}

  Surroundings settle(const Program& program) {
    around_ = survey_.around;
    const scratch::Target& stage = program.targets.front();
    for (const scratch::Target& target : program.targets) {
      const bool global = target.is_stage;
      if (!global && survey_.sprites.contains(target.name)) take("sprite", target.name);
      for (const auto& variable : target.variables) {
        see({"variable", survey_.variables, survey_.local_variables, around_.variables},
            variable.name, global);
      }
      for (const auto& list : target.lists) {
        see({"list", survey_.lists, survey_.local_lists, around_.lists}, list.name, global);
      }
    }
    for (const std::string& name : program.broadcasts) see_broadcast(name);
    refuse_unknown(stage, program.broadcasts);
    if (!taken_.empty()) fail(Fault::bad_input, "{}", complaint());
    return std::move(around_);
  }

 private:
  struct Kind {
    const char* what;
    const Ids& global;
    const std::set<std::string>& local;
    Ids& joined;
  };

  // Public names may be shared; `model info` describes the file and is never somebody else's.
  static bool is_public(const std::string& name) {
    return !name.starts_with('_') && name != "model info";
  }

  void see(const Kind& kind, const std::string& name, bool global) {
    if (kind.local.contains(name)) take(kind.what, name);
    const auto found = kind.global.find(name);
    if (found == kind.global.end()) return;
    if (!global || !is_public(name) || survey_.clouds.contains(name)) {
      take(kind.what, name);
    } else if (shared_.contains(name)) {
      kind.joined[name] = found->second;
    } else {
      take(kind.what, name, true);
    }
  }

  void see_broadcast(const std::string& name) {
    const auto found = survey_.broadcasts.find(lower_case(name));
    if (found == survey_.broadcasts.end()) return;
    if (is_public(name) && shared_.contains(name)) {
      around_.broadcasts[name] = found->second;
    } else {
      take("broadcast", name, is_public(name));
    }
  }

  void take(const char* kind, const std::string& name, bool could_share = false) {
    taken_ += fmt::format("{}{} '{}'", taken_.empty() ? "" : ", ", kind, name);
    if (could_share) sharable_ += (sharable_.empty() ? "" : ",") + name;
  }

  std::string complaint() const {
    std::string text =
        fmt::format("{}: names that the model needs are taken: {}; rename them", file_, taken_);
    if (!sharable_.empty()) {
      text += fmt::format(", or, where they are meant to be the model's, give --share \"{}\"",
                          sharable_);
    }
    return text;
  }

  void refuse_unknown(const scratch::Target& stage, const std::vector<std::string>& broadcasts) {
    const auto has = [](const auto& items, const std::string& name) {
      return std::any_of(items.begin(), items.end(),
                         [&](const auto& item) { return item.name == name; });
    };
    for (const std::string& name : shared_) {
      const bool known =
          is_public(name) && (has(stage.variables, name) || has(stage.lists, name) ||
                              std::count(broadcasts.begin(), broadcasts.end(), name) > 0);
      if (!known) fail(Fault::usage, "--share: '{}' is no name that the model shares", name);
    }
  }

  const std::string& file_;
  const Survey& survey_;
  const std::set<std::string>& shared_;
  Surroundings around_;
  std::string taken_, sharable_;
};

// Changes to a text, put together in the end.
class Edits {
 public:
  explicit Edits(std::string_view text) : text_(text) {}

  void replace(Span span, std::string with) { edits_.emplace_back(span, std::move(with)); }

  /// Adds to the object or array that `span` is.
  void add_inside(Span span, const std::string& items) {
    if (items.empty()) return;
    const std::size_t end = span.end - 1;
    const std::string_view inside = text_.substr(span.begin + 1, end - span.begin - 1);
    const bool empty = inside.find_first_not_of(" \t\r\n") == std::string_view::npos;
    replace({end, end}, (empty ? "" : ",") + items);
  }

  std::string apply() {
    std::stable_sort(edits_.begin(), edits_.end(),
                     [](const auto& a, const auto& b) { return a.first.begin < b.first.begin; });
    std::string out;
    std::size_t at = 0;
    for (const auto& [span, with] : edits_) {
      out += text_.substr(at, span.begin - at);
      out += with;
      at = span.end;
    }
    return out += text_.substr(at);
  }

 private:
  std::string_view text_;
  std::vector<std::pair<Span, std::string>> edits_;
};

using MemberSpans = std::map<std::string, Span>;

class Merger {
 public:
  Merger(const std::string& file, const std::string& text, const Json& root)
      : file_(file), text_(text), root_(*root.object()), edits_(text) {}

  std::string merge(const ProjectParts& parts, const Surroundings& around) {
    const Span whole = spans_of(0, root_, root_spans_);
    const JsonArray& targets = *root_.at("targets").array();
    const Span targets_span = root_spans_.at("targets");
    JsonScan scan(file_, text_, targets_span.begin);
    scan.array([&] {
      const std::size_t begin = JsonScan(scan).value().begin;
      stage_ = spans_of(begin, *targets.at(0).object(), stage_spans_);
      return false;
    });
    share("variables", around.variables, parts.shared_variables);
    share("lists", around.lists, parts.shared_lists);
    add(stage_, stage_spans_, "variables", '{', parts.variables);
    add(stage_, stage_spans_, "lists", '{', parts.lists);
    add(stage_, stage_spans_, "broadcasts", '{', parts.broadcasts);
    add(stage_, stage_spans_, "blocks", '{', parts.blocks);
    add(whole, root_spans_, "targets", '[', parts.sprites);
    add(whole, root_spans_, "monitors", '[', parts.monitors);
    add(whole, root_spans_, "extensions", '[', missing_extensions(parts.extensions));
    return edits_.apply();
  }

 private:
  // The members' places. Names are taken from the JSON that was read, where escapes are resolved.
  Span spans_of(std::size_t begin, const JsonObject& object, MemberSpans& spans) {
    JsonScan scan(file_, text_, begin);
    scan.peek();  // past spaces
    begin = scan.at();
    std::size_t index = 0;
    scan.object([&](std::string_view) {
      const std::string& name = object.members.at(index++).first;
      if (!spans.emplace(name, scan.value()).second) {
        fail(Fault::bad_input, "{}: project.json: '{}' stands twice in one object", file_, name);
      }
      return true;
    });
    return {begin, scan.at()};
  }

  void add(Span object, const MemberSpans& members, const std::string& name, char kind,
           const std::string& items) {
    if (items.empty()) return;
    const auto member = members.find(name);
    if (member != members.end() && text_[member->second.begin] == kind) {
      return edits_.add_inside(member->second, items);
    }
    if (member != members.end()) {
      fail(Fault::bad_input, "{}: project.json: '{}' is not what it has to be", file_, name);
    }
    // Neither object is empty: one has targets, the other a name.
    edits_.replace({object.begin + 1, object.begin + 1},
                   fmt::format("\"{}\":{}{}{},", name, kind, items, kind == '{' ? '}' : ']'));
  }

  // As items of an array. Names of extensions are plain words.
  std::string missing_extensions(const std::vector<std::string>& wanted) const {
    std::string items;
    const JsonArray* there = root_.at("extensions").array();
    for (const std::string& name : wanted) {
      const bool known =
          there != nullptr &&
          std::any_of(there->items.begin(), there->items.end(), [&](const Json& extension) {
            return extension.string() != nullptr && *extension.string() == name;
          });
      if (!known) items += fmt::format("{}\"{}\"", items.empty() ? "" : ",", name);
    }
    return items;
  }

  // Entries of the stage that become the program's.
  void share(const std::string& kind, const Ids& ids,
             const std::map<std::string, std::string>& entries) {
    if (entries.empty()) return;
    MemberSpans spans;
    const JsonObject& stage = *root_.at("targets").array()->at(0).object();
    spans_of(stage_spans_.at(kind).begin, *stage.at(kind).object(), spans);
    for (const auto& [name, entry] : entries) edits_.replace(spans.at(ids.at(name)), entry);
  }

  const std::string& file_;
  const std::string& text_;
  const JsonObject& root_;
  Edits edits_;
  MemberSpans root_spans_, stage_spans_;
  Span stage_;
};

void drop_stage_comments(scratch::Target& stage) {
  stage.notes.clear();
  for (auto& script : stage.scripts) script.comment.clear();
  for (auto& procedure : stage.procedures) procedure.comment.clear();
}

}  // namespace

std::string add_to_sb3(const std::string& file, Bytes sb3, Program program,
                       const MergeOptions& options, Progress& progress) {
  std::map<std::string, std::string> files = read_zip(file, sb3);
  const auto json = files.find(kProject);
  if (json == files.end()) fail(Fault::bad_input, "{}: the archive holds no {}", file, kProject);
  if (files.size() > kMostFiles) {
    fail(Fault::unsupported, "{}: {} files; at most {}", file, files.size(), kMostFiles);
  }
  const Json root = read_json(file, json->second);
  const Survey survey = Surveyor(file).survey(root);
  const Surroundings around = NameCheck(file, survey, options.shared).settle(program);
  drop_stage_comments(program.targets.front());
  progress.report("joining the project", -1);
  const std::string text =
      Merger(file, json->second, root).merge(write_project_parts(program, around), around);
  files.erase(json);
  for (const auto& [name, asset] : name_assets(program)) {
    const std::string& bytes = asset_bytes(program, name);
    const auto [there, is_new] = files.emplace(asset.file_name(), bytes);
    if (!is_new && there->second != bytes) {
      fail(Fault::bad_input, "{}: '{}' is not the picture of that name", file, there->first);
    }
  }
  std::vector<ZipEntry> entries = {{kProject, text}};
  for (const auto& [name, bytes] : files) entries.push_back({name, bytes});
  return write_zip(entries, options.level, progress);
}

}  // namespace sb3lm
