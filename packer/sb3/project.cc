#include "sb3/project.h"

#include <algorithm>

#include "base/error.h"
#include "sb3/block_out.h"
#include "sb3/json_out.h"
#include "sb3/md5.h"
#include "sb3/names.h"
#include "sb3/sb3.h"

namespace sb3lm {
namespace {

using scratch::Monitor;
using scratch::Program;
using scratch::Target;

const std::string kEmptyPicture =
    R"(<svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="2" height="2"/>)";
// The virtual machine whose file format this is.
constexpr const char* kVmVersion = "5.0.300";

bool is_picture_format(const std::string& format) {
  static const char* const kFormats[] = {"svg", "png", "jpg", "jpeg", "bmp", "gif"};
  return std::any_of(std::begin(kFormats), std::end(kFormats),
                     [&](const char* known) { return format == known; });
}

Asset make_asset(const std::string& name, const std::string& bytes) {
  const std::size_t dot = name.rfind('.');
  const std::string format = dot == std::string::npos ? "" : name.substr(dot + 1);
  if (!is_picture_format(format)) fail(Fault::bug, "asset '{}' is no picture format", name);
  return {md5_hex(bytes), format};
}

bool uses_pen(const scratch::Stack& stack) {
  return std::any_of(stack.begin(), stack.end(), [](const auto& block) {
    return scratch::info(block->op).opcode.starts_with("pen_") ||
           std::any_of(block->bodies.begin(), block->bodies.end(),
                       [](const scratch::Stack& body) { return uses_pen(body); });
  });
}

// Players load the pen only where the file names it.
bool uses_pen(const Program& program) {
  const auto any = [](const auto& holders) {
    return std::any_of(holders.begin(), holders.end(),
                       [](const auto& holder) { return uses_pen(holder.body); });
  };
  return std::any_of(program.targets.begin(), program.targets.end(), [&](const Target& target) {
    return any(target.procedures) || any(target.scripts);
  });
}

// Writes everything but the blocks; they go through BlockOut.
class ProjectOut {
 public:
  ProjectOut(const Program& program, const Surroundings& around)
      : program_(program), around_(around), names_(program), assets_(name_assets(program)) {}

  std::string write() {
    count_uses();
    out_.begin_object().key("targets").begin_array();
    IdTable::Handle next = names_.first_free;
    for (const Target& target : program_.targets) next = write_target(target, next);
    out_.end().key("monitors").begin_array();
    for (const Monitor& monitor : program_.monitors) write_monitor(monitor);
    out_.end().key("extensions").begin_array();
    if (uses_pen(program_)) out_.string("pen");
    out_.end();
    out_.key("meta").begin_object().key("semver").string("3.0.0");
    out_.key("vm").string(kVmVersion).key("agent").string("sb3lm").end().end();
    return out_.take();
  }

  ProjectParts parts() {
    count_uses();
    ProjectParts parts;
    const Target& stage = program_.targets.front();
    parts.variables = inside([&] { write_variables(stage); });
    parts.lists = inside([&] { write_lists(stage); });
    parts.broadcasts = inside([&] { write_broadcasts(stage); });
    BlockOut blocks(names_, ids_, names_.first_free, program_.counts_text);
    const std::vector<BlockOut::Block> texts = blocks.target(stage);
    parts.blocks = inside([&] {
      out_.begin_object();
      write_blocks(texts, names_.first_free);
      out_.end();
    });
    parts.sprites = inside([&] {
      out_.begin_array();
      IdTable::Handle next = blocks.next_handle();
      for (std::size_t i = 1; i < program_.targets.size(); ++i) {
        next = write_target(program_.targets[i], next);
      }
      out_.end();
    });
    parts.monitors = inside([&] {
      out_.begin_array();
      for (const Monitor& monitor : program_.monitors) write_monitor(monitor);
      out_.end();
    });
    if (uses_pen(program_)) parts.extensions.emplace_back("pen");
    for (const auto& variable : stage.variables) {
      if (!around_.variables.contains(variable.name)) continue;
      parts.shared_variables[variable.name] = alone([&] { write_entry(variable); });
    }
    for (const auto& list : stage.lists) {
      if (around_.lists.contains(list.name)) {
        parts.shared_lists[list.name] = alone([&] { write_entry(list); });
      }
    }
    return parts;
  }

 private:
  template <class Write>
  std::string alone(const Write& write) {
    out_ = JsonOut();
    write();
    return out_.take();
  }

