// project.json back to a Program. Sounds, the state of the video, and where scripts and comments
// lie in the editor are not kept: a Program has no place for them.
#include <set>

#include "base/error.h"
#include "sb3/block_in.h"
#include "sb3/json_in.h"
#include "sb3/sb3.h"
#include "sb3/zip.h"

namespace sb3lm {
namespace {

using scratch::Monitor;
using scratch::Program;
using scratch::Scalar;
using scratch::Target;

class ProjectIn {
 public:
  ProjectIn(const std::string& file, std::map<std::string, std::string> files,
            const ChooseTargets& choose)
      : file_(file), files_(std::move(files)), choose_(choose) {}

  Program read() {
    const auto json = files_.find("project.json");
    if (json == files_.end()) bad("the archive holds no project.json");
    Json root = read_json(file_, json->second);
    files_.erase(json);
    JsonObject* project = root.object();
    if (project == nullptr) bad("project.json is no object");
    const JsonArray* targets = project->at("targets").array();
    if (targets == nullptr || targets->size() == 0) bad("the project has no targets");
    for (std::size_t i = 0; i < targets->size(); ++i) read_target(targets->at(i));
    // Blocks may refer to what a later target holds.
    for (std::size_t i = 0; i < targets->size(); ++i) {
      if (!is_wanted(program_.targets[i].name)) continue;
      const JsonObject& target = *targets->at(i).object();
      const BlockComments comments = read_comments(target, program_.targets[i]);
      const JsonObject* blocks = target.at("blocks").object();
      if (blocks != nullptr) read_blocks(file_, *blocks, names_, comments, program_.targets[i]);
    }
    if (const JsonArray* monitors = project->at("monitors").array()) read_monitors(*monitors);
    return std::move(program_);
  }

 private:
  template <class... Args>
  [[noreturn]] void bad(fmt::format_string<Args...> format, Args&&... args) const {
    fail(Fault::bad_input, "{}: {}", file_, fmt::format(format, std::forward<Args>(args)...));
  }

  void read_target(const Json& json) {
    const JsonObject* object = json.object();
    if (object == nullptr) bad("a target is no object");
    const bool first = program_.targets.empty();
    Target& target = program_.targets.emplace_back();
    target.name = text(*object, "name");
    target.is_stage = flag(*object, "isStage", false);
    if (target.is_stage != first) bad("the stage must be the first target, and the only stage");
    if (!target_names_.insert(target.name).second) bad("two targets are called '{}'", target.name);
    if (!first && !is_wanted(target.name)) return;
    read_variables(*object, target);
    read_lists(*object, target);
    read_broadcasts(*object);
    read_costumes(*object, target);
    target.visible = flag(*object, "visible", true);
    target.x = number(*object, "x", 0);
    target.y = number(*object, "y", 0);
    target.size = number(*object, "size", 100);
    target.direction = number(*object, "direction", 90);
    target.layer = small_integer(*object, "layerOrder");
    target.current_costume = small_integer(*object, "currentCostume");
    if (first && choose_) wanted_ = choose_(target);
  }

  bool is_wanted(const std::string& target) const { return !wanted_ || wanted_->contains(target); }

  void read_variables(const JsonObject& object, Target& target) {
    const JsonObject* variables = object.at("variables").object();
    if (variables == nullptr) return;
    for (const auto& [id, json] : variables->members) {
      const std::string name = entry_name(json, "variable");
      if (!variable_names_.insert(name).second) two("variables", name);
      names_.variables[id] = name;
      target.variables.push_back({name, scalar(json.array()->at(1))});
    }
  }

  void read_lists(const JsonObject& object, Target& target) {
    const JsonObject* lists = object.at("lists").object();
    if (lists == nullptr) return;
    for (const auto& [id, json] : lists->members) {
      const std::string name = entry_name(json, "list");
      if (!list_names_.insert(name).second) two("lists", name);
      names_.lists[id] = name;
      const JsonArray* items = json.array()->at(1).array();
      if (items == nullptr) bad("list '{}' has no items", name);
      scratch::List& list = target.lists.emplace_back();
      list.name = name;
      list.items.reserve(items->items.size());
      for (const Json& item : items->items) list.items.push_back(scalar(item));
      list.zeros = items->zeros;
    }
  }

  void read_broadcasts(const JsonObject& object) {
    const JsonObject* broadcasts = object.at("broadcasts").object();
    if (broadcasts == nullptr) return;
    for (const auto& [id, json] : broadcasts->members) {
      if (json.string() == nullptr) bad("broadcast '{}' has no name", id);
      if (!broadcast_names_.insert(*json.string()).second) two("broadcasts", *json.string());
      names_.broadcasts[id] = *json.string();
      program_.broadcasts.push_back(*json.string());
    }
  }