  // What an object or array holds.
  template <class Write>
  std::string inside(const Write& write) {
    const std::string text = alone(write);
    return text.substr(1, text.size() - 2);
  }

  // Writes the blocks once for the sake of their ids and their order alone: scripts and definitions
  // first, in the program's order, which is that of execution; then blocks that look alike but for
  // ids stand together, where deflate sees it.
  void count_uses() {
    for (const auto* map : {&names_.variables, &names_.lists, &names_.broadcasts}) {
      for (const auto& [name, handle] : *map) ids_.use(handle);
    }
    IdTable::Handle next = names_.first_free;
    for (const Target& target : program_.targets) {
      BlockOut out(names_, ids_, next, program_.counts_text);
      std::vector<BlockOut::Block> blocks = out.target(target);
      next = out.next_handle();
      for (BlockOut::Block& block : blocks) {
        if (block.is_top) block.text.clear();
      }
      std::stable_sort(blocks.begin(), blocks.end(),
                       [](const auto& a, const auto& b) { return a.text < b.text; });
      for (const BlockOut::Block& block : blocks) order_.push_back(block.handle);
    }
    // Neighbouring ids are longer, and shorter only for deflate.
    const std::vector<IdTable::Handle> none;
    ids_.assign(program_.counts_text ? none : order_, around_.ids, given_ids());
  }

  std::map<IdTable::Handle, std::string> given_ids() const {
    std::map<IdTable::Handle, std::string> given;
    const auto add = [&](const Names::Map& names, const std::map<std::string, std::string>& ids) {
      for (const auto& [name, id] : ids) given[names.find(name)->second] = id;
    };
    add(names_.variables, around_.variables);
    add(names_.lists, around_.lists);
    add(names_.broadcasts, around_.broadcasts);
    return given;
  }

  IdTable::Handle write_target(const Target& target, IdTable::Handle first_handle) {
    const std::size_t index = static_cast<std::size_t>(&target - program_.targets.data());
    check(target.is_stage == (index == 0), "the stage is not the first target");
    out_.begin_object().key("isStage").boolean(target.is_stage);
    out_.key("name").string(target.is_stage ? "Stage" : target.name);
    out_.key("variables");
    write_variables(target);
    out_.key("lists");
    write_lists(target);
    out_.key("broadcasts");
    write_broadcasts(target);
    out_.key("blocks").begin_object();
    BlockOut blocks(names_, ids_, first_handle, program_.counts_text);
    write_blocks(blocks.target(target), first_handle);
    out_.end().key("comments").begin_object();
    for (const std::string& comment : blocks.comments()) out_.raw(comment);
    out_.end();
    write_costumes(target);
    out_.key("sounds").begin_array().end().key("volume").number(100);
    write_state(target, index);
    out_.end();
    return blocks.next_handle();
  }

  void write_blocks(const std::vector<BlockOut::Block>& blocks, IdTable::Handle first_handle) {
    std::vector<const std::string*> texts(blocks.size(), nullptr);
    for (const BlockOut::Block& block : blocks) texts.at(block.handle - first_handle) = &block.text;
    const std::size_t first = first_handle - names_.first_free;
    for (std::size_t i = first; i < first + blocks.size(); ++i) {
      out_.raw(*texts.at(order_.at(i) - first_handle));
    }
  }

  void write_variables(const Target& target) {
    out_.begin_object();
    for (const auto& variable : target.variables) {
      if (around_.variables.contains(variable.name)) continue;
      out_.key(ids_.use(names_.variables.find(variable.name)->second));
      write_entry(variable);
    }
    out_.end();
  }

  void write_entry(const scratch::Variable& variable) {
    out_.begin_array().string(variable.name);
    write_scalar(variable.value);
    out_.end();
  }

  void write_lists(const Target& target) {
    out_.begin_object();
    for (const auto& list : target.lists) {
      if (around_.lists.contains(list.name)) continue;
      out_.key(ids_.use(names_.lists.find(list.name)->second));
      write_entry(list);
    }
    out_.end();
  }

  void write_entry(const scratch::List& list) {
    out_.begin_array().string(list.name).begin_array();
    for (const auto& item : list.items) write_scalar(item);
    out_.zeros(list.zeros).end().end();
  }

  void write_broadcasts(const Target& target) {
    out_.begin_object();
    if (target.is_stage) {
      for (const std::string& name : program_.broadcasts) {
        if (around_.broadcasts.contains(name)) continue;
        out_.key(ids_.use(names_.broadcasts.find(name)->second)).string(name);
      }
    }
    out_.end();
  }

  void write_scalar(const scratch::Scalar& value) {
    if (const double* number = std::get_if<double>(&value)) {
      out_.number(*number);
    } else {
      out_.string(std::get<std::string>(value));
    }
  }

  void write_costumes(const Target& target) {
    static const std::vector<scratch::Costume> kNone = {{"costume1", "", 1, 1}};
    const auto& costumes = target.costumes.empty() ? kNone : target.costumes;
    out_.key("currentCostume").number(target.current_costume).key("costumes").begin_array();
    for (const auto& costume : costumes) {
      const auto found = assets_.find(costume.asset);
      if (found == assets_.end()) fail(Fault::bug, "costume without asset '{}'", costume.asset);
      out_.begin_object().key("name").string(costume.name);
      out_.key("assetId").string(found->second.id);
      if (!program_.counts_text) out_.key("md5ext").string(found->second.file_name());
      out_.key("dataFormat").string(found->second.format);
      // An empty picture has its centre where players would look for it.
      if (program_.counts_text && costume.center_x == 0 && costume.center_y == 0) {
        out_.end();
        continue;
      }
      out_.key("rotationCenterX").number(costume.center_x);
      out_.key("rotationCenterY").number(costume.center_y).end();
    }
    out_.end();
  }

  void write_state(const Target& target, std::size_t index) {
    if (target.is_stage) {
      out_.key("layerOrder").number(0).key("tempo").number(60);
      out_.key("videoTransparency").number(50).key("videoState").string("on");
      out_.key("textToSpeechLanguage").null();
      return;
    }
    out_.key("layerOrder")
        .number(around_.layers + (target.layer > 0 ? target.layer : static_cast<int>(index)));
    out_.key("visible").boolean(target.visible);
    out_.key("x").number(target.x).key("y").number(target.y);
    out_.key("size").number(target.size).key("direction").number(target.direction);
    out_.key("draggable").boolean(false).key("rotationStyle").string("all around");
  }

  void write_monitor(const Monitor& monitor) {
    static constexpr const char* kModes[] = {"default", "large", "slider", "list"};
    const bool is_list = monitor.mode == Monitor::Mode::list;
    const auto& map = is_list ? names_.lists : names_.variables;
    const auto found = map.find(monitor.name);
    if (found == map.end()) fail(Fault::bug, "a monitor shows '{}', which is not", monitor.name);
    out_.begin_object().key("id").string(ids_.use(found->second));
    out_.key("mode").string(kModes[static_cast<int>(monitor.mode)]);
    out_.key("opcode").string(is_list ? "data_listcontents" : "data_variable");
    out_.key("params").begin_object().key(is_list ? "LIST" : "VARIABLE");
    out_.string(monitor.name).end().key("spriteName");
    monitor.target.empty() ? out_.null() : out_.string(monitor.target);
    out_.key("value");
    is_list ? out_.begin_array().end() : out_.number(0);
    out_.key("width").number(monitor.width).key("height").number(monitor.height);
    out_.key("x").number(monitor.x).key("y").number(monitor.y);
    out_.key("visible").boolean(monitor.visible);
    if (!is_list) {
      out_.key("sliderMin").number(monitor.slider_min).key("sliderMax").number(monitor.slider_max);
      out_.key("isDiscrete").boolean(monitor.slider_discrete);
    }
    out_.end();
  }

  const Program& program_;
  const Surroundings& around_;
  Names names_;
  IdTable ids_;
  std::vector<IdTable::Handle> order_;  // of all blocks in the file, target by target
  std::map<std::string, Asset> assets_;
  JsonOut out_;
};

}  // namespace

std::map<std::string, Asset> name_assets(const Program& program) {
  std::map<std::string, Asset> named;
  for (const auto& [name, bytes] : program.assets) named.emplace(name, make_asset(name, bytes));
  const bool bare = std::any_of(program.targets.begin(), program.targets.end(),
                                [](const Target& target) { return target.costumes.empty(); });
  if (bare) named.emplace("", make_asset(".svg", kEmptyPicture));
  return named;
}

const std::string& asset_bytes(const Program& program, const std::string& name) {
  return name.empty() ? kEmptyPicture : program.assets.at(name);
}

std::string write_project_json(const Program& program) {
  const Surroundings nothing;
  return ProjectOut(program, nothing).write();
}

ProjectParts write_project_parts(const Program& program, const Surroundings& around) {
  return ProjectOut(program, around).parts();
}

}  // namespace sb3lm