  void read_costumes(const JsonObject& object, Target& target) {
    const JsonArray* costumes = object.at("costumes").array();
    if (costumes == nullptr || costumes->size() == 0) bad("'{}' has no costumes", target.name);
    for (std::size_t i = 0; i < costumes->size(); ++i) {
      const JsonObject* costume = costumes->at(i).object();
      if (costume == nullptr) bad("a costume of '{}' is no object", target.name);
      const std::string asset = asset_name(*costume);
      const auto bytes = files_.find(asset);
      if (bytes == files_.end()) bad("the archive holds no '{}'", asset);
      program_.assets[asset] = bytes->second;
      target.costumes.push_back({text(*costume, "name"), asset,
                                 number(*costume, "rotationCenterX", 0),
                                 number(*costume, "rotationCenterY", 0)});
    }
  }

  // Those on blocks; the others are the target's notes.
  BlockComments read_comments(const JsonObject& object, Target& target) const {
    BlockComments on_blocks;
    const JsonObject* comments = object.at("comments").object();
    if (comments == nullptr) return on_blocks;
    for (const auto& [id, json] : comments->members) {
      const JsonObject* comment = json.object();
      if (comment == nullptr) bad("a comment of '{}' is no object", target.name);
      if (const std::string* block = comment->at("blockId").string()) {
        on_blocks[*block] = text(*comment, "text");
      } else {
        target.notes.push_back(text(*comment, "text"));
      }
    }
    return on_blocks;
  }

  std::string asset_name(const JsonObject& costume) const {
    const std::string* name = costume.at("md5ext").string();
    return name ? *name : text(costume, "assetId") + "." + text(costume, "dataFormat");
  }

  void read_monitors(const JsonArray& monitors) {
    for (std::size_t i = 0; i < monitors.size(); ++i) {
      const JsonObject* object = monitors.at(i).object();
      if (object == nullptr) bad("a monitor is no object");
      const std::string opcode = text(*object, "opcode");
      const bool is_list = opcode == "data_listcontents";
      // Monitors of other values, such as the timer, show nothing of ours.
      if (!is_list && opcode != "data_variable") continue;
      const auto& names = is_list ? names_.lists : names_.variables;
      const auto found = names.find(text(*object, "id"));
      if (found == names.end()) continue;  // the editor leaves these behind
      program_.monitors.push_back(monitor(*object, found->second, is_list));
    }
  }

  Monitor monitor(const JsonObject& object, const std::string& name, bool is_list) const {
    Monitor shown;
    const std::string mode = text(object, "mode");
    if (mode == "large") shown.mode = Monitor::Mode::large;
    if (mode == "slider") shown.mode = Monitor::Mode::slider;
    if (is_list) shown.mode = Monitor::Mode::list;
    if (const std::string* sprite = object.at("spriteName").string()) shown.target = *sprite;
    shown.name = name;
    shown.visible = flag(object, "visible", true);
    shown.x = number(object, "x", 0);
    shown.y = number(object, "y", 0);
    shown.width = number(object, "width", 0);
    shown.height = number(object, "height", 0);
    shown.slider_min = number(object, "sliderMin", 0);
    shown.slider_max = number(object, "sliderMax", 100);
    shown.slider_discrete = flag(object, "isDiscrete", true);
    return shown;
  }

  std::string entry_name(const Json& json, const char* kind) const {
    const std::string* name = json.array() ? json.array()->at(0).string() : nullptr;
    if (name == nullptr) bad("a {} without a name", kind);
    return *name;
  }

  [[noreturn]] void two(const char* kind, const std::string& name) const {
    fail(Fault::unsupported, "{}: two {} are called '{}'; names must be unique in the project",
         file_, kind, name);
  }

  // The virtual machines keep a condition's true and false in variables; here they are texts.
  Scalar scalar(const Json& json) const {
    if (const double* value = json.number()) return *value;
    if (const bool* value = json.boolean()) return std::string(*value ? "true" : "false");
    if (json.string() == nullptr) bad("a variable or list holds neither text nor number");
    return *json.string();
  }

  std::string text(const JsonObject& object, std::string_view name) const {
    const std::string* value = object.at(name).string();
    if (value == nullptr) bad("project.json: '{}' is missing or no text", name);
    return *value;
  }

  static bool flag(const JsonObject& object, std::string_view name, bool otherwise) {
    const bool* value = object.at(name).boolean();
    return value ? *value : otherwise;
  }

  static double number(const JsonObject& object, std::string_view name, double otherwise) {
    const double* value = object.at(name).number();
    return value ? *value : otherwise;
  }

  int small_integer(const JsonObject& object, std::string_view name) const {
    const double value = number(object, name, 0);
    if (!(value >= 0 && value <= 1e6)) bad("project.json: '{}' is out of range", name);
    return static_cast<int>(value);
  }

  const std::string& file_;
  std::map<std::string, std::string> files_;
  const ChooseTargets& choose_;
  std::optional<std::set<std::string>> wanted_;
  Program program_;
  IdNames names_;
  std::set<std::string> target_names_, variable_names_, list_names_, broadcast_names_;
};

}  // namespace

Program read_sb3(const std::string& file, Bytes bytes, const ChooseTargets& choose) {
  return ProjectIn(file, read_zip(file, bytes), choose).read();
}

}  // namespace sb3lm
